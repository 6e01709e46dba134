#include <netcdf.h>
#include <stdio.h>
#include <time.h>

#include "cli.h"
#include "revision.h"

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

/* ---- provenance -------------------------------------------------------------------------------------------------- */

static rl_status command_line(const rl_settings *settings, rl_text *text) {
    for (int i = 0; i < settings->argc; i++) RL_TRY(rl_text_append(text, "%s%s", i > 0 ? " " : "", settings->argv[i]));
    return RL_OK;
}

static const char *iso_time(time_t when, char text[32]) {
    struct tm utc;
    gmtime_r(&when, &utc);
    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

static rl_status add_environment(const rl_settings *settings, const rl_text *hosts, rl_provenance *p) {
    rl_text mpi = RL_TEXT_EMPTY, blas = RL_TEXT_EMPTY, command = RL_TEXT_EMPTY;
    rl_status status;
    RL_TRY_GOTO(rl_context_libraries(&mpi, &blas), done);
    RL_TRY_GOTO(command_line(settings, &command), done);
    RL_TRY_GOTO(rl_provenance_text(p, "command", "%s", command.bytes), done);
    RL_TRY_GOTO(rl_provenance_text(p, "revision", "%s", RL_REVISION), done);
    RL_TRY_GOTO(rl_provenance_text(p, "hosts", "%s", hosts->bytes), done);
    RL_TRY_GOTO(rl_provenance_text(p, "mpi", "%s", mpi.bytes), done);
    RL_TRY_GOTO(rl_provenance_text(p, "blas", "%s", blas.bytes), done);
    RL_TRY_GOTO(rl_provenance_text(p, "netcdf", "%s", nc_inq_libvers()), done);
    RL_TRY_GOTO(rl_provenance_text(p, "compiler", "%s", __VERSION__), done);
done:
    rl_free(mpi.bytes);
    rl_free(blas.bytes);
    rl_free(command.bytes);
    return status;
}

/* A list of numbers, item i being number(state, i). */
static rl_status add_list(rl_provenance *p, const char *name, int64_t n, double (*number)(const void *state, int64_t i),
                          const void *state) {
    double *numbers = NULL;
    RL_TRY(RL_ALLOC(numbers, n));
    for (int64_t i = 0; i < n; i++) numbers[i] = number(state, i);
    const rl_status status = rl_provenance_numbers(p, name, numbers, (int)n);
    rl_free(numbers);
    return status;
}

static double busy_seconds(const void *shares, int64_t i) {
    return ((const rl_rank_share *)shares)[i].busy_seconds;
}

static double curves_of_rank(const void *shares, int64_t i) {
    return (double)((const rl_rank_share *)shares)[i].curves;
}

static double peak_memory(const void *shares, int64_t i) {
    return ((const rl_rank_share *)shares)[i].peak_memory;
}

static rl_status add_shares(const rl_context *context, const rl_run_summary *summary, rl_provenance *p) {
    RL_TRY(add_list(p, "rank_busy_seconds", context->size, busy_seconds, summary->shares));
    RL_TRY(add_list(p, "rank_curves", context->size, curves_of_rank, summary->shares));
    return add_list(p, "peak_memory_bytes", context->size, peak_memory, summary->shares);
}

/* The curves computed in this run, as they finished. */
typedef struct timed_curves {
    const rl_plan *plan;
    const rl_timed_curve *timed;
} timed_curves;

static const rl_curve *timed_curve(const void *state, int64_t i) {
    const timed_curves *t = state;
    return &t->plan->curves[t->timed[i].curve];
}

static double task_dataset(const void *state, int64_t i) {
    return timed_curve(state, i)->grid;
}

static double task_n_features(const void *state, int64_t i) {
    const rl_curve *curve = timed_curve(state, i);
    return ((const timed_curves *)state)->plan->grids[curve->grid].n_features[curve->p_index];
}

static double task_n_train(const void *state, int64_t i) {
    const rl_curve *curve = timed_curve(state, i);
    return ((const timed_curves *)state)->plan->grids[curve->grid].n_train[curve->first_size + curve->n_sizes - 1];
}

static double task_sizes(const void *state, int64_t i) {
    return timed_curve(state, i)->n_sizes;
}

static double task_repeat(const void *state, int64_t i) {
    return timed_curve(state, i)->repeat;
}

static double task_way(const void *state, int64_t i) {
    return ((const timed_curves *)state)->plan->grids[timed_curve(state, i)->grid].way;
}

static double task_flops(const void *state, int64_t i) {
    const timed_curves *t = state;
    return t->plan->cost[t->timed[i].curve];
}

static double task_ranks(const void *state, int64_t i) {
    return ((const timed_curves *)state)->timed[i].ranks;
}

static double task_seconds(const void *state, int64_t i) {
    return ((const timed_curves *)state)->timed[i].seconds;
}

static rl_status add_times(const rl_plan *plan, const rl_run_summary *summary, rl_provenance *p) {
    static const struct {
        const char *name;
        double (*number)(const void *state, int64_t i);
    } lists[] = {{"task_dataset", task_dataset}, {"task_n_features", task_n_features}, {"task_n_train", task_n_train},
                 {"task_sizes", task_sizes},     {"task_repeat", task_repeat},         {"task_way", task_way},
                 {"task_flops", task_flops},     {"task_ranks", task_ranks},           {"task_seconds", task_seconds}};
    const timed_curves timed = {plan, summary->timed};
    if (summary->n_timed == 0) return RL_OK;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        RL_TRY(add_list(p, lists[i].name, summary->n_timed, lists[i].number, &timed));
    return RL_OK;
}

/* Who made full spectra, each once. */
static rl_status add_producers(const rl_plan *plan, rl_provenance *p) {
    rl_text names = RL_TEXT_EMPTY;
    rl_status status = RL_OK;
    for (int i = 0; i < plan->n_grids && status == RL_OK; i++) {
        bool seen = false;
        for (int j = 0; j < i; j++) seen |= plan->grids[j].producer == plan->grids[i].producer;
        if (!seen)
            status = rl_text_append(&names, "%s%s", i > 0 ? ", " : "", rl_producer_name(plan->grids[i].producer));
    }
    if (status == RL_OK) status = rl_provenance_text(p, "producer", "%s", names.bytes);
    rl_free(names.bytes);
    return status;
}

static rl_status make_provenance(const rl_settings *settings, const rl_context *context, const work *w,
                                 const rl_text *hosts, const rl_run_summary *summary, rl_provenance *p) {
    const double ranks = context->size, computed = (double)w->n_todo;
    char text[32];
    RL_TRY(rl_provenance_text(p, "started", "%s", iso_time(w->started, text)));
    RL_TRY(rl_provenance_text(p, "ended", "%s", iso_time(time(NULL), text)));
    RL_TRY(rl_provenance_text(p, "schedule", "%s", rl_schedule_name(settings->schedule)));
    RL_TRY(rl_provenance_numbers(p, "ranks", &ranks, 1));
    RL_TRY(rl_provenance_numbers(p, "curves_computed", &computed, 1));
    RL_TRY(rl_provenance_numbers(p, "compute_seconds", &summary->seconds, 1));
    RL_TRY(rl_provenance_numbers(p, "load_imbalance", &summary->imbalance, 1));
    RL_TRY(add_producers(&w->prepared.plan, p));
    RL_TRY(add_shares(context, summary, p));
    RL_TRY(add_times(&w->prepared.plan, summary, p));
    for (int i = 0; i < w->prepared.plan.n_grids; i++) {
        char name[80];
        snprintf(name, sizeof name, "origin_%.64s", w->prepared.plan.grids[i].data.name);
        RL_TRY(rl_provenance_text(p, name, "%s", w->prepared.plan.grids[i].data.origin));
    }
    return add_environment(settings, hosts, p);
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
    rl_provenance provenance = {0};
    int64_t n_failed = 0;
    rl_progress_end(&w->progress);
    print_summary(context, w, summary);
    rl_status status = make_provenance(settings, context, w, hosts, summary, &provenance);
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
    if (status == RL_OK && root) status = write_results(settings, context, w, &hosts, &summary);
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
