/* A case to benchmark: student-teacher data on a process grid of all ranks. */
#include "bench_case.h"

static rl_status load_dataset(rl_bench_case *b, int n_train, int n_features, int n_test) {
    rl_options options;
    const rl_source *source = rl_source_find("student-teacher");
    RL_TRY(rl_options_create(&options, source->options, source->n_options));
    options.values[rl_options_find(&options, "rows")].number = n_train + n_test;
    options.values[rl_options_find(&options, "features")].number = n_features;
    options.values[rl_options_find(&options, "hidden_features")].number = n_features;
    options.values[rl_options_find(&options, "noise")].number = 1;
    options.values[rl_options_find(&options, "draw")].number = 1; /* fresh: no rank holds the rows */
    const rl_source_request request = {.name = "bench", .options = &options};
    const rl_status status = rl_dataset_load(source, &request, &b->dataset);
    rl_options_destroy(&options);
    return status;
}

rl_status rl_bench_case_create(rl_bench_case *b, const rl_process_grid *grid, int n_train, int n_features, int n_test) {
    *b = (rl_bench_case){0};
    rl_status status = load_dataset(b, n_train, n_features, n_test);
    if (status == RL_OK) status = rl_rows_create(&b->rows, &b->dataset, RL_RANDOM_PHILOX, 0);
    RL_TRY(rl_process_grid_agree(grid, status));
    RL_TRY(rl_process_grid_agree(grid, rl_rows_arrange(&b->rows, 0)));
    return rl_dataset_case_create(&b->case_, grid, &b->rows, n_train, n_test);
}

void rl_bench_case_destroy(rl_bench_case *b) {
    rl_dataset_case_destroy(&b->case_);
    rl_rows_destroy(&b->rows);
    rl_dataset_destroy(&b->dataset);
}
