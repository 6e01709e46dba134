/* The source `diabetes`: Efron, Hastie, Johnstone and Tibshirani (2004), as scikit-learn has it, with raw features in
 * one file and the target in another. Each feature is centred and scaled to unit Euclidean norm, as in the published
 * study. */
#include "source.h"

static const char FEATURES_FILE[] = "diabetes_data_raw.csv.gz", TARGET_FILE[] = "diabetes_target.csv.gz";

enum { N_FEATURES = 10 };

/* Reads all columns of a file. Refuses one that has not `n_columns` of them, or a missing value. */
static rl_status read_columns(const char *path, int n_columns, rl_dataset *columns) {
    static const int all[N_FEATURES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    rl_table table;
    RL_TRY(rl_table_read(path, (rl_table_format){.delimiter = ' '}, &table));
    rl_status status;
    if (table.n_columns != n_columns) {
        status = rl_fail(RL_ERR_INPUT, "%s: %d columns, expected %d", path, table.n_columns, n_columns);
    } else {
        const rl_table_choice choice = {.features = all, .n_features = n_columns, .target = -1};
        status = rl_table_numbers(&table, &choice, columns);
    }
    rl_table_destroy(&table);
    if (status == RL_OK && columns->n_dropped > 0)
        status = rl_fail(RL_ERR_INPUT, "%s: %d rows have a missing value, expected none", path, columns->n_dropped);
    return status;
}

static rl_status load_diabetes(const rl_source_request *request, rl_dataset *dataset) {
    RL_TRY(rl_source_locate(&rl_source_diabetes, request, FEATURES_FILE, &dataset->origin));
    RL_TRY(read_columns(dataset->origin, N_FEATURES, dataset));
    char *target_path;
    RL_TRY(rl_source_locate(&rl_source_diabetes, request, TARGET_FILE, &target_path));
    rl_dataset target = {0};
    rl_status status = read_columns(target_path, 1, &target);
    if (status == RL_OK && target.n_rows != dataset->n_rows)
        status = rl_fail(RL_ERR_INPUT, "%s: %d rows, expected %d as in %s", target_path, target.n_rows, dataset->n_rows,
                         dataset->origin);
    dataset->y = target.x;
    target.x = NULL;
    rl_dataset_destroy(&target);
    rl_free(target_path);
    RL_TRY(status);
    return rl_standardize_features(RL_STANDARDIZE_UNIT_NORM, RL_ROUNDING_OF_DOUBLES, dataset);
}

const rl_source rl_source_diabetes = {
    .name = "diabetes",
    .summary = "Diabetes (Efron et al. 2004): progression in 442 patients from 10 features of unit norm",
    .files = (const char *const[]){FEATURES_FILE, TARGET_FILE, NULL},
    .how_to_get = "it comes with the program, in jobs/data of the source tree",
    .load = load_diabetes,
};
