#include <math.h>
#include <stdatomic.h>
#include <stdio.h>

#include "cli.h"

/* What a study is taken up for. All three end in a results file. */
typedef enum purpose {
    RUN,     /* what is missing */
    RETRY,   /* and what failed, where another try may change that */
    ASSEMBLE /* nothing more */
} purpose;

/* Rank 0's part of a run. */
typedef struct work {
    purpose purpose;
    rl_prepared prepared;
    _Atomic(rl_journal *) journal; /* also read by the guard's thread */
    rl_progress progress;
    rl_todo todo;
    int64_t *trainings; /* [n_trainings]: of autoencoders, to do */
    int64_t n_trainings;
    rl_training_summary trained;
    bool fail_fast;
    time_t started;
    double prepare_seconds; /* until the ranks start to compute */
} work;

static rl_status check_span(const rl_plan *plan, int64_t curve, const double *record, size_t length) {
    const rl_span span = rl_span_of(record, length);
    char text[200];
    if (span.n_failed == 0) return RL_OK;
    rl_curve_text(plan, curve, text, sizeof text);
    return rl_fail(RL_ERR_CELLS, "%s: %lld spectra could not be computed; without --fail-fast the run goes on", text,
                   (long long)span.n_failed);
}

/* The first spectrum that could not be computed is the end of a run with --fail-fast. */
static rl_status check_spectra(const rl_plan *plan, int64_t curve, const double *record, size_t length) {
    const rl_curve *c = &plan->curves[curve];
    const rl_record_layout layout = rl_record_layout_of(plan, c->grid);
    char text[200];
    if (plan->grids[c->grid].spec->keep.summary) return check_span(plan, curve, record, length);
    for (int i = 0; i < layout.n_sizes; i++) {
        const rl_cell_status status = rl_record_status(&layout, record, i);
        if (status == RL_CELL_DONE || status == RL_CELL_MISSING) continue;
        rl_curve_text(plan, curve, text, sizeof text);
        return rl_fail(RL_ERR_CELLS, "%s: no spectrum at N = %d: %s; without --fail-fast the run goes on", text,
                       plan->grids[c->grid].n_train[c->first_size + i], rl_cell_status_text(status));
    }
    return RL_OK;
}

static rl_status keep_record(void *state, int64_t curve, const double *record, size_t length) {
    const work *w = state;
    RL_TRY(rl_journal_append(w->journal, curve, record, length));
    return w->fail_fast ? check_spectra(&w->prepared.plan, curve, record, length) : RL_OK;
}

static void pass_time(void *state, int64_t done, int64_t total) {
    rl_progress_show(&((work *)state)->progress, done, total);
}

/* ---- trainings of autoencoders ----------------------------------------------------------------------------------- */

static rl_status keep_training(void *state, int64_t training, const double *record, size_t length) {
    const work *w = state;
    char text[200];
    RL_TRY(rl_journal_append_training(w->journal, training, record, length));
    if (!w->fail_fast || rl_journal_training_status(w->journal, training) != RL_TRAINING_DIVERGED) return RL_OK;
    rl_training_text(&w->prepared.plan, training, text, sizeof text);
    return rl_fail(RL_ERR_CELLS,
                   "%s: diverged: its losses or weights are not finite; without --fail-fast the run goes on", text);
}

static rl_status keep_state(void *state, int64_t training, const double *saved, size_t length) {
    return rl_journal_append_state(((const work *)state)->journal, training, saved, length);
}

static rl_status find_state(void *state, int64_t training, double *saved, bool *there) {
    const work *w = state;
    *there = rl_journal_training_step(w->journal, training) >= 0;
    return *there ? rl_journal_read_training(w->journal, training, saved) : RL_OK;
}

static void pass_training_time(void *state, int64_t done, int64_t total, double part) {
    rl_progress_show_part(&((work *)state)->progress, done, total, part);
}

static rl_status list_trainings(work *w) {
    const rl_plan *plan = &w->prepared.plan;
    RL_TRY(RL_ALLOC(w->trainings, plan->n_trainings));
    for (int64_t i = 0; i < plan->n_trainings && w->purpose != ASSEMBLE; i++)
        if (rl_journal_training_status(w->journal, i) == RL_TRAINING_MISSING) w->trainings[w->n_trainings++] = i;
    return RL_OK;
}

static void tell_trainings_there(const work *w) {
    const rl_training_tally t = rl_journal_tally_trainings(w->journal, &w->prepared.plan, -1);
    if (t.missing < t.trainings)
        rl_info("%lld of %lld trainings are in the journal already", (long long)(t.trainings - t.missing),
                (long long)t.trainings);
    if (t.begun > 0) rl_info("%lld training(s) go on from where they were left", (long long)t.begun);
}

static rl_status train(const rl_context *context, const rl_run_settings *run, double began, work *w) {
    const rl_training_sink sink = {
        .record = keep_training, .save = keep_state, .restore = find_state, .progress = pass_training_time, .state = w};
    rl_run_settings settings = *run;
    settings.seconds_left -= rl_seconds() - began;
    if (w->prepared.plan.n_trainings == 0) return RL_OK;
    if (context->rank == 0) rl_progress_start(&w->progress, 0, w->progress.silent);
    const rl_status status =
        rl_parallel_train(context, &w->prepared.plan, w->trainings, w->n_trainings, &settings, &sink, &w->trained);
    char time_text[32];
    if (context->rank == 0) rl_progress_end(&w->progress);
    if (context->rank == 0 && w->trained.n_trainings > 0)
        rl_info("%lld training(s) of autoencoders on %d rank(s) in %s", (long long)w->trained.n_trainings,
                context->size, rl_time_text(w->trained.seconds, time_text));
    return status;
}

/* ---- the start --------------------------------------------------------------------------------------------------- */

/* In the guard's thread. */
static void save(void *state, bool now) {
    rl_journal *journal = ((work *)state)->journal;
    if (journal != NULL) rl_journal_sync(journal, now);
}

static void tell_what_is_there(const work *w, int64_t n_retried) {
    const rl_tally t = rl_journal_tally(w->journal, &w->prepared.plan, -1);
    if (t.curves_done > 0)
        rl_info("%lld of %lld curves are in the journal already", (long long)t.curves_done, (long long)t.curves);
    if (t.curves_begun > 0) rl_info("%lld curve(s) are there in part", (long long)t.curves_begun);
    if (w->purpose != RETRY) return;
    rl_info("%lld failed spectra are done again", (long long)n_retried);
    if (n_retried < t.spectra_failed)
        rl_info("%lld more have only zeros for features, which no other try would change, or are counted in summaries",
                (long long)(t.spectra_failed - n_retried));
}

static rl_status open_journal(work *w) {
    const char *output = w->prepared.output;
    rl_journal *journal;
    RL_TRY(rl_journal_open(output, &w->prepared.plan, w->purpose == ASSEMBLE, &journal));
    w->journal = journal;
    if (journal != NULL) return RL_OK;
    return rl_fail(RL_ERR_INPUT,
                   "%s.journal: is not there: nothing of the study is done; expected one of `ridgeless run`", output);
}

/* Everything that can be wrong with the input is found here, before any rank starts to work. */
static rl_status prepare(const rl_settings *settings, work *w) {
    w->started = time(NULL);
    RL_TRY(rl_prepare(settings, 0, &w->prepared));
    for (int i = 0; i < w->prepared.plan.n_datasets; i++) {
        const rl_dataset *data = &w->prepared.plan.datasets[i];
        rl_debug("%s: %d rows, %d features, from %s", data->name, data->n_rows, data->n_features, data->origin);
    }
    int64_t n_retried = 0;
    if (settings->fresh) RL_TRY(rl_results_discard(w->prepared.output));
    RL_TRY(rl_results_check_output(w->prepared.output, &w->prepared.plan));
    RL_TRY(open_journal(w));
    RL_TRY(rl_todo_create(&w->prepared.plan, &w->todo));
    if (w->purpose != ASSEMBLE)
        RL_TRY(rl_list_missing(&w->prepared.plan, w->journal, w->purpose == RETRY, &w->todo, &n_retried));
    RL_TRY(list_trainings(w));
    tell_what_is_there(w, n_retried);
    tell_trainings_there(w);
    const double per_curve = w->todo.n > 0 ? (double)w->todo.n_cells / (double)w->todo.n_curves : 0;
    rl_progress_start(&w->progress, per_curve, settings->quiet);
    return RL_OK;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

/* Who worked together on the large cases. */
static void print_groupings(const rl_run_summary *summary) {
    for (int i = 0; i < summary->n_groupings; i++) {
        const rl_grouping *g = &summary->groupings[i];
        rl_info("  %lld case(s) on %d process grid(s) of %d rank(s), %d x %d", (long long)g->curves, g->n_groups,
                g->ranks_per_case, g->n_rows, g->n_columns);
        if (g->n_left_over > 0 && g->left_over_curves > 0)
            rl_info("  %d rank(s) left over did %lld other curves meanwhile", g->n_left_over,
                    (long long)g->left_over_curves);
        else if (g->n_left_over > 0)
            rl_info("  %d rank(s) left over were idle meanwhile", g->n_left_over);
    }
}

static void print_shares(const rl_context *context, const rl_run_summary *summary) {
    char time_text[32], memory[32];
    for (int i = 0; i < context->size; i++)
        if (context->size > 1 || summary->n_groupings > 0)
            rl_info("  rank %d: %lld curves, busy %s, at most %s of memory", i, (long long)summary->shares[i].curves,
                    rl_time_text(summary->shares[i].busy_seconds, time_text),
                    rl_bytes_text(summary->shares[i].peak_memory, memory));
}

static void print_summary(const rl_context *context, const rl_run_summary *summary) {
    const double cells = (double)summary->n_cells;
    char time_text[32];
    if (summary->n_spectra == 0) return;
    rl_info("%.0f cells from %lld spectra on %d rank(s) in %s: %.3g cells/s, load imbalance %.2f", cells,
            (long long)summary->n_spectra, context->size, rl_time_text(summary->seconds, time_text),
            summary->seconds > 0 ? cells / summary->seconds : 0, summary->imbalance);
    print_groupings(summary);
    print_shares(context, summary);
}

/* How the study stands. */
static rl_status judge(const work *w) {
    const rl_tally t = rl_journal_tally(w->journal, &w->prepared.plan, -1);
    const rl_training_tally trainings = rl_journal_tally_trainings(w->journal, &w->prepared.plan, -1);
    const char *output = w->prepared.output;
    if (trainings.missing > 0)
        return rl_fail(RL_STOPPED,
                       "%s: %lld of %lld trainings and %lld of %lld spectra are missing; `ridgeless run` computes them",
                       output, (long long)trainings.missing, (long long)trainings.trainings,
                       (long long)t.spectra_missing, (long long)t.spectra);
    if (t.spectra_missing > 0)
        return rl_fail(RL_STOPPED, "%s: %lld of %lld spectra are missing; `ridgeless run` computes them", output,
                       (long long)t.spectra_missing, (long long)t.spectra);
    if (t.spectra_failed == 0 && trainings.diverged > 0)
        return rl_fail(RL_ERR_CELLS,
                       "%s: %lld of %lld trainings diverged; the variable `status` says which; a smaller "
                       "learning_rate may help",
                       output, (long long)trainings.diverged, (long long)trainings.trainings);
    if (t.spectra_failed == 0) return RL_OK;
    return rl_fail(RL_ERR_CELLS,
                   "%s: %lld of %lld spectra could not be computed; the variable `status` says which and why", output,
                   (long long)t.spectra_failed, (long long)t.spectra);
}

static rl_status write_results(const rl_settings *settings, const rl_context *context, work *w, const rl_text *hosts,
                               const rl_run_summary *summary) {
    const rl_run_report report = {.settings = settings,
                                  .context = context,
                                  .plan = &w->prepared.plan,
                                  .started = w->started,
                                  .n_computed = summary->n_curves,
                                  .hosts = hosts,
                                  .summary = summary,
                                  .trainings = &w->trained};
    rl_provenance provenance = {0};
    int64_t n_failed = 0;
    rl_status status = rl_make_provenance(&report, &provenance);
    if (status == RL_OK)
        status = rl_results_write(w->prepared.output, &w->prepared.plan, w->journal, &provenance, &n_failed);
    rl_provenance_destroy(&provenance);
    return status;
}

static void tell_seconds(const rl_context *context, const work *w, double computing, double writing) {
    char start[32], prepare[32], compute[32], write[32];
    rl_debug("start of MPI %s, data sets, plan and journal %s, computing %s, results file %s",
             rl_time_text(context->start_seconds, start), rl_time_text(w->prepare_seconds, prepare),
             rl_time_text(computing, compute), rl_time_text(writing, write));
}

static rl_status finish(const rl_settings *settings, const rl_context *context, work *w, const rl_text *hosts,
                        const rl_run_summary *summary) {
    const char *output = w->prepared.output;
    const double began = rl_seconds();
    rl_progress_end(&w->progress);
    print_summary(context, summary);
    if (w->todo.n == 0 && w->n_trainings == 0 && rl_results_are_current(output, &w->prepared.plan, w->journal))
        rl_info("%s has all that is in the journal", output);
    else
        RL_TRY(write_results(settings, context, w, hosts, summary));
    tell_seconds(context, w, summary->seconds + w->trained.seconds, rl_seconds() - began);
    printf("%s\n", output);
    return judge(w);
}

static rl_status report_stopped_trainings(const rl_training_tally *t) {
    const char *reason = rl_stop_signal() != NULL ? rl_stop_signal() : "the time left, or a signal to another rank";
    return rl_fail(RL_STOPPED,
                   "stopped by %s: %lld of %lld trainings are done, and %lld are begun and kept as they were; run "
                   "again to go on",
                   reason, (long long)(t->trainings - t->missing), (long long)t->trainings, (long long)t->begun);
}

/* Why a run ended early, and what comes next. */
static rl_status report_stop(const rl_settings *settings, const work *w) {
    const long long done = rl_journal_count(w->journal), all = w->prepared.plan.n_repeated;
    const rl_training_tally t = rl_journal_tally_trainings(w->journal, &w->prepared.plan, -1);
    if (t.missing > 0 && done == all) return report_stopped_trainings(&t);
    if (rl_stop_signal() != NULL)
        return rl_fail(RL_STOPPED, "stopped by %s: %lld of %lld curves are done; run again to go on", rl_stop_signal(),
                       done, all);
    if (isfinite(settings->time_left))
        return rl_fail(RL_STOPPED,
                       "stopped: no other curve would have ended in the time left; %lld of %lld curves are done; run "
                       "again to go on",
                       done, all);
    return rl_fail(RL_STOPPED, "stopped by a signal to another rank: %lld of %lld curves are done; run again to go on",
                   done, all);
}

/* Computes and writes what there is to write. */
static rl_status compute(const rl_settings *settings, const rl_context *context, const rl_run_settings *run, work *w) {
    const rl_sink sink = {.record = keep_record, .progress = pass_time, .state = w};
    const double began = rl_seconds();
    rl_run_summary summary;
    rl_text hosts = RL_TEXT_EMPTY;
    rl_status status = rl_parallel_run(context, &w->prepared.plan, &w->todo, run, &sink, &summary);
    if (status == RL_OK) status = train(context, run, began, w);
    const bool stopped = status == RL_STOPPED;
    if (stopped || status == RL_OK) status = rl_context_hosts(context, &hosts);
    rl_guard_doing(run->guard, "writing the results file");
    if (status == RL_OK && context->rank == 0) status = finish(settings, context, w, &hosts, &summary);
    if (status == RL_STOPPED && stopped && context->rank == 0) status = report_stop(settings, w);
    rl_run_summary_destroy(&summary);
    rl_free(hosts.bytes);
    return rl_context_agree(context, status);
}

static rl_status run_study(const rl_settings *settings, const rl_context *context, rl_guard *guard, work *w) {
    const double began = rl_seconds();
    rl_run_settings run;
    RL_TRY(rl_context_agree(context, context->rank == 0 ? prepare(settings, w) : RL_OK));
    RL_TRY(rl_parallel_share_plan(context, &w->prepared.study, &w->prepared.plan));
    RL_TRY(rl_parallel_complete_plan(context, &w->prepared.plan));
    RL_TRY(rl_make_run_settings(settings, context, &run));
    w->prepare_seconds = rl_seconds() - began;
    rl_context_tell_crowd(context);
    run.guard = guard;
    return compute(settings, context, &run, w);
}

static rl_status take_up(const rl_settings *settings, const rl_context *context, purpose what) {
    work w = {.purpose = what, .fail_fast = settings->fail_fast};
    rl_guard *guard = NULL;
    rl_status status = rl_guard_start(context, save, &w, &guard);
    if (status == RL_OK) status = run_study(settings, context, guard, &w);
    rl_guard_stop(guard);
    rl_progress_end(&w.progress);
    const rl_status closed = w.journal != NULL ? rl_journal_close(w.journal) : RL_OK;
    if (status == RL_OK) status = closed;
    rl_todo_destroy(&w.todo);
    rl_free(w.trainings);
    rl_prepared_destroy(&w.prepared);
    return status;
}

rl_status rl_command_run(rl_settings *settings, const rl_context *context) {
    return take_up(settings, context, RUN);
}

rl_status rl_command_retry(rl_settings *settings, const rl_context *context) {
    return take_up(settings, context, RETRY);
}

rl_status rl_command_assemble(rl_settings *settings, const rl_context *context) {
    return take_up(settings, context, ASSEMBLE);
}
