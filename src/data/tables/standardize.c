/* Standardizing the columns of a table. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../dataset.h"

bool rl_is_constant(int n, const double *column, size_t stride, double rounding) {
    double least = column[0], most = column[0];
    bool whole = true;
    for (int i = 0; i < n; i++) {
        const double value = column[(size_t)i * stride];
        least = fmin(least, value);
        most = fmax(most, value);
        whole = whole && value == trunc(value);
    }
    const double size = fmax(fabs(least), fabs(most));
    return most - least <= (whole && size < 1 / rounding ? 0 : rounding * size);
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

/* "; leave it out with `except: [age]`", of the text "column `age`" or "column 3". */
static rl_status append_advice(const char *feature, rl_text *advice) {
    char word[RL_FEATURE_TEXT];
    const char *quoted = strchr(feature, '`'), *number = strrchr(feature, ' ') + 1;
    const int length = quoted != NULL ? (int)strcspn(quoted + 1, "`") : (int)strlen(number);
    snprintf(word, sizeof word, "%.*s", length, quoted != NULL ? quoted + 1 : number);
    RL_TRY(rl_text_append(advice, "; leave it out with `except: ["));
    RL_TRY(quoted != NULL ? rl_text_append_yaml(advice, word) : rl_text_append(advice, "%s", word));
    return rl_text_append(advice, "]`");
}

static rl_status fail_constant(rl_standardize how, const rl_dataset *d, int j, bool rounded) {
    char name[RL_FEATURE_TEXT], number[32] = "";
    rl_text advice = RL_TEXT_EMPTY;
    rl_feature_text(d, j, name);
    if (d->feature_names != NULL) {
        RL_TRY(append_advice(name, &advice));
        snprintf(number, sizeof number, " (feature %d)", j + 1);
    }
    const rl_status status = rl_fail(RL_ERR_INPUT, "%s: %s%s is %g in every row%s and cannot be scaled to %s%s",
                                     d->origin, name, number, d->x[j], rounded ? ", but for rounding," : "",
                                     how == RL_STANDARDIZE_UNIT_NORM ? "unit norm" : "unit standard deviation",
                                     advice.bytes != NULL ? advice.bytes : "");
    rl_free(advice.bytes);
    return status;
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
