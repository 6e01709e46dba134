/* One spectrum on a process grid under SimGrid's SMPI, computed as ever, but only its messages take time: what they are
 * predicted to take, beside it.
 *    spectrum N TEST BLOCK
 * A square case of N rows and features with TEST test rows in blocks of BLOCK. First a message is timed between the
 * first and the last rank, as `bench calibrate` does. Prints one object of JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ridgeless/case_cost.h"
#include "ridgeless/context.h"
#include "ridgeless/distributed.h"

/* Any numbers will do that nothing is special of. */
static double entry(const void *state, int row, int column) {
    uint64_t x = (uint64_t)row << 32 | (uint32_t)column;
    (void)state;
    for (int i = 0; i < 2; i++) {
        x ^= x >> 31;
        x *= 0x9e3779b97f4a7c15u;
    }
    return (double)(int64_t)x * 0x1p-63;
}

/* Seconds of messages alone: on machines that compute in no time. */
static rl_case_cost predict(int n, int n_test, int block, int ranks, const rl_message_costs *costs) {
    const rl_rate_table at_once = {1, {1}, {INFINITY}};
    const rl_rates rates = {.cores = 1,
                            .normals = INFINITY,
                            .gemm = INFINITY,
                            .panels = INFINITY,
                            .gemv = at_once,
                            .gemv_alone = INFINITY,
                            .rotations = INFINITY,
                            .band_rotations = INFINITY,
                            .message = costs->latency,
                            .message_bandwidth = costs->bandwidth};
    const rl_case_sizes sizes = {
        .method = RL_CASE_TWO_STAGE, .n_train = n, .n_features = n, .n_test = n_test, .block = block, .ranks = ranks};
    return rl_case_predict(&sizes, &rates);
}

/* How far the singular values are from having the sum of squares of the matrix's entries, in units of eps. */
static double error_of(const rl_spectrum *s) {
    double found = 0, given = 0;
    for (int r = 0; r < s->n_modes; r++) found += s->sigma[r] * s->sigma[r];
    for (int i = 0; i < s->n_train; i++)
        for (int j = 0; j < s->n_features; j++) given += entry(NULL, i, j) * entry(NULL, i, j);
    return fabs(found / given - 1) * 0x1p52;
}

static void print(int ranks, const rl_message_costs *costs, const rl_spectrum *s, const rl_timings *t,
                  const rl_case_cost *p) {
    printf("{\"ranks\": %d, \"message_seconds\": %.4g, \"bytes_per_second\": %.4g, \"error\": %.3g, ", ranks,
           costs->latency, costs->bandwidth, error_of(s));
    printf("\"seconds\": %.4g, ", t->total);
    printf("\"simulated\": {\"generate\": %.4g, \"reduce\": %.4g, \"project\": %.4g, \"diagonalize\": %.4g}, ",
           t->generate, t->reduce, t->project, t->diagonalize);
    printf("\"predicted\": {\"generate\": %.4g, \"reduce\": %.4g, \"project\": %.4g, \"diagonalize\": %.4g}}\n",
           p->generate, p->reduce, p->project, p->diagonalize);
}

static rl_status run(int n, int n_test, int block) {
    rl_process_grid *grid;
    rl_message_costs costs;
    rl_spectrum_store store = {0};
    rl_spectrum spectrum;
    rl_timings timings;
    double *numbers;
    RL_TRY(rl_process_grid_create(MPI_COMM_WORLD, 0, 0, &grid));
    RL_TRY(rl_measure_messages(grid, &costs));
    RL_TRY(RL_ALLOC(numbers, 2 * n + n_test));
    for (int i = 0; i < 2 * n + n_test; i++) numbers[i] = entry(NULL, -1, i);
    const rl_case c = {
        .n_train = n, .n_features = n, .n_test = n_test, .x = entry, .y = numbers, .beta_star = numbers + n + n_test};
    RL_TRY(rl_distributed_spectrum(grid, RL_PRODUCER_TWO_STAGE, block, &c, &store, &spectrum, &timings));
    double spent[] = {timings.generate, timings.reduce, timings.project, timings.diagonalize, timings.total};
    MPI_Allreduce(MPI_IN_PLACE, spent, 5, MPI_DOUBLE, MPI_MAX, grid->comm);
    timings = (rl_timings){spent[0], spent[1], spent[2], spent[3], spent[4]};
    const rl_case_cost predicted = predict(n, n_test, block, grid->size, &costs);
    if (grid->rank == 0) print(grid->size, &costs, &spectrum, &timings, &predicted);
    rl_spectrum_store_destroy(&store);
    rl_free(numbers);
    rl_process_grid_destroy(grid);
    return RL_OK;
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    if (argc != 4) return 2;
    const rl_status status = run(atoi(argv[1]), atoi(argv[2]), atoi(argv[3]));
    if (status != RL_OK) fprintf(stderr, "spectrum: %s\n", rl_error_message());
    MPI_Finalize();
    return status == RL_OK ? 0 : 1;
}
