#include <math.h>

#include "ridgeless/results.h"

const double rl_quantiles[RL_N_QUANTILES] = {0.05, 0.25, 0.5, 0.75, 0.95};

/* Shell sort with Knuth's gaps: for a few dozen repeats faster than qsort, and no slower for a thousand. */
static void sort(double *values, int n) {
    int gap = 1;
    while (gap < n / 3) gap = 3 * gap + 1;
    for (; gap > 0; gap /= 3)
        for (int i = gap; i < n; i++) {
            const double value = values[i];
            int j = i;
            for (; j >= gap && values[j - gap] > value; j -= gap) values[j] = values[j - gap];
            values[j] = value;
        }
}

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

/* exp of the mean logarithm of sorted values. */
static double geometric_mean(const double *sorted, int n) {
    if (sorted[0] < 0) return NAN;
    if (sorted[0] == 0) return 0;
    double sum = 0;
    for (int i = 0; i < n; i++) sum += log(sorted[i]);
    return exp(sum / n);
}

static double standard_error(const double *values, int n, double mean) {
    if (n < 2) return NAN;
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (values[i] - mean) * (values[i] - mean);
    return sqrt(sum / (n - 1)) / sqrt(n);
}

rl_reduced rl_reduce(const double *values, int n, double *scratch) {
    rl_reduced reduced = {0, NAN, NAN, NAN, NAN, {NAN, NAN, NAN, NAN, NAN}};
    double sum = 0;
    int count = 0;
    for (int i = 0; i < n; i++) {
        if (isnan(values[i])) continue;
        sum += values[i];
        scratch[count++] = values[i];
    }
    if (count == 0) return reduced;
    reduced.count = count;
    reduced.mean = sum / count;
    reduced.standard_error = standard_error(scratch, count, reduced.mean);
    sort(scratch, count);
    reduced.geometric_mean = geometric_mean(scratch, count);
    for (int i = 0; i < RL_N_QUANTILES; i++) reduced.quantile[i] = quantile(scratch, count, rl_quantiles[i]);
    reduced.median = quantile(scratch, count, 0.5);
    return reduced;
}
