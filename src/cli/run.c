#include <stdio.h>

#include "cli.h"

/* Rank 0's part of a run. */
typedef struct work {
    rl_prepared prepared;
    rl_journal *journal;
    rl_progress progress;
    int64_t *todo, n_todo;
    time_t started;
} work;

static rl_status keep_record(void *state, int64_t curve, const double *record, size_t length) {
    return rl_journal_append(((work *)state)->journal, curve, record, length);
}

static rl_status pass_time(void *state, int64_t done, int64_t total) {
    work *w = state;
    rl_progress_show(&w->progress, done, total);
    return rl_journal_tick(w->journal);
}

static rl_status list_missing(work *w) {
    RL_TRY(RL_ALLOC(w->todo, w->prepared.plan.n_curves));
    for (int64_t i = 0; i < w->prepared.plan.n_curves; i++)
        if (rl_journal_record(w->journal, i) == NULL) w->todo[w->n_todo++] = i;
    return RL_OK;
}

/* Everything that can be wrong with the input is found here, before any rank starts to work. */
static rl_status prepare(const rl_settings *settings, work *w) {
    w->started = time(NULL);
    RL_TRY(rl_prepare(settings, 0, &w->prepared));
    for (int i = 0; i < w->prepared.plan.n_grids; i++) {
        const rl_dataset *data = &w->prepared.plan.grids[i].data;
        rl_debug("%s: %d rows, %d features, from %s", data->name, data->n_rows, data->n_features, data->origin);
    }
    RL_TRY(rl_results_check_output(w->prepared.output, &w->prepared.plan));
    RL_TRY(rl_journal_open(w->prepared.output, &w->prepared.plan, false, &w->journal));
    RL_TRY(list_missing(w));
    const int64_t n_curves = w->prepared.plan.n_curves;
    if (w->n_todo < n_curves)
        rl_info("%lld of %lld curves are in the journal already", (long long)(n_curves - w->n_todo),
                (long long)n_curves);
    rl_progress_start(&w->progress, (double)w->prepared.plan.n_cells / (double)n_curves, settings->quiet);
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

static void print_summary(const rl_context *context, const work *w, const rl_run_summary *summary) {
    const rl_plan *plan = &w->prepared.plan;
    const double part = (double)w->n_todo / (double)plan->n_curves, cells = part * (double)plan->n_cells;
    char time_text[32];
    if (w->n_todo == 0) return;
    rl_info("%.0f cells from %.0f spectra on %d rank(s) in %s: %.3g cells/s, load imbalance %.2f", cells,
            part * (double)plan->n_spectra, context->size, rl_time_text(summary->seconds, time_text),
            summary->seconds > 0 ? cells / summary->seconds : 0, summary->imbalance);
    print_groupings(summary);
    print_shares(context, summary);
}

static rl_status write_results(const rl_settings *settings, const rl_context *context, work *w, const rl_text *hosts,
                               const rl_run_summary *summary) {
    const rl_run_report report = {.settings = settings,
                                  .context = context,
                                  .plan = &w->prepared.plan,
                                  .started = w->started,
                                  .n_computed = w->n_todo,
                                  .hosts = hosts,
                                  .summary = summary};
    rl_provenance provenance = {0};
    int64_t n_failed = 0;
    rl_progress_end(&w->progress);
    print_summary(context, w, summary);
    rl_status status = rl_make_provenance(&report, &provenance);
    if (status == RL_OK)
        status = rl_results_write(w->prepared.output, &w->prepared.plan, w->journal, &provenance, &n_failed);
    rl_provenance_destroy(&provenance);
    RL_TRY(status);
    printf("%s\n", w->prepared.output);
    if (n_failed == 0) return RL_OK;
    return rl_fail(RL_ERR_CELLS,
                   "%s: %lld of %lld spectra could not be computed; the variable `status` says which and why",
                   w->prepared.output, (long long)n_failed, (long long)w->prepared.plan.n_spectra);
}

/* A finished study that was run again may find its results there, with the provenance of the run that computed them. */
static rl_status write_missing_results(const rl_settings *settings, const rl_context *context, work *w,
                                       const rl_text *hosts, const rl_run_summary *summary) {
    bool current = false;
    if (w->n_todo == 0) RL_TRY(rl_results_current(w->prepared.output, &w->prepared.plan, &current));
    if (!current) return write_results(settings, context, w, hosts, summary);
    rl_info("%s is what the journal has", w->prepared.output);
    printf("%s\n", w->prepared.output);
    return RL_OK;
}

static rl_status run_study(const rl_settings *settings, const rl_context *context, work *w) {
    const bool root = context->rank == 0;
    const rl_sink sink = {.record = keep_record, .progress = pass_time, .state = w};
    rl_run_summary summary;
    rl_run_settings run;
    rl_text hosts = RL_TEXT_EMPTY;
    RL_TRY(rl_context_agree(context, root ? prepare(settings, w) : RL_OK));
    RL_TRY(rl_parallel_share_plan(context, &w->prepared.study, &w->prepared.plan));
    RL_TRY(rl_parallel_complete_plan(context, &w->prepared.plan));
    RL_TRY(rl_make_run_settings(settings, context, &run));
    rl_status status = rl_parallel_run(context, &w->prepared.plan, w->todo, w->n_todo, &run, &sink, &summary);
    if (status == RL_OK) status = rl_context_hosts(context, &hosts);
    if (status == RL_OK && root) status = write_missing_results(settings, context, w, &hosts, &summary);
    rl_run_summary_destroy(&summary);
    rl_free(hosts.bytes);
    return rl_context_agree(context, status);
}

rl_status rl_command_run(rl_settings *settings, const rl_context *context) {
    work w = {0};
    rl_status status = run_study(settings, context, &w);
    rl_progress_end(&w.progress);
    const rl_status closed = w.journal != NULL ? rl_journal_close(w.journal) : RL_OK;
    if (status == RL_OK) status = closed;
    rl_free(w.todo);
    rl_prepared_destroy(&w.prepared);
    return status;
}
