/* What all that remains of a plan takes on so many ranks: by the clock, and in memory. */
#include <math.h>
#include <string.h>

#include "ridgeless/advice.h"

/* What remains of one part of a series, whose tasks cost the same, repeat by repeat. */
typedef struct rl_rest {
    int64_t n_tasks, n_repeats;
    int longest, longest_of_all; /* repeats of a task: of those that remain, and of all */
} rl_rest;

/* ---- what remains ------------------------------------------------------------------------------------------------ */

static void note_task(rl_outlook *o, rl_rest *rest, int64_t i, bool done) {
    const rl_task *task = &o->plan->tasks[i];
    const double bytes = rl_kept_bytes(&o->plan->series[task->series], task);
    o->results += bytes;
    if (task->repeats.n > rest->longest_of_all) rest->longest_of_all = task->repeats.n;
    if (done) return;
    o->journal += bytes;
    o->n_records++;
    rest->n_tasks++;
    rest->n_repeats += task->repeats.n;
    if (task->repeats.n > rest->longest) rest->longest = task->repeats.n;
}

rl_status rl_outlook_create(const rl_plan *plan, const bool *done, const rl_rates *rates, rl_nodes nodes,
                            rl_outlook *outlook) {
    int n_parts = 0;
    *outlook = (rl_outlook){.plan = plan, .rates = rates, .nodes = nodes};
    for (int s = 0; s < plan->n_series; s++) n_parts += plan->series[s].n_parts;
    while (outlook->n_of_data < plan->n_series && plan->series[outlook->n_of_data].spec != NULL) outlook->n_of_data++;
    for (int s = 0; s < plan->n_series; s = rl_plan_end_of_group(plan, s)) outlook->n_groups++;
    RL_TRY(RL_ALLOC(outlook->rests, n_parts));
    rl_rest *rests = outlook->rests;
    for (int s = 0; s < plan->n_series; rests += plan->series[s++].n_parts) {
        const int64_t first = plan->series[s].first_task;
        for (int64_t i = first; i < rl_plan_end_of_tasks(plan, s); i++)
            note_task(outlook, &rests[(i - first) % plan->series[s].n_parts], i, done != NULL && done[i]);
    }
    return RL_OK;
}

void rl_outlook_destroy(rl_outlook *outlook) {
    rl_free(outlook->rests);
    *outlook = (rl_outlook){0};
}

/* ---- one series -------------------------------------------------------------------------------------------------- */

static void add_part(const rl_outlook *o, int64_t task, const rl_rest *rest, rl_series_estimate *s) {
    const rl_task_cost cost = rl_predict_task(o->plan, task, s->ranks, o->rates);
    const double a_repeat = cost.seconds / o->plan->tasks[task].repeats.n;
    s->bytes = fmax(s->bytes, cost.bytes);
    s->seconds_case = fmax(s->seconds_case, a_repeat * rest->longest_of_all);
    s->longest = fmax(s->longest, a_repeat * rest->longest);
    s->sum += a_repeat * (double)rest->n_repeats;
    for (int b = 0; b < RL_N_CASE_BOUNDS; b++)
        s->bounds[b] += cost.bounds[b] / o->plan->tasks[task].repeats.n * (double)rest->n_repeats;
}

/* Groups side by side take at least the time of the costliest task. */
static rl_status estimate_series(const rl_outlook *o, int index, const rl_rest *rests, int ranks, double bytes_per_rank,
                                 rl_series_estimate *s) {
    const rl_series *series = &o->plan->series[index];
    *s = (rl_series_estimate){.fewest = 1};
    for (int part = 0; part < series->n_parts; part++) s->n_remaining += rests[part].n_tasks;
    if (series->on_grid) RL_TRY(rl_fewest_ranks(series, bytes_per_rank, &s->fewest));
    RL_TRY(rl_choose_ranks(series, s->n_remaining, ranks, bytes_per_rank, &s->ranks));
    s->n_groups = ranks / s->ranks;
    for (int part = 0; part < series->n_parts; part++) add_part(o, series->first_task + part, &rests[part], s);
    const int64_t busy = s->n_groups < s->n_remaining ? s->n_groups : s->n_remaining;
    if (busy > 0) s->seconds = fmax(s->sum / (double)busy, s->longest);
    return RL_OK;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

/* Rank 0 writes when it has computed. */
static void add_memory(const rl_outlook *o, double on_grid, rl_estimate *e) {
    const rl_overheads *more = &o->overheads;
    const double work = on_grid + (double)o->plan->memory_of_work + more->each;
    const double always = o->rates->process + (double)(o->plan->memory_per_rank - o->plan->memory_of_work);
    e->other_bytes = always + work;
    e->working_bytes = always + more->keeping + work;
    e->bytes = fmax(e->working_bytes, always + more->keeping + more->writing + (e->ranks > 1 ? more->sharing : 0));
}

static rl_status check_memory(const rl_outlook *o, const rl_estimate *e) {
    const double gib = 1 << 30;
    if (e->bytes <= o->nodes.bytes) return RL_OK;
    return rl_fail(
        RL_ERR_INPUT,
        "%s: rank 0 takes %.3g GiB to compute, to keep what is done and to write the results file, and there "
        "are %.3g GiB; ask for fewer `repeats`, or for `keep: summary`, or use nodes with more memory",
        o->plan->study->path, e->bytes / gib, o->nodes.bytes / gib);
}

/* The series of data sets come one after the other; all trainings go side by side, and take no less than the longest.
 */
static rl_status estimate_computing(const rl_outlook *o, rl_estimate *e) {
    const int here = e->ranks < o->nodes.cores ? e->ranks : o->nodes.cores;
    const rl_rest *rests = o->rests;
    double longest = 0, on_grid = 0;
    for (int i = 0; i < o->plan->n_series; rests += o->plan->series[i++].n_parts) {
        rl_series_estimate *s = &e->series[i];
        RL_TRY(estimate_series(o, i, rests, e->ranks, o->nodes.bytes / here, s));
        for (int b = 0; b < RL_N_CASE_BOUNDS; b++) e->bounds[b] += s->bounds[b] / s->n_groups;
        if (o->plan->series[i].on_grid) on_grid = fmax(on_grid, s->bytes);
        if (i < o->n_of_data) {
            e->computing += s->seconds;
        } else {
            e->trainings += s->sum / s->n_groups;
            longest = fmax(longest, s->longest);
        }
    }
    add_memory(o, on_grid, e);
    e->trainings = fmax(e->trainings, longest);
    e->computing += e->trainings;
    return RL_OK;
}

/* Groups that have no task any more wait for the others. Where rank 0 takes longer than all computing, that is hidden
 * behind it. */
static void find_bounds(rl_estimate *e) {
    double at_work = 0;
    const bool hidden = e->keeping > e->computing + e->keeping / e->ranks;
    for (int b = 0; b < RL_N_CASE_BOUNDS; b++) {
        at_work += e->bounds[b];
        if (hidden) e->bounds[b] = 0;
    }
    e->bounds[RL_BOUND_TASKS] = hidden ? 0 : fmax(0, e->computing - at_work);
    e->bounds[RL_BOUND_RANK_0] = hidden ? e->keeping : e->keeping / e->ranks;
    e->bounds[RL_BOUND_FILE] = e->writing;
    e->bounds[RL_BOUND_START] = e->starting;
}

/* Rank 0 keeps what all compute, and computes itself meanwhile as far as that leaves it the time. */
static void add_up(const rl_outlook *o, rl_estimate *e) {
    const rl_rates *r = o->rates;
    const double messages = e->ranks > 1 ? 2 * o->n_records * r->message : 0;
    e->starting = e->ranks > 1 ? r->launch : r->start;
    e->keeping = o->journal / r->journal + o->n_records * r->record + messages;
    e->writing = o->n_groups * r->group + o->results / r->results;
    find_bounds(e);
    e->seconds = e->starting + fmax(e->computing + e->keeping / e->ranks, e->keeping) + e->writing;
}

rl_status rl_estimate_create(const rl_outlook *outlook, int ranks, rl_estimate *estimate) {
    const int cores = outlook->nodes.cores;
    *estimate = (rl_estimate){.ranks = ranks, .nodes = (ranks + cores - 1) / cores};
    rl_status status = RL_ALLOC(estimate->series, outlook->plan->n_series);
    if (status == RL_OK) status = estimate_computing(outlook, estimate);
    if (status == RL_OK) status = check_memory(outlook, estimate);
    if (status == RL_OK)
        add_up(outlook, estimate);
    else
        rl_estimate_destroy(estimate);
    return status;
}

void rl_estimate_destroy(rl_estimate *estimate) {
    rl_free(estimate->series);
    *estimate = (rl_estimate){0};
}
