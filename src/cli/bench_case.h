/* Private to the benchmarks of spectra. */
#ifndef RL_BENCH_CASE_H
#define RL_BENCH_CASE_H

#include "ridgeless/data.h"
#include "ridgeless/distributed.h"

typedef struct rl_bench_case {
    rl_dataset dataset;
    rl_rows rows;
    rl_dataset_case case_;
} rl_bench_case;

/* Collective on the grid. Isotropic student-teacher data, each row drawn afresh, with as many hidden features as seen
 * ones and noise 1. rl_bench_case_destroy releases *b, also after a failure. */
rl_status rl_bench_case_create(rl_bench_case *b, const rl_process_grid *grid, int n_train, int n_features, int n_test);
void rl_bench_case_destroy(rl_bench_case *b);

#endif
