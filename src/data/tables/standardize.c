/* Standardizing the columns of a table. */
#include <math.h>

#include "ridgeless/data.h"

static bool is_constant(int n, const double *column, size_t stride) {
    for (int i = 1; i < n; i++)
        if (column[(size_t)i * stride] != column[0]) return false;
    return true;
}

/* The arithmetic of the published program, so that its numbers come out: one sum in the order of the rows. (A second
 * pass would remove the part of the mean that rounding leaves, some 1e-17 of the largest entry, and would change the
 * least squares of an uncentred target by 1e-12.) */
static void center_column(int n, double *column, size_t stride) {
    const bool constant = is_constant(n, column, stride); /* the rounded mean may differ from it */
    double sum = 0;
    for (int i = 0; i < n; i++) sum += column[(size_t)i * stride];
    const double mean = constant ? column[0] : sum / n;
    for (int i = 0; i < n; i++) column[(size_t)i * stride] -= mean;
}

/* The population standard deviation of a centred column. Scaling by a power of two keeps squares from overflowing and
 * changes no bit. */
static double deviation(int n, const double *column, size_t stride) {
    double largest = 0, sum = 0;
    for (int i = 0; i < n; i++) largest = fmax(largest, fabs(column[(size_t)i * stride]));
    const int exponent = ilogb(largest);
    for (int i = 0; i < n; i++) {
        const double scaled = ldexp(column[(size_t)i * stride], -exponent);
        sum += scaled * scaled;
    }
    return ldexp(sqrt(sum / n), exponent);
}

static void divide_column(int n, double *column, size_t stride, double divisor) {
    for (int i = 0; i < n; i++) column[(size_t)i * stride] /= divisor;
}

rl_status rl_standardize_columns(rl_standardize how, int n_rows, int n_features, double *x, const char *what) {
    if (how == RL_STANDARDIZE_NONE) return RL_OK;
    const size_t stride = (size_t)n_features;
    for (int j = 0; j < n_features; j++) {
        double *column = x + j;
        const bool scales = how != RL_STANDARDIZE_CENTER;
        if (scales && is_constant(n_rows, column, stride))
            return rl_fail(RL_ERR_INPUT, "%s: feature %d is %g in every row and cannot be scaled to %s", what, j + 1,
                           column[0], how == RL_STANDARDIZE_UNIT_NORM ? "unit norm" : "unit standard deviation");
        center_column(n_rows, column, stride);
        if (!scales) continue;
        divide_column(n_rows, column, stride, deviation(n_rows, column, stride));
        if (how == RL_STANDARDIZE_UNIT_NORM) divide_column(n_rows, column, stride, sqrt(n_rows));
    }
    return RL_OK;
}
