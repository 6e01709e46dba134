/* A study laid out: its series, and the tasks that they are cut into. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../numbers.h"
#include "lay_out.h"

/* A plan names every task, and every m of an autoencoder, in the memory of every rank. */
static const int64_t most_tasks = 10000000, most_trainings = 1000000;

/* ---- series ------------------------------------------------------------------------------------------------------ */

/* The next series of the plan, with what all have. */
static rl_series *add_series(rl_plan *plan, const char *name, int line, int ranks_per_case) {
    rl_series *series = &plan->series[plan->n_series++];
    *series = (rl_series){.study = plan->study,
                          .name = name,
                          .line = line,
                          .ranks_per_case = ranks_per_case,
                          .n_parts = 1,
                          .longest_span = 1};
    return series;
}

static rl_status choose_kind(rl_series *series) {
    series->kind = rl_kind_of(series);
    return series->kind->lay_out(series);
}

static rl_status add_view(rl_plan *plan, const rl_study_dataset *spec, const rl_dataset *data, int index) {
    const rl_view_request request = rl_view_request_of(spec, index);
    rl_series *series = add_series(plan, spec->name, spec->line, spec->ranks_per_case);
    const rl_status status = rl_dataset_view(data, &request, &series->data);
    if (status != RL_OK) return rl_fail(status, "%s:%d: %s", plan->study->path, spec->line, rl_error_message());
    series->spec = spec;
    series->n_features = series->data.n_features;
    series->checksum = series->data.checksum;
    RL_TRY(rl_series_n_train(series));
    if (spec->producer == RL_PRODUCER_LAPACK && rl_dataset_in_blocks(&series->data))
        return rl_fail(RL_ERR_INPUT,
                       "%s:%d: dataset `%s`: `producer: lapack` needs all rows on one rank, and its table is read in "
                       "blocks; expected another producer, or `load: whole`",
                       plan->study->path, spec->line, spec->name);
    if (spec->keep.predictions) series->n_points = series->data.n_test_only;
    return choose_kind(series);
}

/* A series for each P. */
static rl_status add_dataset(rl_plan *plan, const rl_dataset *data) {
    const rl_study_dataset *spec = rl_find_dataset(plan->study, data->name);
    const int n = spec->n_features.n_values;
    for (int i = 0; i < (n > 0 ? n : 1); i++) RL_TRY(add_view(plan, spec, data, i));
    return RL_OK;
}

/* A series for each m. */
static rl_status add_autoencoder(rl_plan *plan, const rl_study_autoencoder *a) {
    for (int i = 0; i < a->n_hidden; i++) {
        rl_series *series = add_series(plan, a->name, a->line, a->ranks_per_case);
        series->autoencoder = a;
        series->n_features = a->hidden[i];
        series->checksum = (uint64_t)a->model.n_features;
        series->key = rl_key_make(plan->study->seed, a->name);
        RL_TRY(RL_ALLOC(series->n_train, a->n_train.n_values));
        memcpy(series->n_train, a->n_train.values, (size_t)a->n_train.n_values * sizeof *series->n_train);
        series->n_n_train = a->n_train.n_values;
        RL_TRY(choose_kind(series));
    }
    return RL_OK;
}

static rl_status check_predictions(const rl_plan *plan) {
    bool points = false, asked = false;
    for (int i = 0; i < plan->n_series; i++) {
        points |= plan->series[i].n_points > 0;
        asked |= plan->series[i].spec != NULL && plan->series[i].spec->keep.predictions;
    }
    if (!asked || points) return RL_OK;
    return rl_fail(RL_ERR_INPUT,
                   "%s: key `keep`: got predictions, and no dataset has test points; expected one of the source "
                   "`function`",
                   plan->study->path);
}

/* So many, that there is room for their series. */
static rl_status check_trainings(const rl_study *study, const bool *wanted) {
    int64_t n = 0;
    for (int i = 0; i < study->n_autoencoders; i++) {
        const rl_study_autoencoder *a = &study->autoencoders[i];
        if (wanted != NULL && !wanted[i]) continue;
        n += (int64_t)a->n_hidden * a->n_train.n_values * study->repeats; /* 1e4 x 1e6 x 1e8 is below 2^63 */
        if (n > most_trainings)
            return rl_fail(RL_ERR_INPUT, "%s:%d: more than %lld trainings of autoencoders; expected at most that many",
                           study->path, a->line, (long long)most_trainings);
    }
    return RL_OK;
}

static rl_status make_series(rl_plan *plan, const bool *wanted) {
    const rl_study *study = plan->study;
    size_t n = 0;
    for (int i = 0; i < study->n_datasets; i++) n += (size_t)study->datasets[i].n_features.n_values + 1;
    RL_TRY(check_trainings(study, wanted));
    for (int i = 0; i < study->n_autoencoders; i++)
        if (wanted == NULL || wanted[i]) n += (size_t)study->autoencoders[i].n_hidden;
    RL_TRY(RL_ALLOC(plan->series, n));
    for (int i = 0; i < plan->n_datasets; i++) RL_TRY(add_dataset(plan, &plan->datasets[i]));
    RL_TRY(check_predictions(plan));
    for (int i = 0; i < study->n_autoencoders; i++)
        if (wanted == NULL || wanted[i]) RL_TRY(add_autoencoder(plan, &study->autoencoders[i]));
    return RL_OK;
}

/* ---- tasks ------------------------------------------------------------------------------------------------------- */

int rl_span_end(int first, int longest) {
    enum { SHARE = 8 };
    int span = RL_SHORTEST_SPAN;
    while (span <= first / (2 * SHARE)) span *= 2;
    return first + (span < longest ? span : longest);
}

/* Behind the last repeat of the task of a series that begins at `first`. */
static int end_of_repeats(const rl_series *series, int first) {
    const int end = series->longest_span > 1 ? rl_span_end(first, series->longest_span) : first + 1;
    return end < series->study->repeats ? end : series->study->repeats;
}

static int64_t count_tasks(const rl_series *series) {
    int64_t spans = 0;
    if (series->longest_span == 1) return (int64_t)series->study->repeats * series->n_parts;
    for (int first = 0; first < series->study->repeats; first = end_of_repeats(series, first)) spans++;
    return spans * series->n_parts;
}

static rl_status check_number(const rl_plan *plan, int64_t n_tasks) {
    if (n_tasks <= most_tasks) return RL_OK;
    return rl_fail(RL_ERR_INPUT,
                   "%s: key `repeats`: %d repeats of %d datasets are too many; expected at most %lld "
                   "curves (one per dataset, P and repeat; of `keep: summary` one per span of repeats)",
                   plan->study->path, plan->study->repeats, plan->n_datasets, (long long)most_tasks);
}

/* All parts of some repeats; those of one part cost the same, repeat by repeat. */
static void add_tasks(rl_plan *plan, int index, rl_range repeats, const double *flops) {
    const rl_series *series = &plan->series[index];
    const int per_part = series->n_n_train / series->n_parts;
    for (int part = 0; part < series->n_parts; part++)
        plan->tasks[plan->n_tasks++] = (rl_task){.series = index,
                                                 .repeats = repeats,
                                                 .n_train = {part * per_part, per_part},
                                                 .flops = repeats.n * flops[part]};
}

static rl_status cut_series(rl_plan *plan, int index) {
    rl_series *series = &plan->series[index];
    const int per_part = series->n_n_train / series->n_parts;
    double *flops = NULL;
    RL_TRY(RL_ALLOC(flops, series->n_parts));
    for (int part = 0; part < series->n_parts; part++)
        flops[part] = series->kind->flops(series, (rl_range){part * per_part, per_part});
    series->first_task = plan->n_tasks;
    for (int first = 0, end; first < series->study->repeats; first = end) {
        end = end_of_repeats(series, first);
        add_tasks(plan, index, (rl_range){first, end - first}, flops);
    }
    rl_free(flops);
    return RL_OK;
}

static rl_status make_tasks(rl_plan *plan) {
    int64_t n = 0;
    for (int i = 0; i < plan->n_series; i++) {
        n += count_tasks(&plan->series[i]);
        RL_TRY(check_number(plan, n));
    }
    RL_TRY(RL_ALLOC(plan->tasks, n));
    for (int i = 0; i < plan->n_series; i++) RL_TRY(cut_series(plan, i));
    return RL_OK;
}

/* ---- the plan ---------------------------------------------------------------------------------------------------- */

/* A rank computes one task at a time. What a case on a process grid takes depends on its ranks: see rl_predict_task. */
static void predict_memory(rl_plan *plan) {
    size_t shared = (size_t)plan->n_tasks * sizeof *plan->tasks, largest = 0;
    for (int i = 0; i < plan->n_series; i++) largest = rl_larger(largest, rl_worker_bytes(&plan->series[i]));
    for (int i = 0; i < plan->n_datasets; i++) shared += rl_dataset_bytes(&plan->datasets[i]);
    plan->memory_per_rank = shared + largest;
    plan->memory_of_work = largest;
}

static rl_status lay_out(rl_plan *plan, const bool *wanted) {
    RL_TRY(make_series(plan, wanted));
    RL_TRY(make_tasks(plan));
    predict_memory(plan);
    return RL_OK;
}

static rl_status begin_plan(const rl_study *study, rl_plan *plan) {
    *plan = (rl_plan){.study = study};
    return RL_ALLOC(plan->datasets, study->n_datasets);
}

/* The autoencoders that are asked for. */
static void choose_autoencoders(const rl_study *study, const rl_plan_options *options, bool *wanted) {
    for (int i = 0; i < study->n_autoencoders; i++) wanted[i] = options->n_datasets == 0;
    for (int i = 0; i < options->n_datasets; i++) {
        const int found = rl_find_autoencoder(study, options->datasets[i]);
        if (found >= 0) wanted[found] = true;
    }
}

rl_status rl_plan_create(const rl_study *study, const rl_plan_options *options, rl_plan *plan) {
    bool *wanted = NULL;
    rl_status status;
    RL_TRY_GOTO(begin_plan(study, plan), out);
    RL_TRY_GOTO(RL_ALLOC(wanted, study->n_autoencoders), out);
    RL_TRY_GOTO(rl_load_datasets(study, options, plan), out);
    choose_autoencoders(study, options, wanted);
    status = lay_out(plan, wanted);
out:
    rl_free(wanted);
    if (status != RL_OK) rl_plan_destroy(plan);
    return status;
}

rl_status rl_plan_create_with(const rl_study *study, rl_dataset *datasets, int n, const bool *wanted, rl_plan *plan) {
    rl_status status = begin_plan(study, plan);
    if (status == RL_OK) status = rl_take_datasets(study, datasets, n, plan);
    if (status == RL_OK) status = lay_out(plan, wanted);
    for (int i = 0; i < n; i++) rl_dataset_destroy(&datasets[i]); /* a failure leaves some behind */
    if (status != RL_OK) rl_plan_destroy(plan);
    return status;
}

void rl_plan_destroy(rl_plan *plan) {
    for (int i = 0; i < plan->n_series; i++) {
        rl_free(plan->series[i].n_train);
        rl_free(plan->series[i].sigma_wanted);
        rl_free(plan->series[i].full);
    }
    for (int i = 0; i < plan->n_datasets; i++) rl_dataset_destroy(&plan->datasets[i]);
    rl_free(plan->datasets);
    rl_free(plan->series);
    rl_free(plan->tasks);
    *plan = (rl_plan){0};
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */

int64_t rl_plan_end_of_tasks(const rl_plan *plan, int series) {
    return series + 1 < plan->n_series ? plan->series[series + 1].first_task : plan->n_tasks;
}

/* The task of a series that has a repeat, of those of its first part: the last one that begins at or before it. */
static int64_t find_repeat(const rl_plan *plan, int index, int repeat) {
    const rl_series *series = &plan->series[index];
    int64_t low = 0, high = (rl_plan_end_of_tasks(plan, index) - series->first_task) / series->n_parts;
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        const bool before = plan->tasks[series->first_task + middle * series->n_parts].repeats.first <= repeat;
        *(before ? &low : &high) = middle;
    }
    return series->first_task + low * series->n_parts;
}

int64_t rl_plan_task(const rl_plan *plan, int series, int repeat, int i_n) {
    const rl_series *s = &plan->series[series];
    const int64_t part = s->n_parts > 1 ? i_n : 0;
    if (s->longest_span > 1) return find_repeat(plan, series, repeat) + part;
    return s->first_task + (int64_t)repeat * s->n_parts + part;
}

int rl_plan_end_of_group(const rl_plan *plan, int first) {
    int end = first + 1;
    while (end < plan->n_series && plan->series[end].name == plan->series[first].name) end++;
    return end;
}

rl_count rl_plan_count(const rl_plan *plan, const rl_kind *noun, int first, int end) {
    rl_count sum = {0};
    for (int i = first; i < end; i++) {
        if (noun != NULL && rl_kind_noun(plan->series[i].kind) != noun) continue;
        const rl_count count = rl_series_count(&plan->series[i]);
        sum.pieces += count.pieces;
        sum.points += count.points;
        sum.cells += count.cells;
    }
    return sum;
}

void rl_plan_text(const rl_plan *plan, int64_t task, char *text, size_t size) {
    const rl_task *t = &plan->tasks[task];
    rl_task_text(&plan->series[t->series], t, text, size);
}
