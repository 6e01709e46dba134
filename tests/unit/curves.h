/* What tests of the ways to compute a curve share: a study laid out, and one curve computed some way. */
#ifndef RL_TEST_CURVES_H
#define RL_TEST_CURVES_H

#include <string.h>

#include "matrix.h"
#include "ridgeless/task.h"

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

/* The caller's. */
static inline double *record_of(rl_plan *plan, int64_t curve, rl_way way, const bool *wanted) {
    rl_task *task;
    double *record = NULL;
    assert_int_equal(RL_ALLOC(record, rl_record_length_max(plan)), RL_OK);
    plan->grids[plan->curves[curve].grid].way = way;
    assert_int_equal(rl_task_create(plan, NULL, &task), RL_OK);
    assert_int_equal(rl_task_curve(task, curve, wanted, (rl_tick){0}, record), RL_OK);
    rl_task_destroy(task);
    return record;
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
