/* Measures what a message costs, and what ScaLAPACK's own software does. */
#include <math.h>

#include "block_matrix.h"
#include "scalapack.h"

/* The best of some batches counts: other work on the machine only makes messages slower. */
enum { BATCHES = 10, SHORT_TRIPS = 200, LONG_TRIPS = 3, LONG_DOUBLES = 1 << 17 };

static rl_status make_trips(const rl_process_grid *grid, double *values, int n, int trips) {
    const int last = grid->size - 1, other = last - grid->rank;
    for (int i = 0; i < trips; i++) {
        if (grid->rank == 0) RL_MPI(MPI_Send(values, n, MPI_DOUBLE, other, 0, grid->comm));
        RL_MPI(MPI_Recv(values, n, MPI_DOUBLE, other, 0, grid->comm, MPI_STATUS_IGNORE));
        if (grid->rank != 0) RL_MPI(MPI_Send(values, n, MPI_DOUBLE, other, 0, grid->comm));
    }
    return RL_OK;
}

/* Seconds of n doubles from rank 0 to the last rank: half of the way there and back. */
static rl_status time_message(const rl_process_grid *grid, double *values, int n, int trips, double *seconds) {
    *seconds = INFINITY;
    for (int batch = 0; batch < BATCHES; batch++) {
        const double start = rl_seconds();
        RL_TRY(make_trips(grid, values, n, trips));
        *seconds = fmin(*seconds, (rl_seconds() - start) / (2.0 * trips));
    }
    return RL_OK;
}

/* Between the first and the last of at least two ranks. */
static rl_status time_messages(const rl_process_grid *grid, double *values, rl_message_costs *costs) {
    double seconds;
    if (grid->rank != 0 && grid->rank != grid->size - 1) return RL_OK;
    RL_TRY(make_trips(grid, values, LONG_DOUBLES, 1)); /* connects */
    RL_TRY(time_message(grid, values, 0, SHORT_TRIPS, &costs->latency));
    RL_TRY(time_message(grid, values, LONG_DOUBLES, LONG_TRIPS, &seconds));
    if (seconds > costs->latency) costs->bandwidth = LONG_DOUBLES * sizeof(double) / (seconds - costs->latency);
    return RL_OK;
}

/* Bidiagonal reductions small enough for the first cache, on a grid of this rank alone. */
static rl_status time_columns(const rl_process_grid *alone, rl_message_costs *costs) {
    enum { ORDER = 64, BLOCK = 16, WORK = BLOCK * (2 * ORDER + 1) + 2 * ORDER };
    const int n = ORDER, one = 1, lwork = WORK;
    double small[4][ORDER], *work = NULL;
    rl_block_matrix m;
    int info = 0;
    rl_status status = rl_block_matrix_create(&m, alone, n, n, BLOCK);
    if (status == RL_OK) status = RL_ALLOC(work, WORK);
    costs->column = INFINITY;
    for (int batch = 0; batch < BATCHES && status == RL_OK; batch++) {
        for (int j = 0; j < n; j++)
            for (int i = 0; i < n; i++) m.a[j * m.ld + i] = 1.0 / (1 + i + (i == j) + 2 * j);
        const double start = rl_seconds();
        pdgebrd_(&n, &n, m.a, &one, &one, m.descriptor, small[0], small[1], small[2], small[3], work, &lwork, &info);
        costs->column = fmin(costs->column, (rl_seconds() - start) / ORDER);
        status = rl_agree_info(alone, "ScaLAPACK pdgebrd", &info);
    }
    rl_free(work);
    rl_block_matrix_destroy(&m);
    return status;
}

rl_status rl_measure_messages(const rl_process_grid *grid, rl_message_costs *costs) {
    double *values = NULL;
    rl_process_grid *alone = NULL;
    *costs = (rl_message_costs){0};
    RL_TRY(rl_process_grid_agree(grid, RL_ALLOC(values, LONG_DOUBLES)));
    rl_status status = grid->size > 1 ? time_messages(grid, values, costs) : RL_OK;
    if (status == RL_OK) status = rl_process_grid_create_alone(&alone);
    if (status == RL_OK) status = time_columns(alone, costs);
    rl_process_grid_destroy(alone);
    rl_free(values);
    RL_TRY(rl_process_grid_agree(grid, status));
    RL_MPI(MPI_Bcast(costs, 3, MPI_DOUBLE, 0, grid->comm));
    return RL_OK;
}
