/* `run`, `retry` and `assemble`: what a study lacks is computed, or also what failed, where another try may change
 * that, or nothing more; and its results file is written. */
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* What there is in the journal of all series whose pieces people call the same, like curves. */
typedef struct noun {
    const rl_kind *kind; /* the first of them */
    rl_tally tally;
} noun;
enum { MOST_NOUNS = 16, TEXT = 256 };

/* A run; but for the first two and what is shared, on rank 0. */
typedef struct work {
    const rl_settings *settings;
    const rl_context *context;
    rl_prepared prepared;
    _Atomic(rl_journal *) journal; /* also read by the guard's thread */
    bool journal_failed;           /* it is only to be closed */
    rl_progress progress;
    rl_todo todo;
    noun nouns[MOST_NOUNS]; /* in the order of the plan; see count_nouns */
    int n_nouns;
    time_t started;
    rl_run_summary summary;
    rl_text hosts;
    double prepare_seconds; /* until the ranks start to compute */
} work;

/* ---- what there is ----------------------------------------------------------------------------------------------- */

static noun *find_noun(work *w, const rl_kind *kind) {
    int i = 0;
    while (i < w->n_nouns && strcmp(w->nouns[i].kind->pieces, kind->pieces) != 0) i++;
    if (i == w->n_nouns && w->n_nouns + 1 < MOST_NOUNS) w->nouns[w->n_nouns++] = (noun){.kind = kind};
    return &w->nouns[i];
}

static void add_tally(rl_tally *sum, const rl_tally *t) {
    sum->pieces += t->pieces;
    sum->done += t->done;
    sum->begun += t->begun;
    sum->points += t->points;
    sum->points_done += t->points_done;
    sum->points_missing += t->points_missing;
    sum->points_failed += t->points_failed;
}

/* Whether a piece is but one point, like a training, so that there is no more to count. */
static bool is_point(const rl_kind *kind) {
    return strcmp(kind->piece, kind->point) == 0;
}

/* As the journal stands. */
static void count_nouns(work *w) {
    const rl_plan *plan = &w->prepared.plan;
    w->n_nouns = 0;
    for (int i = 0, end; i < plan->n_series; i = end) {
        end = rl_plan_end_of_group(plan, i);
        const rl_tally t = rl_journal_tally(w->journal, plan, i, end);
        add_tally(&find_noun(w, plan->series[i].kind)->tally, &t);
    }
}

/* Appends to text[TEXT], behind " and " where there is something already. */
static void join(char *text, const char *format, ...) RL_PRINTF(2);
static void join(char *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t length = strlen(text);
    if (length > 0) length += (size_t)snprintf(text + length, TEXT - length, " and ");
    if (length < TEXT) vsnprintf(text + length, TEXT - length, format, arguments);
    va_end(arguments);
}

/* ---- what rank 0 keeps ------------------------------------------------------------------------------------------- */

/* The first point that failed is the end of a run with --fail-fast. */
static rl_status check_record(const rl_plan *plan, int64_t task, const rl_record *record) {
    const rl_kind *kind = plan->series[plan->tasks[task].series].kind;
    char text[TEXT], complaint[TEXT];
    if (record->step != RL_FINISHED || rl_record_failed(kind, record) == 0) return RL_OK;
    rl_plan_text(plan, task, text, sizeof text);
    kind->complaint(record, complaint, sizeof complaint);
    return rl_fail(RL_ERR_CELLS, "%s: %s; without --fail-fast the run goes on", text, complaint);
}

static rl_status keep_record(void *state, int64_t task, const rl_record *record) {
    work *w = state;
    if (w->journal_failed) return RL_OK; /* which ends the run already */
    const rl_status status = rl_journal_append(w->journal, task, record);
    w->journal_failed = status != RL_OK;
    return status == RL_OK && w->settings->fail_fast ? check_record(&w->prepared.plan, task, record) : status;
}

static rl_status take_state(void *bytes, const rl_record *record, const int *target) {
    (void)target;
    return record->step == RL_FINISHED ? RL_OK : rl_record_append(record, bytes);
}

static rl_status find_state(void *state, int64_t task, rl_text *bytes, bool *there) {
    const size_t before = bytes->length;
    const rl_status status = rl_journal_visit(((const work *)state)->journal, task, take_state, bytes);
    *there = bytes->length > before;
    return status;
}

static void pass_time(void *state, int64_t done, int64_t total, double part) {
    rl_progress_show(&((work *)state)->progress, done, total, part);
}

/* In the guard's thread. */
static void save_journal(void *state, bool now) {
    rl_journal *journal = ((work *)state)->journal;
    if (journal != NULL) rl_journal_sync(journal, now);
}

/* ---- the start --------------------------------------------------------------------------------------------------- */

static void tell_of_noun(const noun *n) {
    const rl_kind *kind = n->kind;
    if (n->tally.done > 0)
        rl_info("%lld of %lld %s are in the journal already", (long long)n->tally.done, (long long)n->tally.pieces,
                kind->pieces);
    if (n->tally.begun > 0)
        rl_info("%lld %s(s) %s", (long long)n->tally.begun, kind->piece,
                kind->restorable ? "go on from where they were left" : "are there in part");
}

static void tell_what_is_there(work *w, int64_t n_retried) {
    count_nouns(w);
    for (int i = 0; i < w->n_nouns; i++) tell_of_noun(&w->nouns[i]);
    for (int i = 0; i < w->n_nouns && w->settings->command == RL_RETRY; i++) {
        const noun *n = &w->nouns[i];
        if (n->kind->lasting == NULL) continue;
        rl_info("%lld failed %s are done again", (long long)n_retried, n->kind->points);
        if (n_retried < n->tally.points_failed)
            rl_info("%lld more %s", (long long)(n->tally.points_failed - n_retried), n->kind->lasting);
    }
}

static rl_status open_journal(work *w) {
    const char *output = w->prepared.output;
    rl_journal *journal;
    RL_TRY(rl_journal_open(output, &w->prepared.plan, w->settings->command == RL_ASSEMBLE, &journal));
    w->journal = journal;
    if (journal != NULL) return RL_OK;
    return rl_fail(RL_ERR_INPUT,
                   "%s.journal: is not there: nothing of the study is done; expected one of `ridgeless run`", output);
}

/* The rate that is shown is of cells, where a piece is more than one of its points. */
static void start_progress(work *w) {
    const rl_count n = rl_todo_count(&w->todo, &w->prepared.plan);
    char pieces[TEXT] = "";
    for (int i = 0; i < w->n_nouns; i++) join(pieces, "%s", w->nouns[i].kind->pieces);
    const bool rate = w->n_nouns == 1 && n.pieces > 0 && !is_point(w->nouns[0].kind);
    rl_progress_start(&w->progress, pieces, rate ? (double)n.cells / (double)n.pieces : 0, w->settings->quiet);
}

/* Everything that can be wrong with the input is found here, before any rank starts to work. */
static rl_status prepare_work(work *w) {
    w->started = time(NULL);
    RL_TRY(rl_prepare(w->settings, 0, &w->prepared));
    for (int i = 0; i < w->prepared.plan.n_datasets; i++) {
        const rl_dataset *data = &w->prepared.plan.datasets[i];
        rl_debug("%s: %d rows, %d features, from %s", data->name, data->n_rows, data->n_features, data->origin);
    }
    int64_t n_retried = 0;
    if (w->settings->fresh) RL_TRY(rl_results_discard(w->prepared.output));
    RL_TRY(rl_results_check_output(w->prepared.output, &w->prepared.plan));
    RL_TRY(open_journal(w));
    RL_TRY(rl_todo_create(&w->prepared.plan, &w->todo));
    if (w->settings->command != RL_ASSEMBLE)
        RL_TRY(rl_list_missing(&w->prepared.plan, w->journal, w->settings->command == RL_RETRY, &w->todo, &n_retried));
    tell_what_is_there(w, n_retried);
    start_progress(w);
    return RL_OK;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

/* Who worked together on the large cases. */
static void print_groupings(const work *w) {
    for (int i = 0; i < w->summary.n_groupings; i++) {
        const rl_grouping *g = &w->summary.groupings[i];
        rl_info("  %lld case(s) on %d process grid(s) of %d rank(s), %d x %d", (long long)g->pieces, g->n_groups,
                g->ranks_per_case, g->n_rows, g->n_columns);
        if (g->n_left_over > 0 && g->left_over_pieces > 0)
            rl_info("  %d rank(s) left over did %lld other %s meanwhile", g->n_left_over,
                    (long long)g->left_over_pieces, w->progress.pieces);
        else if (g->n_left_over > 0)
            rl_info("  %d rank(s) left over were idle meanwhile", g->n_left_over);
    }
}

static void print_shares(const work *w) {
    char time_text[32], memory[32];
    if (w->context->size == 1 && w->summary.n_groupings == 0) return;
    for (int i = 0; i < w->context->size; i++) {
        const rl_rank_share *share = &w->summary.shares[i];
        rl_info("  rank %d: %lld %s, busy %s, at most %s of memory", i, (long long)share->pieces, w->progress.pieces,
                rl_time_text(share->busy_seconds, time_text), rl_bytes_text(share->peak_memory, memory));
    }
}

static void print_done(const work *w, const rl_done *done) {
    const rl_run_summary *summary = &w->summary;
    const double cells = (double)done->count.cells;
    char time_text[32];
    rl_time_text(summary->seconds, time_text);
    if (is_point(done->kind))
        rl_info("%lld %s(s) on %d rank(s) in %s, load imbalance %.2f", (long long)done->count.points, done->kind->piece,
                w->context->size, time_text, summary->imbalance);
    else
        rl_info("%.0f cells from %lld %s on %d rank(s) in %s: %.3g cells/s, load imbalance %.2f", cells,
                (long long)done->count.points, done->kind->points, w->context->size, time_text,
                summary->seconds > 0 ? cells / summary->seconds : 0, summary->imbalance);
}

static void print_summary(const work *w) {
    bool any = false;
    for (int i = 0; i < w->summary.n_done; i++) {
        if (w->summary.done[i].count.points == 0) continue;
        print_done(w, &w->summary.done[i]);
        any = true;
    }
    if (!any) return;
    print_groupings(w);
    print_shares(w);
}

/* How the study stands. */
static rl_status judge_study(work *w) {
    const char *output = w->prepared.output;
    char missing[TEXT] = "";
    count_nouns(w);
    for (int i = 0; i < w->n_nouns; i++) {
        const rl_tally *t = &w->nouns[i].tally;
        if (t->points_missing > 0)
            join(missing, "%lld of %lld %s", (long long)t->points_missing, (long long)t->points,
                 w->nouns[i].kind->points);
    }
    if (missing[0] != '\0')
        return rl_fail(RL_STOPPED, "%s: %s are missing; `ridgeless run` computes them", output, missing);
    for (int i = 0; i < w->n_nouns; i++) {
        const rl_tally *t = &w->nouns[i].tally;
        if (t->points_failed > 0)
            return rl_fail(RL_ERR_CELLS, "%s: %lld of %lld %s %s", output, (long long)t->points_failed,
                           (long long)t->points, w->nouns[i].kind->points, w->nouns[i].kind->fate);
    }
    return RL_OK;
}

static rl_status write_results(const work *w) {
    const rl_run_report report = {.settings = w->settings,
                                  .context = w->context,
                                  .plan = &w->prepared.plan,
                                  .started = w->started,
                                  .hosts = w->hosts.bytes,
                                  .summary = &w->summary};
    rl_provenance provenance = {0};
    rl_status status = rl_make_provenance(&report, &provenance);
    if (status == RL_OK) status = rl_results_write(w->prepared.output, report.plan, w->journal, &provenance);
    rl_provenance_destroy(&provenance);
    return status;
}

static void tell_seconds(const work *w, double writing) {
    char start[32], prepare[32], compute[32], write[32];
    rl_debug("start of MPI %s, data sets, plan and journal %s, computing %s, results file %s",
             rl_time_text(w->context->start_seconds, start), rl_time_text(w->prepare_seconds, prepare),
             rl_time_text(w->summary.seconds, compute), rl_time_text(writing, write));
}

static rl_status finish_study(work *w) {
    const char *output = w->prepared.output;
    const double began = rl_seconds();
    rl_progress_end(&w->progress);
    print_summary(w);
    if (w->todo.n == 0 && rl_results_are_current(output, &w->prepared.plan, w->journal))
        rl_info("%s has all that is in the journal", output);
    else
        RL_TRY(write_results(w));
    tell_seconds(w, rl_seconds() - began);
    printf("%s\n", output);
    return judge_study(w);
}

/* Why a run ended early, and what comes next. */
static rl_status report_stop(work *w) {
    char reason[TEXT] = "stopped by a signal to another rank:", done[TEXT] = "", begun[TEXT] = "";
    const rl_kind *missing = NULL;
    count_nouns(w);
    for (int i = 0; i < w->n_nouns; i++) {
        const rl_tally *t = &w->nouns[i].tally;
        const rl_kind *kind = w->nouns[i].kind;
        if (missing == NULL && t->done < t->pieces) missing = kind;
        join(done, "%lld of %lld %s", (long long)t->done, (long long)t->pieces, kind->pieces);
        if (kind->restorable && t->begun > 0)
            snprintf(begun, sizeof begun, ", and %lld are begun and kept as they were", (long long)t->begun);
    }
    if (rl_stop_signal() != NULL)
        snprintf(reason, sizeof reason, "stopped by %s:", rl_stop_signal());
    else if (isfinite(w->settings->time_left))
        snprintf(reason, sizeof reason, "stopped: no other %s would have ended in the time left;",
                 missing != NULL ? missing->piece : "piece");
    return rl_fail(RL_STOPPED, "%s %s are done%s; run again to go on", reason, done, begun);
}

/* Computes and writes what there is to write. */
static rl_status compute_study(work *w, const rl_run_settings *run) {
    const rl_sink sink = {.record = keep_record, .restore = find_state, .progress = pass_time, .state = w};
    const bool first = w->context->rank == 0;
    rl_status status = rl_parallel_run(w->context, &w->prepared.plan, &w->todo, run, &sink, &w->summary);
    const bool stopped = status == RL_STOPPED;
    if (stopped || status == RL_OK) status = rl_context_hosts(w->context, &w->hosts);
    rl_guard_doing(run->guard, "writing the results file");
    if (status == RL_OK && first) status = finish_study(w);
    if (status == RL_STOPPED && stopped && first) status = report_stop(w);
    return rl_context_agree(w->context, status);
}

static rl_status run_study(work *w, rl_guard *guard) {
    const double began = rl_seconds();
    rl_run_settings run;
    RL_TRY(rl_context_agree(w->context, w->context->rank == 0 ? prepare_work(w) : RL_OK));
    RL_TRY(rl_share_prepared(w->settings, w->context, &w->prepared, &run));
    w->prepare_seconds = rl_seconds() - began;
    run.guard = guard;
    return compute_study(w, &run);
}

rl_status rl_command_run(rl_settings *settings, const rl_context *context) {
    work w = {.settings = settings, .context = context};
    rl_guard *guard = NULL;
    rl_status status = rl_guard_start(context, save_journal, &w, &guard);
    if (status == RL_OK) status = run_study(&w, guard);
    rl_guard_stop(guard);
    rl_progress_end(&w.progress);
    const rl_status closed = w.journal != NULL ? rl_journal_close(w.journal) : RL_OK;
    if (status == RL_OK) status = closed;
    rl_run_summary_destroy(&w.summary);
    rl_free(w.hosts.bytes);
    rl_todo_destroy(&w.todo);
    rl_prepared_destroy(&w.prepared);
    return status;
}
