/* Who works together: one phase for each number of ranks that tasks take, then every rank alone. */
#include "dispatch.h"

rl_member rl_member_of(const rl_run *r, int rank) {
    const rl_phase *p = &r->phase;
    const int grouped = p->n_groups * p->ranks;
    if (rank >= grouped) return (rl_member){.queue = RL_QUEUE_ALONE, .index = rank - grouped, .leads = true};
    return (rl_member){.queue = RL_QUEUE_GROUPS, .index = rank / p->ranks, .leads = rank % p->ranks == 0};
}

/* ---- a group ----------------------------------------------------------------------------------------------------- */

/* The same bits on every rank, whatever the library adds in what order. */
static rl_status add_up_in_group(const void *state, double *sums, int64_t n) {
    const rl_context *group = state;
    RL_TRY(rl_context_sum_at(group->comm, 0, sums, n));
    rl_broadcast(group, sums, (size_t)n * sizeof *sums);
    return RL_OK;
}

static rl_status agree_in_group(const void *state, rl_status status) {
    return rl_context_agree(state, status);
}

static rl_status make_group(rl_run *r) {
    const bool grouped = r->me.queue == RL_QUEUE_GROUPS;
    const rl_phase *const p = &r->phase;
    r->group = (rl_context){.comm = MPI_COMM_NULL, .size = 1};
    RL_MPI(MPI_Comm_split(r->context->comm, grouped ? r->me.index : MPI_UNDEFINED, r->context->rank, &r->group.comm));
    if (!grouped) return RL_OK;
    MPI_Comm_rank(r->group.comm, &r->group.rank);
    MPI_Comm_size(r->group.comm, &r->group.size);
    return p->on_grid ? rl_process_grid_create(r->group.comm, p->grid.rows, p->grid.columns, &r->process_grid) : RL_OK;
}

static rl_status make_worker(rl_run *r) {
    rl_group group = {
        .rank = r->group.rank, .size = r->group.size, .process_grid = r->process_grid, .state = &r->group};
    if (group.size > 1) {
        group.add_up = add_up_in_group;
        group.agree = agree_in_group;
    }
    return rl_worker_create(r->plan->series, group, &r->worker);
}

static void note_grouping(const rl_run *r) {
    rl_run_summary *s = r->summary;
    s->groupings[s->n_groupings++] = (rl_grouping){.ranks_per_case = r->phase.ranks,
                                                   .n_groups = r->phase.n_groups,
                                                   .n_rows = r->process_grid->n_rows,
                                                   .n_columns = r->process_grid->n_columns,
                                                   .n_left_over = r->queues[RL_QUEUE_ALONE].n_groups};
}

/* ---- phases ------------------------------------------------------------------------------------------------------ */

/* Groups hold two positions at a time where there are plenty, so that they compute while an answer travels; but one of
 * what takes long, which another group had better begin. */
static int depth_of(const rl_run *r, const rl_queue *queue) {
    if (queue->end - queue->start < 4 * (int64_t)queue->n_groups) return 1;
    for (int64_t i = queue->start; r->restorable && i < queue->end; i++)
        if (rl_series_at(r, rl_items_at(queue, i))->kind->restorable) return 1;
    return 2;
}

/* What the groups know by themselves is handed out. */
static void begin_queue(const rl_run *r, rl_queue *queue) {
    queue->depth = depth_of(r, queue);
    const int64_t known = queue->start + (int64_t)queue->depth * queue->n_groups;
    queue->next = known < queue->end ? known : queue->end;
}

/* What is left of the queue of ranks alone stays for the next phase. */
static rl_status begin_phase(rl_run *r, rl_phase phase) {
    const int size = r->context->size;
    rl_queue *const alone = &r->queues[RL_QUEUE_ALONE], *const groups = &r->queues[RL_QUEUE_GROUPS];
    r->phase = phase;
    groups->n_groups = phase.n_groups;
    alone->n_groups = size - phase.n_groups * phase.ranks;
    alone->start = alone->next;
    alone->end = alone->n;
    RL_MPI(MPI_Bcast(&alone->start, 1, MPI_INT64_T, 0, r->context->comm));
    for (int q = 0; q < RL_N_QUEUES; q++) begin_queue(r, &r->queues[q]);
    r->me = rl_member_of(r, r->context->rank);
    rl_status status = rl_context_agree(r->context, make_group(r));
    if (status == RL_OK && rl_is_root(r) && phase.on_grid) note_grouping(r);
    if (status == RL_OK) status = make_worker(r);
    return rl_context_agree(r->context, status);
}

static void end_phase(rl_run *r) {
    rl_worker_destroy(r->worker);
    rl_process_grid_destroy(r->process_grid);
    if (r->group.comm != MPI_COMM_NULL) MPI_Comm_free(&r->group.comm);
    r->worker = NULL;
    r->process_grid = NULL;
}

static rl_status run_phase(rl_run *r, rl_phase phase) {
    rl_status status = begin_phase(r, phase);
    if (status == RL_OK) status = rl_share_work(r);
    end_phase(r);
    return status;
}

static rl_phase phase_at(const rl_run *r, int64_t position) {
    const rl_series *series = rl_series_at(r, rl_items_at(&r->queues[RL_QUEUE_GROUPS], position));
    const int ranks = r->ranks_of[series - r->plan->series];
    return (rl_phase){.ranks = ranks,
                      .n_groups = r->context->size / ranks,
                      .on_grid = series->on_grid,
                      .grid = rl_series_grid(series)};
}

rl_status rl_run_phases(rl_run *r) {
    rl_queue *const groups = &r->queues[RL_QUEUE_GROUPS];
    for (groups->start = 0; groups->start < groups->n; groups->start = groups->end) {
        const rl_phase phase = phase_at(r, groups->start);
        for (groups->end = groups->start + 1; groups->end < groups->n; groups->end++) {
            const rl_phase next = phase_at(r, groups->end);
            if (next.ranks != phase.ranks || next.on_grid != phase.on_grid || next.grid.rows != phase.grid.rows) break;
        }
        RL_TRY(run_phase(r, phase));
        rl_agree_to_stop(r, r->context->comm);
        if (r->stop != RL_STOP_NONE) return RL_OK;
    }
    groups->start = groups->end = groups->n;
    return run_phase(r, (rl_phase){0});
}
