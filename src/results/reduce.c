/* Values over repeats, and counts in buckets, reduced to statistics. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../clones.h"
#include "ridgeless/results.h"
#include "sort.h"

const double rl_quantiles[RL_N_QUANTILES] = {0.05, 0.25, 0.5, 0.75, 0.95};

/* Type 7 of Hyndman and Fan. The form of the interpolation is NumPy's, so that the bits are too; an exact hit takes no
 * part of its neighbour, which may be infinite. */
static double quantile(const double *sorted, int n, double q) {
    const double position = q * (n - 1);
    const int below = (int)position;
    const double t = position - below;
    if (t == 0 || below + 1 >= n || sorted[below] == sorted[below + 1]) return sorted[below];
    const double difference = sorted[below + 1] - sorted[below];
    return t < 0.5 ? sorted[below] + difference * t : sorted[below + 1] - difference * (1 - t);
}

/* The sum of logarithms of positive values, of some hundred at a time as that of the product of their fractions, which
 * are at least 1 and less than 2; exponents are added up as they are. */
static double sum_logs(const double *values, int n) {
    enum { TOGETHER = 512, FRACTION_BITS = 52, BIAS = 1023 };
    const uint64_t fraction = ((uint64_t)1 << FRACTION_BITS) - 1, one = (uint64_t)BIAS << FRACTION_BITS;
    int64_t exponents = 0;
    double logs = 0;
    for (int first = 0; first < n; first += TOGETHER) {
        double product = 1;
        for (int i = first; i < n && i < first + TOGETHER; i++) {
            uint64_t bits;
            double factor;
            if (isnan(values[i])) continue;
            memcpy(&bits, &values[i], sizeof bits);
            exponents += (int64_t)(bits >> FRACTION_BITS) - BIAS;
            bits = (bits & fraction) | one;
            memcpy(&factor, &bits, sizeof factor);
            product *= factor;
        }
        logs += log(product);
    }
    return logs + (double)exponents * M_LN2;
}

/* The same of values that have no fraction and exponent of this form. */
static double sum_logs_one_by_one(const double *values, int n) {
    double logs = 0;
    for (int i = 0; i < n; i++)
        if (!isnan(values[i])) logs += log(values[i]);
    return logs;
}

static double geometric_mean(const double *values, int n, const rl_reduced *reduced) {
    if (reduced->minimum == 0) return 0;
    if (!(reduced->minimum > 0)) return NAN;
    const bool are_plain = reduced->minimum >= DBL_MIN && isfinite(reduced->maximum);
    return exp((are_plain ? sum_logs : sum_logs_one_by_one)(values, n) / reduced->count);
}

/* Standard error and geometric mean, the exponential of the mean logarithm; in the values' own order. */
static void reduce_moments(const double *values, int n, rl_reduced *reduced) {
    const int count = reduced->count;
    double squares = 0;
    for (int i = 0; i < n; i++) {
        const double deviation = values[i] - reduced->mean;
        if (!isnan(values[i])) squares += deviation * deviation;
    }
    if (count >= 2) reduced->standard_error = sqrt(squares / (count - 1)) / sqrt(count);
    reduced->geometric_mean = geometric_mean(values, n, reduced);
}

static const rl_reduced nothing = {0, NAN, NAN, NAN, NAN, NAN, NAN, {NAN, NAN, NAN, NAN, NAN}, NAN, NAN};

/* Weights of the numbers of heads are binomial coefficients, here in units of the largest: from the middle down as far
 * as they count. `up_to` is the sum of those of at most k heads. */
int64_t rl_median_interval(int64_t n, double miss) {
    const int64_t middle = n / 2;
    double up_to = 0, weight = 1;
    for (int64_t k = middle; k >= 0 && weight > 1e-20; k--) {
        up_to += weight;
        weight *= (double)k / (double)(n - k + 1);
    }
    const double all = n % 2 == 0 ? 2 * up_to - 1 : 2 * up_to;
    int64_t k = middle;
    for (weight = 1; k >= 0 && up_to > miss / 2 * all; k--) {
        up_to -= weight;
        weight *= (double)k / (double)(n - k + 1);
    }
    return k;
}

/* By a value that may be none, which is neither less nor more than anything. */
RL_INLINED void widen(double value, double *least, double *largest) {
    *least = value < *least ? value : *least;
    *largest = value > *largest ? value : *largest;
}

/* The least and the largest of values of which some may be none; of no values infinite ones. */
RL_CLONES static void find_extremes(const double *values, int n, double *minimum, double *maximum) {
    enum { LANES = 64 }; /* more than are unrolled: in vector registers */
    double least[LANES], largest[LANES];
    int first = 0;
    for (int k = 0; k < LANES; k++) {
        least[k] = INFINITY;
        largest[k] = -INFINITY;
    }
    for (; first + LANES <= n; first += LANES)
        for (int k = 0; k < LANES; k++) widen(values[first + k], &least[k], &largest[k]);
    for (int k = 0; first + k < n; k++) widen(values[first + k], &least[k], &largest[k]);
    *minimum = INFINITY;
    *maximum = -INFINITY;
    for (int k = 0; k < LANES; k++) {
        *minimum = fmin(*minimum, least[k]);
        *maximum = fmax(*maximum, largest[k]);
    }
}

/* In the values' own order. Where none is missing nothing is asked of each; then the sum is a number, unless it is the
 * difference of infinite ones. */
static double sum_values(const double *values, int n, int *count) {
    double sum = 0;
    *count = n;
    for (int i = 0; i < n; i++) sum += values[i];
    if (!isnan(sum)) return sum;
    sum = 0;
    for (int i = *count = 0; i < n; i++) {
        if (isnan(values[i])) continue;
        sum += values[i];
        ++*count;
    }
    return sum;
}

/* What does not take an order: count, mean, least and largest. */
static rl_reduced reduce_unsorted(const double *values, int n) {
    rl_reduced reduced = nothing;
    int count;
    const double sum = sum_values(values, n, &count);
    if (count == 0) return reduced;
    reduced.count = count;
    reduced.mean = sum / count;
    find_extremes(values, n, &reduced.minimum, &reduced.maximum);
    return reduced;
}

/* That of a set's median. Most sets have as many values as the one before. */
static int64_t interval_of_set(int64_t n) {
    static _Thread_local int64_t before = -1, k;
    if (n != before) k = rl_median_interval(n, RL_SPIKE_MISS / 3);
    before = n;
    return k;
}

/* Places in the order of `count` values, in ascending order, of which statistics are made; how many. */
static int find_places(int count, int64_t k, int places[2 * RL_N_QUANTILES + 4]) {
    int n = 0;
    for (int i = 0; i < RL_N_QUANTILES; i++) {
        const int below = (int)(rl_quantiles[i] * (count - 1));
        if (k >= 0 && rl_quantiles[i] == 0.5) places[n++] = (int)k;
        places[n++] = below;
        if (below + 1 < count) places[n++] = below + 1;
        if (k >= 0 && rl_quantiles[i] == 0.5) places[n++] = count - 1 - (int)k;
    }
    return n;
}

/* All that takes an order. */
static void reduce_in_order(const double *values, int n, double *scratch, rl_reduced *reduced) {
    const int count = reduced->count;
    const int64_t k = interval_of_set(count);
    const double *const sorted = scratch;
    int places[2 * RL_N_QUANTILES + 4];
    const int n_places = find_places(count, k, places);
    rl_sort_places(values, n, count, reduced->minimum, reduced->maximum, places, n_places, scratch, scratch + n);
    for (int i = 0; i < RL_N_QUANTILES; i++) reduced->quantile[i] = quantile(sorted, count, rl_quantiles[i]);
    reduced->median = quantile(sorted, count, 0.5);
    if (k < 0) return;
    reduced->median_low = sorted[k];
    reduced->median_high = sorted[count - 1 - k];
}

rl_reduced rl_reduce_without_moments(const double *values, int n, double *scratch) {
    rl_reduced reduced = reduce_unsorted(values, n);
    if (reduced.count > 0) reduce_in_order(values, n, scratch, &reduced);
    return reduced;
}

rl_reduced rl_reduce(const double *values, int n, double *scratch) {
    rl_reduced reduced = rl_reduce_without_moments(values, n, scratch);
    if (reduced.count > 0) reduce_moments(values, n, &reduced);
    return reduced;
}

/* ---- overflow ---------------------------------------------------------------------------------------------------- */

void rl_overflow_count(rl_overflow *o, double mean, rl_overflow place) {
    const int64_t n = o->n, n_means = o->n_means + !isnan(mean);
    if (n == 0 && isinf(mean)) *o = place;
    o->n = isinf(mean) ? n + 1 : n;
    o->n_means = n_means;
}

const char *rl_overflow_text(const rl_overflow *o, char text[RL_OVERFLOW_TEXT]) {
    char n[32], all[32];
    snprintf(text, RL_OVERFLOW_TEXT,
             "%s of %s mean errors are infinite, as squares leave the range of numbers (1.8e308): first "
             "that of `%.100s` on `%.100s`, P = %d, N = %d",
             rl_count_text(o->n, n), rl_count_text(o->n_means, all), o->variant, o->dataset, o->n_features, o->n_train);
    return text;
}

/* ---- buckets ----------------------------------------------------------------------------------------------------- */

/* What the numbers of the i-th bucket of a list are taken for. */
static double value_at(const rl_buckets *b, int i) {
    return fmin(fmax(rl_bucket_middle(b->bucket[i]), b->minimum), b->maximum);
}

/* The number with k before it. */
static double order_statistic(const rl_buckets *b, int64_t k) {
    int64_t before = 0;
    int i = 0;
    if (k == 0) return b->minimum;
    if (k == b->total - 1) return b->maximum;
    while (before + b->count[i] <= k) before += b->count[i++];
    return value_at(b, i);
}

static double bucket_quantile(const rl_buckets *b, double q) {
    const double position = q * (double)(b->total - 1);
    const int64_t below = (int64_t)position;
    const double next[2] = {order_statistic(b, below), order_statistic(b, below + 1 < b->total ? below + 1 : below)};
    return quantile(next, 2, position - (double)below);
}

/* All sums go up the buckets, whose order is always the same. */
rl_reduced rl_reduce_buckets(const rl_buckets *b) {
    rl_reduced reduced = nothing;
    const double n = (double)b->total;
    double sum = 0, logs = 0, squares = 0;
    if (b->total == 0) return reduced;
    for (int i = 0; i < b->n; i++) {
        sum += b->count[i] * value_at(b, i);
        logs += b->count[i] * log(value_at(b, i));
    }
    reduced.count = (int)b->total;
    reduced.minimum = b->minimum;
    reduced.maximum = b->maximum;
    reduced.mean = sum / n;
    reduced.geometric_mean = exp(logs / n);
    for (int i = 0; i < b->n; i++) squares += b->count[i] * pow(value_at(b, i) - reduced.mean, 2);
    if (b->total > 1) reduced.standard_error = sqrt(squares / (n - 1)) / sqrt(n);
    for (int i = 0; i < RL_N_QUANTILES; i++) reduced.quantile[i] = bucket_quantile(b, rl_quantiles[i]);
    reduced.median = bucket_quantile(b, 0.5);
    const int64_t k = interval_of_set(b->total);
    if (k < 0) return reduced;
    reduced.median_low = order_statistic(b, k);
    reduced.median_high = order_statistic(b, b->total - 1 - k);
    return reduced;
}
