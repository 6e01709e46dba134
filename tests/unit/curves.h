/* What tests of the methods to compute a curve share: a study laid out, and one curve computed by some method. */
#ifndef RL_TEST_CURVES_H
#define RL_TEST_CURVES_H

#include <string.h>

#include "matrix.h"
#include "ridgeless/plan.h"

static inline void parse(const char *text, rl_study *study, rl_plan *plan) {
    rl_data_path path;
    assert_int_equal(rl_study_parse("study.yaml", text, study), RL_OK);
    assert_int_equal(rl_data_path_create(&path, NULL), RL_OK);
    assert_int_equal(rl_plan_create(study, &(rl_plan_options){.path = &path}, plan), RL_OK);
    rl_data_path_destroy(&path);
}

static inline void forget(rl_study *study, rl_plan *plan) {
    rl_plan_destroy(plan);
    rl_study_destroy(study);
}

/* Numbers of the methods (results files have them). */
enum { SPECTRA = 0, NESTED = 1, BULK = 4, UPDATED = 5 };

static inline rl_curve_layout layout_of(const rl_plan *plan, int64_t task) {
    return rl_curve_layout_of(&plan->series[plan->tasks[task].series]);
}

static inline size_t longest_curve(const rl_plan *plan) {
    size_t longest = 0;
    for (int64_t task = 0; task < plan->n_tasks; task++)
        if (layout_of(plan, task).length > longest) longest = layout_of(plan, task).length;
    return longest;
}

/* What a record holds of its task's N, into the cleared curve. */
static inline void take_record(const rl_series *series, const rl_task *task, const rl_record *record, double *curve) {
    const rl_curve_layout l = rl_curve_layout_of(series);
    rl_curve_layout own;
    double *found;
    bool sound;
    for (int i = 0; i < l.n_n_train; i++) rl_curve_clear(&l, i, curve);
    if (record->n == 0) return;
    assert_int_equal(rl_curve_of_record(series, record, &own, &found, &sound), RL_OK);
    assert_true(sound);
    for (int k = 0, i = 0; k < record->n; k++) {
        while (series->n_train[task->n_train.first + i] != record->outcomes[k].n_train) i++;
        rl_curve_copy(&own, found, k, NULL, &l, curve, i);
    }
    rl_free(found);
}

/* As many tasks as go together. */
static inline rl_status compute_together(rl_worker *worker, const rl_series *series, const rl_task *tasks, int n,
                                         const bool *wanted, rl_tick tick, double *curves) {
    bool ended = false;
    assert_int_equal(rl_worker_begin(worker, &(rl_work){.tasks = tasks, .n = n, .wanted = wanted}), RL_OK);
    const rl_status status = rl_worker_advance(worker, tick, &ended);
    assert_true(ended || status != RL_OK);
    for (int k = 0; k < n; k++) {
        rl_record record;
        assert_int_equal(rl_worker_record(worker, k, &record), RL_OK);
        take_record(series, &tasks[k], &record, curves + (size_t)k * rl_curve_layout_of(series).length);
    }
    return status;
}

/* Tasks of one series, into curves one after the other; through the records that the worker leaves. */
static inline rl_status compute_tasks(rl_worker *worker, const rl_plan *plan, const int64_t *indices, int n,
                                      const bool *wanted, rl_tick tick, double *curves) {
    const rl_series *series = &plan->series[plan->tasks[indices[0]].series];
    const size_t length = rl_curve_layout_of(series).length;
    rl_status status = RL_OK;
    rl_task tasks[64];
    for (int k = 0; k < n; k++) tasks[k] = plan->tasks[indices[k]];
    for (int first = 0, count; first < n && status == RL_OK; first += count) {
        count = n - first < rl_most_together(series) ? n - first : rl_most_together(series);
        status = compute_together(worker, series, tasks + first, count, wanted, tick, curves + (size_t)first * length);
    }
    return status;
}

static inline rl_status compute_one(rl_worker *worker, const rl_plan *plan, int64_t task, const bool *wanted,
                                    rl_tick tick, double *curve) {
    return compute_tasks(worker, plan, &task, 1, wanted, tick, curve);
}

static inline void force_method(rl_plan *plan, int series, int number) {
    plan->series[series].method = rl_method_find(number);
}

/* The caller's. */
static inline double *curve_of(rl_plan *plan, int64_t task, int method, const bool *wanted) {
    rl_worker *worker;
    double *curve = NULL;
    assert_int_equal(RL_ALLOC(curve, longest_curve(plan)), RL_OK);
    force_method(plan, plan->tasks[task].series, method);
    assert_int_equal(rl_worker_create(plan->series, RL_ALONE, &worker), RL_OK);
    assert_int_equal(compute_one(worker, plan, task, wanted, (rl_tick){0}, curve), RL_OK);
    rl_worker_destroy(worker);
    return curve;
}

/* Rows of a table repeat: some orders of them have deficient prefixes, which take the other way in the same curve. */
static inline void repeat_rows(rl_dataset *table) {
    const size_t p = (size_t)table->n_features;
    for (int i = 1; i < table->n_rows; i += 10) {
        memcpy(table->x + (size_t)i * p, table->x + (size_t)(i - 1) * p, sizeof(double) * p);
        table->y[i] = table->y[i - 1];
    }
}

/* A tick that lets three pieces pass; the state is an int that holds 3. */
static inline bool three_times(void *state) {
    return --*(int *)state >= 0;
}

#endif
