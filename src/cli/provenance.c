/* What the results file says of how it was made. */
#include <netcdf.h>
#include <stdio.h>

#include "cli.h"
#include "revision.h"

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

static double pieces_of_rank(const void *shares, int64_t i) {
    return (double)((const rl_rank_share *)shares)[i].pieces;
}

static double peak_memory(const void *shares, int64_t i) {
    return ((const rl_rank_share *)shares)[i].peak_memory;
}

static rl_status add_shares(const rl_context *context, const rl_run_summary *summary, rl_provenance *p) {
    RL_TRY(add_list(p, "rank_busy_seconds", context->size, busy_seconds, summary->shares));
    RL_TRY(add_list(p, "rank_curves", context->size, pieces_of_rank, summary->shares));
    return add_list(p, "peak_memory_bytes", context->size, peak_memory, summary->shares);
}

/* The tasks of data sets computed in this run, as they finished. */
typedef struct timed_tasks {
    const rl_plan *plan;
    const rl_timed_task **timed;
} timed_tasks;

static const rl_task *task_of(const void *state, int64_t i) {
    const timed_tasks *t = state;
    return &t->plan->tasks[t->timed[i]->task];
}

static const rl_series *series_of(const void *state, int64_t i) {
    return &((const timed_tasks *)state)->plan->series[task_of(state, i)->series];
}

/* Counted by data sets, each of which has a series for every P. */
static double task_dataset(const void *state, int64_t i) {
    const rl_plan *plan = ((const timed_tasks *)state)->plan;
    int dataset = 0;
    for (int end = rl_plan_end_of_group(plan, 0); end <= task_of(state, i)->series;
         end = rl_plan_end_of_group(plan, end))
        dataset++;
    return dataset;
}

static double task_n_features(const void *state, int64_t i) {
    return series_of(state, i)->n_features;
}

static double task_n_train(const void *state, int64_t i) {
    return series_of(state, i)->n_train[rl_range_end(task_of(state, i)->n_train) - 1];
}

static double task_sizes(const void *state, int64_t i) {
    return task_of(state, i)->n_train.n;
}

static double task_repeat(const void *state, int64_t i) {
    return task_of(state, i)->repeats.first;
}

static double task_repeats(const void *state, int64_t i) {
    return ((const timed_tasks *)state)->timed[i]->n_repeats;
}

static double task_way(const void *state, int64_t i) {
    return rl_method_number(series_of(state, i)->method);
}

static double task_flops(const void *state, int64_t i) {
    return task_of(state, i)->flops / task_of(state, i)->repeats.n * task_repeats(state, i);
}

static double task_ranks(const void *state, int64_t i) {
    return ((const timed_tasks *)state)->timed[i]->ranks;
}

static double task_seconds(const void *state, int64_t i) {
    return ((const timed_tasks *)state)->timed[i]->seconds;
}

static rl_status add_lists(const timed_tasks *tasks, int64_t n, rl_provenance *p) {
    static const struct {
        const char *name;
        double (*number)(const void *state, int64_t i);
    } lists[] = {{"task_dataset", task_dataset}, {"task_n_features", task_n_features}, {"task_n_train", task_n_train},
                 {"task_sizes", task_sizes},     {"task_repeat", task_repeat},         {"task_repeats", task_repeats},
                 {"task_way", task_way},         {"task_flops", task_flops},           {"task_ranks", task_ranks},
                 {"task_seconds", task_seconds}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists && n > 0; i++)
        RL_TRY(add_list(p, lists[i].name, n, lists[i].number, tasks));
    return RL_OK;
}

static rl_status add_times(const rl_plan *plan, const rl_run_summary *summary, rl_provenance *p) {
    timed_tasks tasks = {.plan = plan};
    int64_t n = 0;
    RL_TRY(RL_ALLOC(tasks.timed, summary->n_timed));
    for (int64_t i = 0; i < summary->n_timed; i++)
        if (plan->series[plan->tasks[summary->timed[i].task].series].method != NULL)
            tasks.timed[n++] = &summary->timed[i];
    const rl_status status = add_lists(&tasks, n, p);
    rl_free(tasks.timed);
    return status;
}

/* Who made full spectra, each once. */
static rl_status add_producers(const rl_plan *plan, rl_provenance *p) {
    rl_text names = RL_TEXT_EMPTY;
    rl_status status = RL_OK;
    for (int i = 0; i < plan->n_series && status == RL_OK; i++) {
        bool seen = plan->series[i].method == NULL;
        for (int j = 0; j < i && !seen; j++) seen = plan->series[j].producer == plan->series[i].producer;
        if (!seen)
            status = rl_text_append(&names, "%s%s", i > 0 ? ", " : "", rl_producer_name(plan->series[i].producer));
    }
    if (status == RL_OK && names.length > 0) status = rl_provenance_text(p, "producer", "%s", names.bytes);
    rl_free(names.bytes);
    return status;
}

/* What was computed of each kind of work, and how long ranks were busy with it. */
static rl_status add_done(const rl_run_summary *summary, rl_provenance *p) {
    for (int i = 0; i < summary->n_done; i++) {
        const rl_done *done = &summary->done[i];
        const double pieces = (double)done->count.pieces;
        char name[80];
        snprintf(name, sizeof name, "%s_computed", done->kind->pieces);
        RL_TRY(rl_provenance_numbers(p, name, &pieces, 1));
        snprintf(name, sizeof name, "%s_seconds", done->kind->piece);
        RL_TRY(rl_provenance_numbers(p, name, &done->seconds, 1));
    }
    return RL_OK;
}

static rl_status add_origins(const rl_plan *plan, rl_provenance *p) {
    for (int i = 0; i < plan->n_series; i = rl_plan_end_of_group(plan, i)) {
        const rl_series *series = &plan->series[i];
        char name[80];
        snprintf(name, sizeof name, "origin_%.64s", series->name);
        if (series->spec != NULL) RL_TRY(rl_provenance_text(p, name, "%s", series->data.origin));
    }
    return RL_OK;
}

rl_status rl_make_provenance(const rl_run_report *r, rl_provenance *p) {
    const double ranks = r->context->size;
    char text[32];
    RL_TRY(rl_provenance_text(p, "started", "%s", iso_time(r->started, text)));
    RL_TRY(rl_provenance_text(p, "ended", "%s", iso_time(time(NULL), text)));
    RL_TRY(rl_provenance_text(p, "schedule", "%s", rl_schedule_name(r->settings->schedule)));
    RL_TRY(rl_provenance_numbers(p, "ranks", &ranks, 1));
    RL_TRY(rl_provenance_numbers(p, "compute_seconds", &r->summary->seconds, 1));
    RL_TRY(rl_provenance_numbers(p, "load_imbalance", &r->summary->imbalance, 1));
    RL_TRY(add_done(r->summary, p));
    RL_TRY(add_producers(r->plan, p));
    RL_TRY(add_shares(r->context, r->summary, p));
    RL_TRY(add_times(r->plan, r->summary, p));
    RL_TRY(add_origins(r->plan, p));
    return add_environment(r->settings, r->hosts, p);
}
