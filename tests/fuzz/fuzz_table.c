/* Tables of text, plain and gzip: the published data files and the user's own. The first three bytes choose the source
 * and its options; the rest is the file, or for two files where the second one begins. */
#include "fuzz.h"
#include "ridgeless/data.h"

enum { MOST_NUMBERS = 4000 }; /* of a table that is loaded with its best linear model */

static void set_number(rl_options *options, const char *key, unsigned number) {
    options->values[rl_options_find(options, key)].number = number;
}

/* Of the user's own tables. */
static void choose_options(rl_options *options, unsigned choices, unsigned column) {
    char target[16];
    snprintf(target, sizeof target, "%u", column % 16);
    fuzz_set_text(options, "file", "table.csv");
    fuzz_set_text(options, "target", column >= 128 ? "y" : target);
    set_number(options, "delimiter", choices & 3);
    set_number(options, "header", choices >> 2 & 1);
    set_number(options, "standardize", choices >> 3 & 3);
    if ((choices >> 5 & 1) == 0) return;
    set_number(options, "decimal", column >> 1 & 1);
    set_number(options, "thousands", (column >> 2) % 6);
    set_number(options, "skip", column % 3);
    fuzz_set_text(options, "comment", column & 1 ? "#" : "%");
    fuzz_set_list(options, "missing", column & 8 ? "-9999" : "x");
    fuzz_set_list(options, "except", column & 16 ? "1" : "2-3");
    fuzz_set_list(options, "skip_lines", column & 32 ? "2" : "3-4");
    if (column & 64) fuzz_set_list(options, "features", "numeric");
}

static void write_files(const rl_source *source, fuzz_bytes rest, unsigned share) {
    char path[512];
    if (source->files == NULL) {
        fuzz_write(fuzz_path(path, "table.csv"), rest.next, rest.left);
        return;
    }
    const size_t first = source->files[1] == NULL ? rest.left : rest.left * share / 255;
    fuzz_write(fuzz_path(path, source->files[0]), rest.next, first);
    if (source->files[1] != NULL) fuzz_write(fuzz_path(path, source->files[1]), rest.next + first, rest.left - first);
}

static void load(const rl_source *source, const rl_source_request *request) {
    rl_dataset dataset = {.source = source}; /* as rl_dataset_load does */
    rl_status status = source->load(request, &dataset);
    const double numbers = (double)dataset.n_rows * dataset.n_features;
    fuzz_check_answer(status);
    rl_dataset_destroy(&dataset);
    if (status != RL_OK || numbers > MOST_NUMBERS) return;
    status = rl_dataset_load(source, request, &dataset);
    fuzz_check_answer(status);
    if (status == RL_OK) FUZZ_REQUIRE(dataset.n_rows > 0 && dataset.n_features > 0 && dataset.beta_star != NULL);
    rl_dataset_destroy(&dataset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"csv", "diabetes", "california", "who", "who-fixed", "csv", "csv", "csv"};
    fuzz_bytes bytes = {data, size};
    const rl_source *source = rl_source_find(names[fuzz_take(&bytes) % 8]);
    const unsigned choices = fuzz_take(&bytes), number = fuzz_take(&bytes);
    char folder[256];
    snprintf(folder, sizeof folder, "%s", fuzz_folder());
    const rl_data_path path = {.folders = {folder}, .n_folders = 1};
    rl_options options;
    FUZZ_REQUIRE(rl_options_create(&options, source->options, source->n_options) == RL_OK);
    if (source->files == NULL) choose_options(&options, choices, number);
    write_files(source, bytes, number);
    const rl_source_request request = {.name = "mine",
                                       .options = &options,
                                       .path = &path,
                                       .random = choices & 128 ? RL_RANDOM_NUMPY : RL_RANDOM_PHILOX,
                                       .intercept = choices & 64};
    load(source, &request);
    rl_options_destroy(&options);
    return 0;
}
