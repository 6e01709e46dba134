/* Loads the data sets of a study file, and writes what was read of each: for tests that compare it with what others
 * read. read_tables STUDY FOLDER FOLDER/NAME.bin: ints n_rows, n_features, n_dropped, then y and x as doubles;
 * FOLDER/NAME.txt: why it was refused. */
#include <stdio.h>
#include <stdlib.h>

#include "ridgeless/study.h"

static void stop(const char *what) {
    fprintf(stderr, "read_tables: %s\n", what);
    exit(2);
}

static FILE *create(const char *folder, const char *name, const char *ending) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, ending);
    FILE *file = fopen(path, "wb");
    if (file == NULL) stop(path);
    return file;
}

static void write_numbers(const rl_dataset *data, FILE *file) {
    const size_t n = (size_t)data->n_rows, p = (size_t)data->n_features;
    const int sizes[] = {data->n_rows, data->n_features, data->n_dropped};
    if (fwrite(sizes, sizeof *sizes, 3, file) != 3) stop("cannot write");
    if (fwrite(data->y, sizeof *data->y, n, file) != n) stop("cannot write");
    if (data->x != NULL && fwrite(data->x, sizeof *data->x, n * p, file) != n * p) stop("cannot write");
}

/* Those of a table in blocks are read through its file, and rows that miss a value left out. */
static void write_blocks(const rl_dataset *data, FILE *file) {
    const size_t p = (size_t)data->n_features;
    const int n = data->n_rows + data->n_dropped;
    double *rows;
    rl_table_blocks *blocks;
    if (RL_ALLOC(rows, (size_t)n * p) != RL_OK || rl_table_blocks_open(data, &blocks) != RL_OK) stop("no memory");
    const int height = rl_table_blocks_height(blocks);
    for (int first = 0; first < n; first += height) {
        const int count = height < n - first ? height : n - first;
        if (rl_table_blocks_read(blocks, first, count, rows + (size_t)first * p) != RL_OK) stop(rl_error_message());
    }
    for (int i = 0; i < data->n_rows; i++)
        if (fwrite(rows + (size_t)rl_dataset_file_row(data, i) * p, sizeof *rows, p, file) != p) stop("cannot write");
    rl_table_blocks_close(blocks);
    rl_free(rows);
}

static void read_table(const rl_study_dataset *spec, const char *base, const char *folder) {
    const rl_data_path path = {0};
    rl_dataset data;
    const rl_source_request request = {
        .name = spec->name, .options = &spec->options, .path = &path, .base_folder = base};
    const bool read = rl_dataset_load(spec->source, &request, &data) == RL_OK;
    FILE *file = create(folder, spec->name, read ? "bin" : "txt");
    if (read) write_numbers(&data, file);
    if (read && rl_dataset_in_blocks(&data)) write_blocks(&data, file);
    if (!read) fprintf(file, "%s\n", rl_error_message());
    if (fclose(file) != 0) stop("cannot write");
    rl_dataset_destroy(&data);
}

int main(int argc, char **argv) {
    rl_text text = RL_TEXT_EMPTY;
    rl_study study;
    if (argc != 3) stop("expected STUDY FOLDER");
    if (rl_read_file(argv[1], (size_t)1 << 26, &text) != RL_OK) stop(rl_error_message());
    if (rl_study_parse(argv[1], text.bytes, &study) != RL_OK) stop(rl_error_message());
    for (int i = 0; i < study.n_datasets; i++) read_table(&study.datasets[i], argv[2], argv[2]);
    rl_study_destroy(&study);
    rl_free(text.bytes);
    return 0;
}
