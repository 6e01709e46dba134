/* What the results file says of how it was made. */
#include <netcdf.h>
#include <stdio.h>
#include <string.h>

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

static rl_status add_environment(const rl_settings *settings, const char *hosts, rl_provenance *p) {
    rl_text mpi = RL_TEXT_EMPTY, blas = RL_TEXT_EMPTY, command = RL_TEXT_EMPTY;
    rl_status status = rl_context_libraries(&mpi, &blas);
    if (status == RL_OK) status = command_line(settings, &command);
    const char *const texts[][2] = {{"command", command.bytes}, {"revision", RL_REVISION}, {"hosts", hosts},
                                    {"mpi", mpi.bytes},         {"blas", blas.bytes},      {"netcdf", nc_inq_libvers()},
                                    {"compiler", __VERSION__}};
    for (size_t i = 0; status == RL_OK && i < sizeof texts / sizeof *texts; i++)
        status = rl_provenance_text(p, texts[i][0], texts[i][1]);
    rl_free(mpi.bytes);
    rl_free(blas.bytes);
    rl_free(command.bytes);
    return status;
}

/* Lists of n numbers, one behind the other, one for each name. */
static rl_status add_lists(rl_provenance *p, const char *const *names, size_t n_names, const double *lists, size_t n) {
    for (size_t i = 0; i < n_names; i++) RL_TRY(rl_provenance_numbers(p, names[i], lists + i * n, (int)n));
    return RL_OK;
}

static rl_status add_shares(const rl_context *context, const rl_run_summary *summary, rl_provenance *p) {
    static const char *const names[] = {"rank_busy_seconds", "rank_curves", "peak_memory_bytes"};
    enum { N_LISTS = sizeof names / sizeof *names };
    const size_t n = (size_t)context->size;
    double *lists;
    RL_TRY(RL_ALLOC(lists, N_LISTS * n));
    for (size_t i = 0; i < n; i++) {
        lists[i] = summary->shares[i].busy_seconds;
        lists[n + i] = (double)summary->shares[i].pieces;
        lists[2 * n + i] = summary->shares[i].peak_memory;
    }
    const rl_status status = add_lists(p, names, N_LISTS, lists, n);
    rl_free(lists);
    return status;
}

static const rl_series *series_of(const rl_plan *plan, const rl_timed_task *timed) {
    return &plan->series[plan->tasks[timed->task].series];
}

static bool is_training(const rl_series *series) {
    return series->spec == NULL;
}

/* Data sets, or autoencoders, that stand before a series, which is one of several P or m. */
static int count_groups_before(const rl_plan *plan, int series) {
    int n = 0;
    for (int i = 0, end; (end = rl_plan_end_of_group(plan, i)) <= series; i = end)
        n += is_training(&plan->series[i]) == is_training(&plan->series[series]);
    return n;
}

/* Of other kinds of work, which have no method, no tasks are listed. */
static bool is_listed(const rl_series *series, bool trainings) {
    return trainings ? is_training(series) : series->method != NULL;
}

/* What is said of a task of data sets, and of a training. */
enum { MOST_LISTS = 13 };
static const char *const task_names[] = {"task_dataset", "task_n_features", "task_n_train", "task_sizes",
                                         "task_repeat",  "task_repeats",    "task_way",     "task_flops",
                                         "task_rank",    "task_ranks",      "task_start",   "task_seconds"};
static const char *const training_names[] = {
    "training_task_autoencoder", "training_task_n_hidden", "training_task_n_train", "training_task_repeat",
    "training_task_rank",        "training_task_ranks",    "training_task_start",   "training_task_seconds"};

static void describe_task(const rl_plan *plan, const rl_timed_task *t, double began, double numbers[MOST_LISTS]) {
    const rl_task *task = &plan->tasks[t->task];
    const rl_series *series = series_of(plan, t);
    const double n_train = series->n_train[rl_range_end(task->n_train) - 1];
    const double of_task[MOST_LISTS] = {count_groups_before(plan, task->series),
                                        series->n_features,
                                        n_train,
                                        task->n_train.n,
                                        task->repeats.first,
                                        t->n_repeats,
                                        rl_method_number(series->method),
                                        task->flops / task->repeats.n * t->n_repeats,
                                        t->first_rank,
                                        t->ranks,
                                        t->start - began,
                                        t->seconds};
    memcpy(numbers, of_task, sizeof of_task);
}

static void describe_training(const rl_plan *plan, const rl_timed_task *t, double began, double numbers[MOST_LISTS]) {
    const rl_task *task = &plan->tasks[t->task];
    const rl_series *series = series_of(plan, t);
    const double of_training[MOST_LISTS] = {count_groups_before(plan, task->series),
                                            series->n_features,
                                            series->n_train[task->n_train.first],
                                            task->repeats.first,
                                            t->first_rank,
                                            t->ranks,
                                            t->start - began,
                                            t->seconds};
    memcpy(numbers, of_training, sizeof of_training);
}

/* The tasks of data sets computed in this run, as they finished, or its trainings. */
static rl_status add_times(const rl_plan *plan, const rl_run_summary *summary, bool trainings, rl_provenance *p) {
    const char *const *names = trainings ? training_names : task_names;
    const size_t n_lists = trainings ? sizeof training_names / sizeof *names : sizeof task_names / sizeof *names;
    size_t n = 0, i = 0;
    double *lists, numbers[MOST_LISTS];
    for (int64_t k = 0; k < summary->n_timed; k++) n += is_listed(series_of(plan, &summary->timed[k]), trainings);
    if (n == 0) return RL_OK;
    RL_TRY(RL_ALLOC(lists, n_lists * n));
    for (const rl_timed_task *t = summary->timed; i < n; t++) {
        if (!is_listed(series_of(plan, t), trainings)) continue;
        (trainings ? describe_training : describe_task)(plan, t, summary->began, numbers);
        for (size_t k = 0; k < n_lists; k++) lists[k * n + i] = numbers[k];
        i++;
    }
    const rl_status status = add_lists(p, names, n_lists, lists, n);
    rl_free(lists);
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
    if (status == RL_OK && names.length > 0) status = rl_provenance_text(p, "producer", names.bytes);
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
        if (series->spec != NULL) RL_TRY(rl_provenance_text(p, name, series->data.origin));
    }
    return RL_OK;
}

rl_status rl_make_provenance(const rl_run_report *r, rl_provenance *p) {
    const double ranks = r->context->size, chunk = r->settings->chunk;
    char text[32];
    RL_TRY(rl_provenance_text(p, "started", iso_time(r->started, text)));
    RL_TRY(rl_provenance_text(p, "ended", iso_time(time(NULL), text)));
    RL_TRY(rl_provenance_text(p, "schedule", rl_schedule_name(r->settings->schedule)));
    RL_TRY(rl_provenance_text(p, "order", rl_order_name(rl_order_under(r->settings->schedule, r->settings->order))));
    if (chunk > 0) RL_TRY(rl_provenance_numbers(p, "chunk", &chunk, 1));
    RL_TRY(rl_provenance_numbers(p, "ranks", &ranks, 1));
    RL_TRY(rl_provenance_numbers(p, "compute_began", &r->summary->began, 1));
    RL_TRY(rl_provenance_numbers(p, "compute_seconds", &r->summary->seconds, 1));
    RL_TRY(rl_provenance_numbers(p, "load_imbalance", &r->summary->imbalance, 1));
    RL_TRY(rl_provenance_numbers(p, "processor_share", &r->summary->processor_share, 1));
    RL_TRY(add_done(r->summary, p));
    RL_TRY(add_producers(r->plan, p));
    RL_TRY(add_shares(r->context, r->summary, p));
    RL_TRY(add_times(r->plan, r->summary, false, p));
    RL_TRY(add_times(r->plan, r->summary, true, p));
    RL_TRY(add_origins(r->plan, p));
    return add_environment(r->settings, r->hosts, p);
}
