/* What the dispatcher calls and a simulation has not: threads, timers, files, launchers, process grids. */
#include <stdlib.h>

#undef aligned_alloc
#include "../../src/core/launcher.h"
#include "ridgeless/parallel.h"
#include "simulated.h"
#undef aligned_alloc

/* ---- MPI --------------------------------------------------------------------------------------------------------- */

static int64_t messages;

int rl_simulated_improbe(int source, int tag, MPI_Comm comm, int *there, MPI_Message *message, MPI_Status *status) {
    const int code = MPI_Iprobe(source, tag, comm, there, status);
    if (*there) *message = (MPI_Message){comm, status->MPI_SOURCE, tag};
    return code;
}

int rl_simulated_mrecv(void *bytes, int count, MPI_Datatype type, MPI_Message *message, MPI_Status *status) {
    messages++;
    return MPI_Recv(bytes, count, type, message->source, message->tag, message->comm, status);
}

int64_t rl_simulated_messages(void) {
    return messages;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

void *rl_simulated_alloc(size_t alignment, size_t bytes) {
    enum { LARGE = 1 << 23 };
    static int n_large = 0;
    int rank;
    if (bytes < LARGE) return aligned_alloc(alignment, bytes);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank == 0 ? aligned_alloc(alignment, bytes) : smpi_shared_malloc(bytes, "large arrays", ++n_large);
}

/* ---- guards: threads --------------------------------------------------------------------------------------------- */

void rl_guard_computing(rl_guard *guard, int first, int n) {
    (void)guard, (void)first, (void)n;
}

void rl_guard_doing(rl_guard *guard, const char *format, ...) {
    (void)guard, (void)format;
}

void rl_guard_hold(rl_guard *guard) {
    (void)guard;
}

void rl_guard_release(rl_guard *guard) {
    (void)guard;
}

void rl_guard_until(rl_guard *guard, double when) {
    (void)guard, (void)when;
}

/* ---- other rooms ------------------------------------------------------------------------------------------------- */

rl_status rl_process_grid_create(MPI_Comm comm, int n_rows, int n_columns, rl_process_grid **grid) {
    (void)comm, (void)n_rows, (void)n_columns;
    *grid = NULL;
    return RL_OK;
}

void rl_process_grid_destroy(rl_process_grid *grid) {
    (void)grid;
}

void rl_broadcast(const rl_context *context, void *bytes, size_t size) {
    MPI_Bcast(bytes, (int)size, MPI_BYTE, 0, context->comm);
}

void rl_plan_text(const rl_plan *plan, int64_t task, char *text, size_t size) {
    (void)plan;
    snprintf(text, size, "task %lld", (long long)task);
}

rl_task_cost rl_predict_task(const rl_plan *plan, int64_t task, int ranks, const rl_rates *rates) {
    (void)plan, (void)task, (void)ranks, (void)rates;
    return (rl_task_cost){.seconds = rl_simulated_seconds()};
}

rl_status rl_choose_ranks(const rl_series *series, int64_t n_tasks, int size, double bytes_per_rank, int *ranks) {
    (void)series, (void)n_tasks, (void)size, (void)bytes_per_rank;
    *ranks = 1;
    return RL_OK;
}
