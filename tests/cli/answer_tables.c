/* Reads the first data set of each study whose path stands in a line of standard input, and answers with a line: "rows
 * features dropped" before the numbers, each row's features and then its target, as hexadecimal; or the message. */
#include <stdio.h>
#include <string.h>

#include "ridgeless/study.h"

static void print_numbers(const rl_dataset *d) {
    printf("%d %d %d", d->n_rows, d->n_features, d->n_dropped);
    for (int i = 0; i < d->n_rows; i++) {
        for (int j = 0; j < d->n_features; j++) printf(" %a", d->x[(size_t)i * (size_t)d->n_features + (size_t)j]);
        printf(" %a", d->y[i]);
    }
    printf("\n");
}

static rl_status read_study(const char *path, rl_study *study, rl_dataset *dataset) {
    rl_text text = RL_TEXT_EMPTY;
    const rl_data_path nowhere = {0};
    rl_status status = rl_read_file(path, RL_STUDY_FILE_LIMIT, &text);
    if (status == RL_OK) status = rl_study_parse(path, text.bytes, study);
    rl_free(text.bytes);
    if (status != RL_OK) return status;
    const rl_source_request request = {.name = study->datasets->name,
                                       .options = &study->datasets->options,
                                       .path = &nowhere,
                                       .base_folder = ".",
                                       .random = study->random,
                                       .seed = study->seed};
    return study->datasets->source->load(&request, dataset); /* without least squares, which may overflow */
}

int main(void) {
    char path[4096];
    while (fgets(path, sizeof path, stdin) != NULL) {
        rl_study study = {0};
        rl_dataset dataset = {0};
        path[strcspn(path, "\n")] = '\0';
        if (read_study(path, &study, &dataset) == RL_OK)
            print_numbers(&dataset);
        else
            printf("%s\n", rl_error_message());
        rl_dataset_destroy(&dataset);
        rl_study_destroy(&study);
    }
    return 0;
}
