/* Who works together, and on what: one phase for each number of ranks a case, then every rank alone. */
#include <stdlib.h>
#include <string.h>

#include "ridgeless/bulk.h"
#include "run.h"

/* ---- ranks a case ------------------------------------------------------------------------------------------------ */

/* Long thin grids lose time in panels: at most about twice as many columns as rows. */
static bool compact(int ranks) {
    int rows, columns;
    rl_process_grid_shape(ranks, &rows, &columns);
    return columns <= 2 * rows + 1;
}

static rl_status choose_automatically(const rl_study *study, const rl_grid *grid, int64_t n_cases, int size,
                                      double bytes_per_rank, int *ranks) {
    int fewest = 0;
    *ranks = size;
    RL_TRY(rl_fewest_ranks(study, grid, bytes_per_rank, &fewest));
    if (fewest > size) return rl_check_ranks(study, grid, size, bytes_per_rank);
    const int64_t share = size / (n_cases < 1 ? 1 : n_cases);
    *ranks = share > fewest ? (int)share : fewest;
    while (*ranks > fewest && !compact(*ranks)) --*ranks;
    return RL_OK;
}

rl_status rl_choose_ranks_per_case(const rl_study *study, const rl_grid *grid, int64_t n_cases, int size,
                                   double bytes_per_rank, int *ranks) {
    const int said = grid->spec->ranks_per_case;
    if (said == RL_RANKS_AUTO) return choose_automatically(study, grid, n_cases, size, bytes_per_rank, ranks);
    *ranks = said == RL_RANKS_ALL ? size : said;
    if (*ranks <= size) return rl_check_ranks(study, grid, *ranks, bytes_per_rank);
    return rl_fail(RL_ERR_INPUT,
                   "%s: key `ranks_per_case`: %d ranks a case, but the run has %d; start it with at least %d",
                   study->path, *ranks, size, *ranks);
}

/* ---- orders ------------------------------------------------------------------------------------------------------ */

typedef struct listed {
    int ranks;
    double cost; /* 0 where the order of the plan is wanted */
    rl_todo_item item;
} listed;

/* Cases of many ranks first; costly ones first, so that the cheap ones level the end; then as in the plan. */
static int compare(const void *a, const void *b) {
    const listed *left = a, *right = b;
    if (left->ranks != right->ranks) return left->ranks > right->ranks ? -1 : 1;
    if (left->cost != right->cost) return left->cost > right->cost ? -1 : 1;
    if (left->item.curve != right->item.curve) return left->item.curve < right->item.curve ? -1 : 1;
    return left->item.repeats.first < right->item.repeats.first ? -1
                                                                : left->item.repeats.first > right->item.repeats.first;
}

static rl_status choose_ranks(rl_run *r, const rl_todo_item *items) {
    int64_t *n_cases = NULL;
    rl_status status = RL_ALLOC(n_cases, r->plan->n_grids);
    for (int64_t i = 0; status == RL_OK && i < r->n; i++) n_cases[r->plan->curves[items[i].curve].grid]++;
    for (int g = 0; status == RL_OK && g < r->plan->n_grids; g++) {
        const rl_grid *grid = &r->plan->grids[g];
        r->ranks_of_grid[g] = 1;
        if (n_cases[g] > 0 && rl_way_on_grid(grid->way))
            status = rl_choose_ranks_per_case(r->plan->study, grid, n_cases[g], r->context->size,
                                              r->settings.bytes_per_rank, &r->ranks_of_grid[g]);
    }
    rl_free(n_cases);
    return status;
}

static bool on_grid(const rl_run *r, int64_t curve) {
    return rl_way_on_grid(r->plan->grids[r->plan->curves[curve].grid].way);
}

/* ---- pieces of work ---------------------------------------------------------------------------------------------- */

/* How many curves from `first` of the order on may go together: repeats of one kind side by side, as long as there is
 * something for every rank and a message stays small. */
static int64_t most_together(const rl_run *r, const rl_lane *lane, int64_t first) {
    enum { MESSAGE_DOUBLES = 1 << 22 };
    const int grid = r->plan->curves[lane->order[first].curve].grid;
    const int64_t share = (lane->n_curves + r->context->size - 1) / r->context->size;
    if (r->plan->grids[grid].way != RL_WAY_BULK || r->plan->grids[grid].spec->keep.summary) return 1;
    const int64_t fitting = MESSAGE_DOUBLES / (int64_t)rl_record_layout_of(r->plan, grid).length;
    const int64_t most = share < RL_BULK_LANES ? share : RL_BULK_LANES;
    return fitting < most ? (fitting > 1 ? fitting : 1) : most;
}

static bool go_together(const rl_run *r, const rl_lane *lane, int64_t i, int64_t j) {
    const rl_todo_item *a = &lane->order[i], *b = &lane->order[j];
    return r->plan->curves[a->curve].grid == r->plan->curves[b->curve].grid && a->selection == b->selection;
}

static void cut(const rl_run *r, rl_lane *lane) {
    for (int64_t i = 0; i < lane->n_curves;) {
        const int64_t most = most_together(r, lane, i);
        lane->first[lane->total++] = i;
        int64_t end = i + 1;
        while (end < lane->n_curves && end - i < most && go_together(r, lane, i, end)) end++;
        i = end;
    }
    lane->first[lane->total] = lane->n_curves;
}

static rl_status sort_todo(rl_run *r, const rl_todo *todo) {
    listed *list = NULL;
    RL_TRY(RL_ALLOC(list, r->n));
    for (int64_t i = 0; i < r->n; i++) {
        const bool by_cost = r->settings.schedule == RL_SCHEDULE_DYNAMIC;
        const rl_todo_item *item = &todo->items[i];
        const rl_curve *c = &r->plan->curves[item->curve];
        list[i] = (listed){.ranks = on_grid(r, item->curve) ? r->ranks_of_grid[c->grid] : 0,
                           .cost = by_cost ? r->plan->cost[item->curve] / c->n_repeats * item->repeats.n : 0,
                           .item = *item};
    }
    if (r->n > 0) qsort(list, (size_t)r->n, sizeof *list, compare);
    for (int64_t i = 0; i < r->n; i++) {
        rl_lane *lane = &r->lanes[list[i].ranks > 0 ? RL_LANE_GRID : RL_LANE_ALONE];
        lane->order[lane->n_curves++] = list[i].item;
    }
    rl_free(list);
    for (int l = 0; l < RL_N_LANES; l++) cut(r, &r->lanes[l]);
    return RL_OK;
}

static rl_status share(const rl_run *r, void *array, int64_t n, size_t size) {
    return rl_broadcast(r->context, array, (size_t)n * size);
}

static rl_status share_settings(rl_run *r) {
    rl_guard *const guard = r->settings.guard; /* each rank has its own */
    RL_TRY(share(r, &r->settings, 1, sizeof r->settings));
    r->settings.guard = guard;
    return RL_OK;
}

static rl_status share_order(const rl_run *r, rl_lane *lane) {
    RL_TRY(share(r, &lane->total, 1, sizeof lane->total));
    RL_TRY(share(r, &lane->n_curves, 1, sizeof lane->n_curves));
    RL_TRY(share(r, lane->first, lane->total + 1, sizeof *lane->first));
    return share(r, lane->order, lane->n_curves, sizeof *lane->order);
}

/* Rank 0's selections, each once, to all. */
static rl_status share_selections(rl_run *r, const rl_todo *todo) {
    const bool root = r->context->rank == 0;
    int counts[2] = {root ? todo->n_selections : 0, root ? todo->stride : 0};
    RL_TRY(share(r, counts, 2, sizeof *counts));
    const int64_t n = (int64_t)counts[0] * counts[1];
    r->sizes = (rl_todo){.n_selections = counts[0], .stride = counts[1]};
    RL_TRY(rl_context_agree(r->context, RL_ALLOC(r->sizes.selections, n)));
    if (root && n > 0) memcpy(r->sizes.selections, todo->selections, (size_t)n * sizeof *todo->selections);
    return share(r, r->sizes.selections, n, sizeof *r->sizes.selections);
}

const bool *rl_wanted_at(const rl_run *r, const rl_lane *lane, int64_t position) {
    const int selection = rl_items_at(lane, position)->selection;
    return selection == RL_ALL_SIZES ? NULL : r->sizes.selections + (size_t)selection * (size_t)r->sizes.stride;
}

rl_status rl_share_todo(rl_run *r, const rl_todo *todo) {
    const bool root = r->context->rank == 0;
    r->n = root ? todo->n : 0;
    r->n_repeated = root ? todo->n_curves : 0;
    RL_TRY(share(r, &r->n, 1, sizeof r->n));
    RL_TRY(share_settings(r));
    rl_status status = RL_ALLOC(r->ranks_of_grid, r->plan->n_grids);
    for (int l = 0; l < RL_N_LANES && status == RL_OK; l++) {
        status = RL_ALLOC(r->lanes[l].order, r->n);
        if (status == RL_OK) status = RL_ALLOC(r->lanes[l].first, r->n + 1);
    }
    if (status == RL_OK && root) status = choose_ranks(r, todo->items);
    if (status == RL_OK && root) status = sort_todo(r, todo);
    RL_TRY(rl_context_agree(r->context, status));
    RL_TRY(share(r, r->ranks_of_grid, r->plan->n_grids, sizeof *r->ranks_of_grid));
    for (int l = 0; l < RL_N_LANES; l++) RL_TRY(share_order(r, &r->lanes[l]));
    return share_selections(r, todo);
}

/* ---- phases ------------------------------------------------------------------------------------------------------ */

rl_team rl_team_of(const rl_run *r, int rank) {
    const rl_phase *p = &r->phase;
    const int grouped = p->n_groups * p->ranks_per_case;
    if (rank >= grouped) return (rl_team){.lane = RL_LANE_ALONE, .index = rank - grouped, .leads = true};
    return (rl_team){.lane = RL_LANE_GRID, .index = rank / p->ranks_per_case, .leads = rank % p->ranks_per_case == 0};
}

static rl_status make_group(rl_run *r) {
    const bool grouped = r->team.lane == RL_LANE_GRID;
    MPI_Comm comm;
    RL_MPI(MPI_Comm_split(r->context->comm, grouped ? r->team.index : MPI_UNDEFINED, r->context->rank, &comm));
    if (!grouped) return RL_OK;
    const rl_status status = rl_process_grid_create(comm, 0, 0, &r->grid);
    MPI_Comm_free(&comm);
    return status;
}

static rl_status note_grouping(rl_run *r) {
    rl_run_summary *s = r->summary;
    rl_grouping *grown = NULL;
    RL_TRY(RL_ALLOC(grown, s->n_groupings + 1));
    if (s->n_groupings > 0) memcpy(grown, s->groupings, sizeof *grown * (size_t)s->n_groupings);
    rl_free(s->groupings);
    s->groupings = grown;
    grown[s->n_groupings++] = (rl_grouping){.ranks_per_case = r->phase.ranks_per_case,
                                            .n_groups = r->phase.n_groups,
                                            .n_rows = r->grid->n_rows,
                                            .n_columns = r->grid->n_columns,
                                            .n_left_over = r->lanes[RL_LANE_ALONE].n_teams};
    return RL_OK;
}

/* Groups of `ranks` ranks, 0: none. What is left of the other lane's curves stays for the next phase. */
static rl_status begin_phase(rl_run *r, int ranks) {
    const int size = r->context->size;
    rl_lane *const alone = &r->lanes[RL_LANE_ALONE];
    r->phase = (rl_phase){.ranks_per_case = ranks, .n_groups = ranks > 0 ? size / ranks : 0};
    r->lanes[RL_LANE_GRID].n_teams = r->phase.n_groups;
    r->lanes[RL_LANE_GRID].next = r->lanes[RL_LANE_GRID].start;
    alone->n_teams = size - r->phase.n_groups * ranks;
    alone->start = alone->next;
    alone->end = alone->total;
    RL_MPI(MPI_Bcast(&alone->start, 1, MPI_INT64_T, 0, r->context->comm));
    r->team = rl_team_of(r, r->context->rank);
    rl_status status = rl_context_agree(r->context, make_group(r));
    if (status == RL_OK && r->context->rank == 0 && ranks > 0) status = note_grouping(r);
    if (status == RL_OK) status = rl_task_create(r->plan, r->grid, &r->task);
    return rl_context_agree(r->context, status);
}

static void end_phase(rl_run *r) {
    rl_task_destroy(r->task);
    rl_process_grid_destroy(r->grid);
    r->task = NULL;
    r->grid = NULL;
}

static rl_status run_phase(rl_run *r, int ranks, rl_status (*work)(rl_run *r)) {
    rl_status status = begin_phase(r, ranks);
    if (status == RL_OK) status = work(r);
    end_phase(r);
    return status;
}

static int ranks_of(const rl_run *r, int64_t curve) {
    return r->ranks_of_grid[r->plan->curves[curve].grid];
}

rl_status rl_run_phases(rl_run *r, rl_status (*work)(rl_run *r)) {
    rl_lane *const grid = &r->lanes[RL_LANE_GRID];
    for (grid->start = 0; grid->start < grid->total; grid->start = grid->end) {
        const int ranks = ranks_of(r, rl_items_at(grid, grid->start)->curve);
        for (grid->end = grid->start;
             grid->end < grid->total && ranks_of(r, rl_items_at(grid, grid->end)->curve) == ranks;)
            grid->end++;
        RL_TRY(run_phase(r, ranks, work));
        RL_TRY(rl_agree_to_stop(r, r->context->comm));
        if (r->stop != RL_STOP_NONE) return RL_OK;
    }
    grid->start = grid->end = grid->total;
    return run_phase(r, 0, work);
}
