/* A whole curve from two factorizations: its buffers, fits and errors, and what its points come to. */
#include <assert.h>
#include <string.h>

#include "../../vectors.h"
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

/* ---- fits -------------------------------------------------------------------------------------------------------- */

/* The number of N from index `first` on that go side by side; all of them are at most n_features, or none is. */
static int group_from(const rl_nested *s, int first) {
    const int end = first < s->n_wide ? s->n_wide : s->n_n_train;
    int count = 1;
    while (count < RL_GROUP && first + count < end && s->n_train[first + count] - s->n_train[first] <= RL_GROUP_SPAN)
        count++;
    return count;
}

/* The standard deviation of feature j in the population. */
static double scale_of(const rl_nested *s, int j) {
    return s->rows->scale != NULL ? s->rows->scale[j] : 1;
}

/* QR of X^T, which row-major storage is already: X = L Q. */
static rl_status factor_wide(rl_nested *s) {
    const int features = s->features, rows = s->wide_rows, one = 1;
    const double unit = 1, zero = 0;
    int info;
    memcpy(s->wide, s->rows->x, sizeof(double) * (size_t)features * (size_t)rows);
    dgeqrf_(&features, &rows, s->wide, &features, s->tau, s->work, &s->n_work, &info);
    RL_TRY(rl_lapack_check("dgeqrf", info));
    memcpy(s->ideal, s->rows->beta_star, sizeof(double) * (size_t)features);
    dormqr_("L", "T", &features, &one, &rows, s->wide, &features, s->tau, s->ideal, &features, s->work, &s->n_work,
            &info, 1, 1);
    RL_TRY(rl_lapack_check("dormqr", info));
    dsyrk_("U", "T", &rows, &features, &unit, s->rows->x, &features, &zero, s->gram, &features, 1, 1);
    return RL_OK;
}

static rl_status fit_wide_sizes(rl_nested *s, rl_tick tick) {
    RL_TRY(factor_wide(s));
    for (int first = 0, count; first < s->n_wide; first += count) {
        if (!rl_may_go_on(tick)) return RL_STOPPED;
        count = group_from(s, first);
        rl_nested_wide_sigma(s, first, count);
    }
    return RL_OK;
}

/* The triangle of [X y] of the smallest tall training set. */
static rl_status factor_tall(rl_nested *s) {
    const int n = s->first_tall, order = s->order;
    const size_t features = (size_t)s->features, ld = (size_t)n;
    int info;
    for (size_t i = 0; i < ld; i++) {
        for (size_t j = 0; j < features; j++) s->qr[j * ld + i] = s->rows->x[i * features + j];
        s->qr[features * ld + i] = s->rows->y[i];
    }
    dgeqrf_(&n, &order, s->qr, &n, s->qr_tau, s->work, &s->n_work, &info);
    RL_TRY(rl_lapack_check("dgeqrf", info));
    memset(s->triangle, 0, sizeof(double) * (size_t)order * (size_t)order);
    for (size_t j = 0; j < (size_t)order; j++)
        for (size_t i = 0; i <= j; i++) s->triangle[i * (size_t)order + j] = s->qr[j * ld + i];
    s->n_in_triangle = n;
    return RL_OK;
}

/* Givens rotations of the next row against the triangle's rows, which are columns here, and so contiguous. */
static void append_row(rl_nested *s) {
    const size_t features = (size_t)s->features, i = (size_t)s->n_in_triangle++;
    const int one = 1;
    memcpy(s->row, s->rows->x + i * features, sizeof(double) * features);
    s->row[features] = s->rows->y[i];
    for (int j = 0; j < s->order; j++) {
        const int after = s->order - 1 - j;
        double *diagonal = s->triangle + (size_t)j * (size_t)(s->order + 1), cosine, sine;
        drotg_(diagonal, &s->row[j], &cosine, &sine);
        drot_(&after, diagonal + 1, &one, s->row + j + 1, &one, &cosine, &sine);
    }
}

static void fit_tall(rl_nested *s, int i) {
    const int one = 1, features = s->features;
    const double *corner = s->triangle + (size_t)s->order * (size_t)s->order - 1;
    double *beta = s->betas + (size_t)(i - s->n_wide) * (size_t)features;
    rl_point *p = &s->points[i];
    for (int j = 0; j < features; j++) beta[j] = s->triangle[(size_t)j * (size_t)s->order + (size_t)features];
    dtrsv_("L", "T", "N", &features, s->triangle, &s->order, beta, &one, 1, 1, 1);
    for (int j = 0; j < features; j++) {
        const double off = scale_of(s, j) * (beta[j] - s->rows->beta_star[j]);
        p->population_sq[RL_TARGET_Y] += off * off;
    }
    p->train_mse[RL_TARGET_Y] = *corner * *corner / s->n_train[i];
}

static rl_status fit_tall_sizes(rl_nested *s, rl_tick tick) {
    RL_TRY(factor_tall(s));
    s->smallest.known = false; /* another matrix: the one of the wide sizes shrank to the threshold */
    s->n_in_gram = 0;
    memset(s->gram, 0, sizeof(double) * (size_t)s->features * (size_t)s->features);
    for (int first = s->n_wide, count; first < s->n_n_train; first += count) {
        if (!rl_may_go_on(tick)) return RL_STOPPED;
        while (s->n_in_triangle < s->n_train[first]) append_row(s);
        count = rl_nested_tall_sigma(s, first, group_from(s, first));
        for (int i = first; i < first + count; i++) {
            while (s->n_in_triangle < s->n_train[i]) append_row(s);
            fit_tall(s, i);
        }
    }
    return RL_OK;
}

/* ---- test errors ------------------------------------------------------------------------------------------------- */

/* Training rows [from, to) become test rows: those of N are all rows after its own. */
static rl_status give_up_rows(const rl_nested *s, int from, int to, rl_test_factor *test) {
    return rl_test_factor_append(test, to - from, s->rows->x + (size_t)from * (size_t)s->features, s->features,
                                 s->rows->y + from);
}

/* Sizes [first, end), whose largest is `high`; the rows from there on are in the factor. */
static void test_tall_group(const rl_nested *s, const rl_test_factor *test, int first, int end) {
    const int features = s->features, m = test->order, count = end - first, low = s->n_train[first],
              high = s->n_train[end - 1], between = high - low, ld = RL_GROUP_SPAN;
    const double *betas = s->betas + (size_t)(first - s->n_wide) * (size_t)features;
    const double *const r_x = test->r + m, *const r_y = test->r + (size_t)(m - 1) * (size_t)m;
    rl_gemm('N', 'N', m, count, features, 1, r_x, m, betas, features, 0, s->test_block, m);
    if (between > 0)
        rl_gemm('T', 'N', between, count, features, 1, s->rows->x + (size_t)low * (size_t)features, features, betas,
                features, 0, s->row_block, ld);
    for (int k = 0; k < count; k++) {
        double *in_factor = s->test_block + (size_t)k * (size_t)m, *rows = s->row_block + (size_t)k * RL_GROUP_SPAN;
        const int skipped = s->n_train[first + k] - low;
        rl_add(m, -1, r_y, in_factor);
        rl_add(between, -1, s->rows->y + low, rows);
        const double sum = rl_sum_of_squares(m, in_factor) + rl_sum_of_squares(between - skipped, rows + skipped);
        s->points[first + k].test_mse[RL_TARGET_Y] = sum / (test->n_rows + between - skipped);
    }
}

static rl_status test_tall_sizes(rl_nested *s, rl_test_factor *test, rl_tick tick) {
    int in_factor = s->max_train; /* rows from here on are */
    for (int end = s->n_n_train, first; end > s->n_wide; end = first) {
        const int high = s->n_train[end - 1];
        if (!rl_may_go_on(tick)) return RL_STOPPED;
        RL_TRY(give_up_rows(s, high, in_factor, test));
        in_factor = high;
        first = end - 1;
        while (first > s->n_wide && end - first < RL_GROUP && high - s->n_train[first - 1] <= RL_GROUP_SPAN) first--;
        test_tall_group(s, test, first, end);
    }
    return s->n_wide > 0 ? give_up_rows(s, s->wide_rows, in_factor, test) : RL_OK;
}

static rl_status rotate_others(rl_nested *s, const rl_test_factor *test) {
    const int m = test->order, features = s->features, rows = s->wide_rows;
    const size_t ld = (size_t)s->n_others;
    int info;
    memset(s->others, 0, sizeof(double) * ld * (size_t)features);
    for (int j = 0; j < features; j++) {
        double *column = s->others + (size_t)j * ld;
        memcpy(column, test->r + (size_t)(j + 1) * (size_t)m, sizeof(double) * (size_t)m);
        column[m + j] = scale_of(s, j);
    }
    dormqr_("R", "N", &s->n_others, &features, &rows, s->wide, &features, s->tau, s->others, &s->n_others, s->work,
            &s->n_work, &info, 1, 1);
    return rl_lapack_check("dormqr", info);
}

/* Takes `amount` of coordinate j (from 0) out of the residuals of the training rows from `first` on and of the others.
 */
static void take_out(rl_nested *s, int j, int first, double amount) {
    const int stride = s->features, one = 1, n = s->wide_rows - first;
    const double factor = -amount;
    if (j < s->wide_rows)
        daxpy_(&n, &factor, s->wide + (size_t)first * (size_t)stride + j, &stride, s->residual + first, &one);
    rl_add(s->n_others, factor, s->others + (size_t)j * (size_t)s->n_others, s->others_residual);
}

static void store_errors(const rl_nested *s, const rl_test_factor *test, int i, rl_target target) {
    const int n = s->n_train[i], leftover = s->wide_rows - n, m = test->order;
    rl_point *p = &s->points[i];
    const double sum = rl_sum_of_squares(leftover, s->residual + n) + rl_sum_of_squares(m, s->others_residual);
    p->test_mse[target] = sum / (test->n_rows + leftover);
    p->population_sq[target] = rl_sum_of_squares(s->features, s->others_residual + m);
}

/* y: forward substitution, coordinate by coordinate upwards. */
static void explain_targets(rl_nested *s, const rl_test_factor *test) {
    const int m = test->order;
    memcpy(s->residual, s->rows->y, sizeof(double) * (size_t)s->wide_rows);
    memcpy(s->others_residual, test->r + (size_t)(m - 1) * (size_t)m, sizeof(double) * (size_t)m);
    for (int j = 0; j < s->features; j++) s->others_residual[m + j] = scale_of(s, j) * s->rows->beta_star[j];
    for (int j = 0, i = 0; j < s->wide_rows; j++) {
        take_out(s, j, j + 1, s->residual[j] / s->wide[(size_t)j * (size_t)(s->features + 1)]);
        if (s->n_train[i] == j + 1) store_errors(s, test, i++, RL_TARGET_Y);
    }
}

/* The mean over the test rows: the ones are the factor's first column, (r_00, 0, ...). */
static double mean_residual(const rl_nested *s, const rl_test_factor *test, int n) {
    double sum = s->others_residual[0] * test->r[0];
    for (int j = n; j < s->wide_rows; j++) sum += s->residual[j];
    return sum / (test->n_rows + s->wide_rows - n);
}

/* y*: what the coordinates from N on, which are lost, do to the rows; summed from the last one downwards. */
static void lose_coordinates(rl_nested *s, const rl_test_factor *test) {
    memset(s->residual, 0, sizeof(double) * (size_t)s->wide_rows);
    memset(s->others_residual, 0, sizeof(double) * (size_t)s->n_others);
    for (int n = s->features, i = s->n_wide - 1; i >= 0; n--) {
        if (n < s->features) take_out(s, n, n, s->ideal[n]);
        if (s->n_train[i] != n) continue;
        store_errors(s, test, i, RL_TARGET_IDEAL);
        s->points[i].test_bias_mse = s->points[i].test_mse[RL_TARGET_IDEAL];
        s->points[i--].test_bias = mean_residual(s, test, n);
    }
}

static rl_status test_wide_sizes(rl_nested *s, rl_test_factor *test) {
    RL_TRY(rotate_others(s, test));
    explain_targets(s, test);
    lose_coordinates(s, test);
    return RL_OK;
}

/* ---- a curve ----------------------------------------------------------------------------------------------------- */

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
    if (s->n_wide > 0) RL_TRY(fit_wide_sizes(s, tick));
    if (s->first_tall > 0) {
        RL_TRY(fit_tall_sizes(s, tick));
        RL_TRY(test_tall_sizes(s, test, tick));
    }
    if (s->n_wide > 0) RL_TRY(test_wide_sizes(s, test));
    for (int i = 0; i < s->n_n_train; i++)
        rl_judge_point(&points[i], s->n_train[i], s->features, points[i].sigma_min, points[i].sigma_max);
    return RL_OK;
}
