/* A run from its start to its summary. */
#include <math.h>

#include "dispatch.h"

const char *rl_schedule_name(rl_schedule schedule) {
    static const char *const names[] = {"dynamic", "static", "cyclic"};
    return (size_t)schedule < sizeof names / sizeof *names ? names[schedule] : NULL;
}

const char *rl_order_name(rl_order order) {
    static const char *const names[] = {NULL, "given", "costly-first", "cheap-first"};
    return (size_t)order < sizeof names / sizeof *names ? names[order] : NULL;
}

rl_order rl_order_under(rl_schedule schedule, rl_order asked) {
    if (asked != RL_ORDER_USUAL) return asked;
    return schedule == RL_SCHEDULE_DYNAMIC ? RL_ORDER_COSTLY_FIRST : RL_ORDER_GIVEN;
}

/* ---- what was done ----------------------------------------------------------------------------------------------- */

rl_done *rl_done_of(rl_run_summary *s, const rl_kind *kind) {
    rl_done *done = s->done;
    while (done->kind != rl_kind_noun(kind)) done++;
    return done;
}

int64_t rl_pieces_done(const rl_run_summary *s) {
    int64_t n = 0;
    for (int i = 0; i < s->n_done; i++) n += s->done[i].count.pieces;
    return n;
}

static rl_status gather_summary(rl_run *r, double seconds) {
    const rl_context *context = r->context;
    rl_run_summary *summary = r->summary;
    double sum = 0, largest = 0, processors = 0;
    summary->seconds = seconds;
    r->share.start_seconds = context->start_seconds;
    r->share.prepare_seconds = r->settings.prepare_seconds;
    r->share.peak_memory = rl_peak_memory();
    RL_TRY(rl_context_agree(context, rl_is_root(r) ? RL_ALLOC(summary->shares, context->size) : RL_OK));
    RL_MPI(
        MPI_Gather(&r->share, sizeof r->share, MPI_BYTE, summary->shares, sizeof r->share, MPI_BYTE, 0, context->comm));
    for (int i = 0; rl_is_root(r) && i < context->size; i++) {
        sum += summary->shares[i].busy_seconds;
        largest = fmax(largest, summary->shares[i].busy_seconds);
        processors += summary->shares[i].processor_seconds;
    }
    summary->processor_share = seconds > 0 ? processors / (seconds * context->size) : 0;
    summary->imbalance = sum > 0 ? largest * context->size / sum : 1;
    return RL_OK;
}

/* ---- a run ------------------------------------------------------------------------------------------------------- */

static int most_items(const rl_run *r) {
    int most = 1;
    for (int q = 0; q < RL_N_QUEUES; q++)
        for (int64_t i = 0; i < r->queues[q].n; i++)
            if (rl_n_items_at(&r->queues[q], i) > most) most = rl_n_items_at(&r->queues[q], i);
    return most;
}

/* A place for each noun of the plan's kinds. */
static rl_status make_counts(rl_run *r, const rl_todo *todo) {
    rl_run_summary *s = r->summary;
    RL_TRY(RL_ALLOC(s->done, r->plan->n_series));
    for (int i = 0; i < r->plan->n_series; i++) {
        rl_done *next = &s->done[s->n_done];
        next->kind = rl_kind_noun(r->plan->series[i].kind); /* which ends the search where there is none of the noun */
        if (rl_done_of(s, next->kind) != next) continue;
        next->todo = rl_todo_count(todo, r->plan, next->kind);
        s->n_done++;
    }
    return RL_OK;
}

static rl_status prepare_run(rl_run *r, const rl_todo *todo) {
    r->message.capacity = RL_NEWS_BYTES; /* a failure leaves room for its message */
    RL_TRY(RL_ALLOC(r->message.bytes, r->message.capacity));
    RL_TRY(RL_ALLOC(r->tasks, most_items(r)));
    if (!rl_is_root(r)) return RL_OK;
    r->total = rl_todo_count(todo, r->plan, NULL);
    RL_TRY(RL_ALLOC(r->stop_sent, r->context->size));
    RL_TRY(RL_ALLOC(r->under_way, r->context->size));
    RL_TRY(RL_ALLOC(r->paces, r->plan->n_series));
    RL_TRY(RL_ALLOC(r->summary->groupings, r->plan->n_series)); /* a phase is of some series, if it is on grids */
    if (r->n_items <= RL_TIMED_TASKS || r->settings.keep_times) RL_TRY(RL_ALLOC(r->summary->timed, r->n_items));
    return make_counts(r, todo);
}

static void release_run(rl_run *r) {
    rl_queues_destroy(r);
    rl_free(r->tasks);
    rl_free(r->message.bytes);
    rl_free(r->incoming.bytes);
    rl_free(r->arithmetic.bytes);
    rl_free(r->stop_sent);
    rl_free(r->under_way);
    rl_free(r->paces);
}

rl_status rl_parallel_run(const rl_context *context, const rl_plan *plan, const rl_todo *todo,
                          const rl_run_settings *settings, const rl_sink *sink, rl_run_summary *summary) {
    rl_run r = {.context = context, .plan = plan, .settings = *settings, .sink = sink, .summary = summary};
    const double start = rl_seconds(), processor_start = rl_processor_seconds();
    *summary = (rl_run_summary){.began = rl_clock_seconds()};
    rl_status status = rl_share_todo(&r, todo);
    rl_deadline_begin(&r);
    if (status == RL_OK) status = rl_context_agree(context, prepare_run(&r, todo));
    rl_guard_hold(r.settings.guard);
    if (status == RL_OK && rl_is_root(&r) && sink->begin != NULL) sink->begin(sink->state);
    rl_guard_release(r.settings.guard);
    if (status == RL_OK) status = rl_run_phases(&r);
    const double seconds = rl_seconds() - start;
    r.share.processor_seconds = rl_processor_seconds() - processor_start;
    const bool early = rl_is_root(&r) && rl_pieces_done(summary) < r.total.pieces;
    release_run(&r);
    RL_TRY(status);
    RL_TRY(gather_summary(&r, seconds));
    return rl_context_agree(context, early ? rl_fail(RL_STOPPED, "stopped early") : RL_OK);
}

void rl_run_summary_destroy(rl_run_summary *summary) {
    rl_free(summary->done);
    rl_free(summary->shares);
    rl_free(summary->groupings);
    rl_free(summary->timed);
    *summary = (rl_run_summary){0};
}
