/* A whole curve from two factorizations: its buffers, and what its points come to. */
#include <assert.h>
#include <string.h>

#include "../judgement.h"
#include "private.h"

/* ---- buffers ----------------------------------------------------------------------------------------------------- */

static rl_nested sizes_of_nested(int n_features, int n_n_train, const int *n_train) {
    rl_nested s = {.features = n_features,
                   .order = n_features + 1,
                   .n_n_train = n_n_train,
                   .n_train = n_train,
                   .max_train = n_train[n_n_train - 1],
                   .n_others = 2 * n_features + 2,
                   .n_work = 64 * (n_features + 66)}; /* enough for blocks of 64 */
    while (s.n_wide < n_n_train && n_train[s.n_wide] <= n_features) s.n_wide++;
    if (s.n_wide > 0) s.wide_rows = n_train[s.n_wide - 1];
    if (s.n_wide < n_n_train) s.first_tall = n_train[s.n_wide];
    return s;
}

static void list_wide_arrays(rl_arena *arena, rl_nested *s) {
    const size_t features = (size_t)s->features, rows = (size_t)s->wide_rows;
    RL_TAKE(arena, s->wide, features * rows);
    RL_TAKE_REALS(arena, rows, &s->tau, &s->residual);
    RL_TAKE(arena, s->ideal, features);
    RL_TAKE(arena, s->others, (size_t)s->n_others * features);
    RL_TAKE(arena, s->others_residual, s->n_others);
}

static void list_tall_arrays(rl_arena *arena, rl_nested *s) {
    const size_t features = (size_t)s->features, order = (size_t)s->order, n_tall = (size_t)(s->n_n_train - s->n_wide);
    RL_TAKE(arena, s->qr, (size_t)s->first_tall * order);
    RL_TAKE(arena, s->triangle, order * order);
    RL_TAKE_REALS(arena, order, &s->qr_tau, &s->row);
    RL_TAKE(arena, s->betas, features * n_tall);
    RL_TAKE(arena, s->test_block, (features + 2) * RL_GROUP);
    RL_TAKE(arena, s->row_block, RL_GROUP_SPAN * RL_GROUP);
}

static void list_nested_arrays(rl_arena *arena, void *object) {
    rl_nested *const s = object;
    const size_t features = (size_t)s->features;
    if (s->n_wide > 0) list_wide_arrays(arena, s);
    if (s->first_tall > 0) list_tall_arrays(arena, s);
    RL_TAKE(arena, s->work, s->n_work);
    RL_TAKE_REALS(arena, features * features, &s->gram, &s->shifted);
    RL_TAKE(arena, s->solved, features * RL_GROUP_SPAN);
    RL_TAKE(arena, s->small, RL_GROUP_SPAN * RL_GROUP_SPAN);
    rl_lanczos_list_arrays(arena, &s->lanczos, s->features);
}

rl_status rl_nested_create(rl_nested **nested, int n_features, int n_n_train, const int *n_train) {
    assert(n_features >= 1 && n_n_train >= 1 && n_train[0] >= 1);
    rl_nested sizes = sizes_of_nested(n_features, n_n_train, n_train);
    return RL_OBJECT_CREATE(nested, &sizes, list_nested_arrays);
}

size_t rl_nested_bytes(int n_features, int n_n_train, const int *n_train) {
    rl_nested sizes = sizes_of_nested(n_features, n_n_train, n_train);
    return RL_OBJECT_BYTES(&sizes, list_nested_arrays);
}

void rl_nested_destroy(rl_nested *nested) {
    rl_free(nested);
}

/* ---- a curve ----------------------------------------------------------------------------------------------------- */

int rl_nested_group(const rl_nested *s, int first) {
    const int end = first < s->n_wide ? s->n_wide : s->n_n_train;
    int count = 1;
    while (count < RL_GROUP && first + count < end && s->n_train[first + count] - s->n_train[first] <= RL_GROUP_SPAN)
        count++;
    return count;
}

rl_status rl_nested_curve(rl_nested *s, const rl_training_set *rows, rl_test_factor *test, rl_tick tick,
                          rl_point *points) {
    assert(rows->n_train == s->max_train && rows->n_features == s->features);
    assert(test->n_features == s->features && test->n_rows >= 1);
    assert(rl_all_finite(rows->x, (size_t)rows->n_train * (size_t)rows->n_features));
    assert(rl_all_finite(rows->y, (size_t)rows->n_train));
    s->rows = rows;
    s->points = points;
    s->largest = s->smallest = (rl_trend){.known = false};
    memset(points, 0, sizeof *points * (size_t)s->n_n_train);
    if (s->n_wide > 0) RL_TRY(rl_nested_wide_fits(s, tick));
    if (s->first_tall > 0) {
        RL_TRY(rl_nested_tall_fits(s, tick));
        RL_TRY(rl_nested_tall_tests(s, test, tick));
    }
    if (s->n_wide > 0) RL_TRY(rl_nested_wide_tests(s, test));
    for (int i = 0; i < s->n_n_train; i++)
        rl_judge_point(&points[i], s->n_train[i], s->features, points[i].sigma_min, points[i].sigma_max);
    return RL_OK;
}
