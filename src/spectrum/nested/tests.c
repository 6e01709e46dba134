/* Test errors of a curve. The test rows of N are all rows after the first N: those in the test factor, and the
 * training rows that N leaves out. */
#include <string.h>

#include "../../vectors.h"
#include "private.h"

static void add_strided(int n, double factor, const double *a, int stride, double *b) {
    const int one = 1;
    if (n > 0) daxpy_(&n, &factor, a, &stride, b, &one);
}

/* ---- tall -------------------------------------------------------------------------------------------------------- */

/* Training rows [from, to) become test rows. */
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
        add_strided(m, -1, r_y, 1, in_factor);
        add_strided(between, -1, s->rows->y + low, 1, rows);
        const double sum = rl_sum_of_squares(m, in_factor) + rl_sum_of_squares(between - skipped, rows + skipped);
        s->points[first + k].test_mse[RL_TARGET_Y] = sum / (test->n_rows + between - skipped);
    }
}

rl_status rl_nested_tall_tests(rl_nested *s, rl_test_factor *test, rl_tick tick) {
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

/* ---- wide -------------------------------------------------------------------------------------------------------- */

static rl_status rotate_others(rl_nested *s, const rl_test_factor *test) {
    const int m = test->order, features = s->features, rows = s->wide_rows;
    const size_t ld = (size_t)s->n_others;
    int info;
    memset(s->others, 0, sizeof(double) * ld * (size_t)features);
    for (int j = 0; j < features; j++) {
        double *column = s->others + (size_t)j * ld;
        memcpy(column, test->r + (size_t)(j + 1) * (size_t)m, sizeof(double) * (size_t)m);
        column[m + j] = rl_nested_scale(s, j);
    }
    dormqr_("R", "N", &s->n_others, &features, &rows, s->wide, &features, s->tau, s->others, &s->n_others, s->work,
            &s->n_work, &info, 1, 1);
    RL_TRY(rl_lapack_check("dormqr", info));
    return RL_OK;
}

/* Takes `amount` of coordinate j (from 0) out of the residuals of the training rows from `first` on and of the others.
 */
static void take_out(rl_nested *s, int j, int first, double amount) {
    const int stride = s->features;
    if (j < s->wide_rows)
        add_strided(s->wide_rows - first, -amount, s->wide + (size_t)first * (size_t)stride + j, stride,
                    s->residual + first);
    add_strided(s->n_others, -amount, s->others + (size_t)j * (size_t)s->n_others, 1, s->others_residual);
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
    for (int j = 0; j < s->features; j++) s->others_residual[m + j] = rl_nested_scale(s, j) * s->rows->beta_star[j];
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

rl_status rl_nested_wide_tests(rl_nested *s, rl_test_factor *test) {
    RL_TRY(rotate_others(s, test));
    explain_targets(s, test);
    lose_coordinates(s, test);
    return RL_OK;
}
