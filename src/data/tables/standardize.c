/* Standardizing the columns of a table. */
#include <math.h>
#include <stdio.h>

#include "../dataset.h"

void rl_spread_take(rl_spread *s, double value) {
    s->least = s->some ? fmin(s->least, value) : value;
    s->most = s->some ? fmax(s->most, value) : value;
    s->has_fractions |= value != trunc(value);
    s->some = true;
}

bool rl_spread_is_constant(const rl_spread *s, double rounding) {
    const double size = fmax(fabs(s->least), fabs(s->most));
    return s->most - s->least <= (!s->has_fractions && size < 1 / rounding ? 0 : rounding * size);
}

bool rl_is_constant(int n, const double *column, size_t stride, double rounding) {
    rl_spread spread = {0};
    for (int i = 0; i < n; i++) rl_spread_take(&spread, column[(size_t)i * stride]);
    return rl_spread_is_constant(&spread, rounding);
}

/* Of a column that is not all zero. Scaling by this power of two keeps sums and squares from overflowing and changes no
 * bit. */
static int exponent_of_largest(int n, const double *column, size_t stride) {
    double largest = 0;
    for (int i = 0; i < n; i++) largest = fmax(largest, fabs(column[(size_t)i * stride]));
    return ilogb(largest);
}

/* The arithmetic of the published program, so that its numbers come out: one sum in the order of the rows. (A second
 * pass would remove the part of the mean that rounding leaves, some 1e-17 of the largest entry, and would change the
 * least squares of an uncentred target by 1e-12.) */
static void center_column(int n, double *column, size_t stride) {
    const int exponent = exponent_of_largest(n, column, stride);
    double sum = 0;
    for (int i = 0; i < n; i++) sum += ldexp(column[(size_t)i * stride], -exponent);
    const double mean = ldexp(sum / n, exponent);
    for (int i = 0; i < n; i++) column[(size_t)i * stride] -= mean;
}

static void clear_column(int n, double *column, size_t stride) {
    for (int i = 0; i < n; i++) column[(size_t)i * stride] = 0;
}

/* The population standard deviation of a centred column. */
static double deviation(int n, const double *column, size_t stride) {
    const int exponent = exponent_of_largest(n, column, stride);
    double sum = 0;
    for (int i = 0; i < n; i++) {
        const double scaled = ldexp(column[(size_t)i * stride], -exponent);
        sum += scaled * scaled;
    }
    return ldexp(sqrt(sum / n), exponent);
}

static void divide_column(int n, double *column, size_t stride, double divisor) {
    for (int i = 0; i < n; i++) column[(size_t)i * stride] /= divisor;
}

static rl_status fail_constant(rl_standardize how, const rl_dataset *d, int j, bool rounded) {
    char name[RL_FEATURE_TEXT], number[32] = "";
    const char *key = rl_feature_key(d, j);
    if (key != NULL) snprintf(number, sizeof number, " (feature %d)", j + 1);
    return rl_fail(RL_ERR_INPUT, "%s: %s%s is %g in every row%s and cannot be scaled to %s%s%s%s", d->origin,
                   rl_feature_text(d, j, name), number, d->x[j], rounded ? ", but for rounding," : "",
                   how == RL_STANDARDIZE_UNIT_NORM ? "unit norm" : "unit standard deviation",
                   key != NULL ? "; leave it out with `except: [" : "", key != NULL ? key : "",
                   key != NULL ? "]`" : "");
}

rl_status rl_standardize_features(rl_standardize how, double rounding, rl_dataset *d) {
    const size_t stride = (size_t)d->n_features;
    const int n = d->n_rows;
    for (int j = 0; how != RL_STANDARDIZE_NONE && j < d->n_features; j++) {
        double *const column = d->x + j;
        const bool constant = rl_is_constant(n, column, stride, rounding), scales = how != RL_STANDARDIZE_CENTER;
        if (constant && scales) return fail_constant(how, d, j, !rl_is_constant(n, column, stride, 0));
        if (constant)
            clear_column(n, column, stride);
        else
            center_column(n, column, stride);
        if (!scales) continue;
        divide_column(n, column, stride, deviation(n, column, stride));
        if (how == RL_STANDARDIZE_UNIT_NORM) divide_column(n, column, stride, sqrt(n));
    }
    return RL_OK;
}
