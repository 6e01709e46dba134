#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "../integers.h"
#include "nested_private.h"

/* Singular values this many times above the dense producer's threshold of rank are surely not zero; what lies below is
 * left to it to judge. */
static const double doubt = 10;

/* ---- buffers ----------------------------------------------------------------------------------------------------- */

static void measure(rl_nested *s) {
    s->max_train = s->n_train[s->n_sizes - 1];
    while (s->n_wide < s->n_sizes && s->n_train[s->n_wide] <= s->features) s->n_wide++;
    if (s->n_wide > 0) s->wide_rows = s->n_train[s->n_wide - 1];
    if (s->n_wide < s->n_sizes) s->first_tall = s->n_train[s->n_wide];
}

static rl_status allocate_wide(rl_nested *s) {
    const size_t features = (size_t)s->features, rows = (size_t)s->wide_rows;
    RL_TRY(RL_ALLOC(s->wide, features * rows));
    RL_TRY(RL_ALLOC(s->tau, rows));
    RL_TRY(RL_ALLOC(s->ideal, features));
    s->n_others = 2 * s->features + 2;
    RL_TRY(RL_ALLOC(s->others, (size_t)s->n_others * features));
    RL_TRY(RL_ALLOC(s->left_others, s->n_others));
    return RL_ALLOC(s->left, rows);
}

static rl_status allocate_tall(rl_nested *s) {
    const size_t features = (size_t)s->features, order = (size_t)s->order, n_tall = (size_t)(s->n_sizes - s->n_wide);
    RL_TRY(RL_ALLOC(s->qr, (size_t)s->first_tall * order));
    RL_TRY(RL_ALLOC(s->qr_tau, order));
    RL_TRY(RL_ALLOC(s->triangle, order * order));
    RL_TRY(RL_ALLOC(s->row, order));
    RL_TRY(RL_ALLOC(s->betas, features * n_tall));
    RL_TRY(RL_ALLOC(s->test_block, (features + 2) * RL_GROUP));
    return RL_ALLOC(s->row_block, RL_GROUP_SPAN * RL_GROUP);
}

rl_status rl_nested_create(rl_nested **nested, int n_features, int n_sizes, const int *n_train) {
    rl_nested *s = NULL;
    assert(n_features >= 1 && n_sizes >= 1 && n_train[0] >= 1);
    RL_TRY(RL_ALLOC(s, 1));
    *nested = s;
    *s = (rl_nested){.features = n_features, .order = n_features + 1, .n_sizes = n_sizes, .n_train = n_train};
    measure(s);
    const size_t features = (size_t)n_features, square = features * features;
    if (s->n_wide > 0) RL_TRY(allocate_wide(s));
    if (s->first_tall > 0) RL_TRY(allocate_tall(s));
    s->n_work = 64 * (n_features + 66); /* enough for blocks of 64 */
    RL_TRY(RL_ALLOC(s->work, s->n_work));
    RL_TRY(RL_ALLOC(s->gram, square));
    RL_TRY(RL_ALLOC(s->shifted, square));
    RL_TRY(RL_ALLOC(s->solved, features * RL_GROUP_SPAN));
    RL_TRY(RL_ALLOC(s->small, RL_GROUP_SPAN * RL_GROUP_SPAN));
    return rl_lanczos_create(&s->lanczos, n_features);
}

void rl_nested_destroy(rl_nested *s) {
    if (s == NULL) return;
    double *const arrays[] = {s->wide,        s->qr_tau, s->tau,        s->ideal,     s->others, s->left,
                              s->left_others, s->qr,     s->triangle,   s->row,       s->betas,  s->gram,
                              s->shifted,     s->small,  s->test_block, s->row_block, s->solved, s->work};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) rl_free(arrays[i]);
    rl_lanczos_destroy(&s->lanczos);
    rl_free(s);
}

/* ---- a curve ----------------------------------------------------------------------------------------------------- */

int rl_nested_group(const rl_nested *s, int first) {
    const int end = first < s->n_wide ? s->n_wide : s->n_sizes;
    int count = 1;
    while (count < RL_GROUP && first + count < end && s->n_train[first + count] - s->n_train[first] <= RL_GROUP_SPAN)
        count++;
    return count;
}

/* What singular values come to; errors of a doubtful size may be anything, and are not looked at. */
static void judge(const rl_nested *s, int i) {
    rl_point *p = &s->points[i];
    const int larger = rl_larger(s->n_train[i], s->features);
    p->rank = rl_smaller(s->n_train[i], s->features);
    p->done = isfinite(p->sigma_max) && p->sigma_min > doubt * larger * DBL_EPSILON * p->sigma_max;
    for (int t = 0; t < RL_N_FITTED_TARGETS; t++)
        p->done &= isfinite(p->test_mse[t]) && isfinite(p->train_mse[t]) && isfinite(p->population_sq[t]);
    if (!p->done) *p = (rl_point){.done = false};
}

static bool all_finite(const double *values, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i])) return false;
    return true;
}

rl_status rl_nested_curve(rl_nested *s, const rl_training_set *rows, rl_test_factor *test, rl_tick tick,
                          rl_point *points) {
    assert(rows->n_train == s->max_train && rows->n_features == s->features);
    assert(test->n_features == s->features && test->n_rows >= 1);
    assert(all_finite(rows->x, (size_t)rows->n_train * (size_t)rows->n_features));
    assert(all_finite(rows->y, (size_t)rows->n_train));
    s->rows = rows;
    s->points = points;
    s->largest = s->smallest = (rl_trend){.known = false};
    memset(points, 0, sizeof *points * (size_t)s->n_sizes);
    if (s->n_wide > 0) RL_TRY(rl_nested_wide_fits(s, tick));
    if (s->first_tall > 0) {
        RL_TRY(rl_nested_tall_fits(s, tick));
        RL_TRY(rl_nested_tall_tests(s, test, tick));
    }
    if (s->n_wide > 0) RL_TRY(rl_nested_wide_tests(s, test));
    for (int i = 0; i < s->n_sizes; i++) judge(s, i);
    return RL_OK;
}
