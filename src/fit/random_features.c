/* The test error of random features from the eigenvalues of their kernel: see theory.h. */
#include <math.h>
#include <stdlib.h>

#include "../numbers.h"
#include "ridgeless/theory.h"

static double sum_of_shares(const rl_kernel_spectrum *k, double g) {
    double sum = k->tail / g;
    for (int i = 0; i < k->n; i++) sum += k->times[i] * k->value[i] / (k->value[i] + g);
    return sum;
}

static double trace_of(const rl_kernel_spectrum *k) {
    double sum = k->tail;
    for (int i = 0; i < k->n; i++) sum += k->times[i] * k->value[i];
    return sum;
}

/* kappa by the second equation. */
static double kappa_of(const rl_kernel_spectrum *k, double n_features, double g) {
    return (n_features - sum_of_shares(k, g)) / n_features * g;
}

/* Where the first equation holds, by bisection of the logarithm: its left side falls with g where kappa > 0, which is
 * from some g on. */
static double solve(const rl_kernel_spectrum *k, double n_train, double n_features, double delta) {
    const double least = delta > 0 ? n_train : fmin(n_train, n_features);
    double high = log(trace_of(k) + 2 * delta) + 1, low = high - 600;
    for (int i = 0; i < 64; i++) {
        const double middle = (low + high) / 2, g = exp(middle), kappa = kappa_of(k, n_features, g);
        const bool below = delta > 0 && kappa <= 0;
        *(below || sum_of_shares(k, g) + (delta > 0 ? delta / kappa : 0) > least ? &low : &high) = middle;
    }
    return exp((low + high) / 2);
}

/* By what n and m, the smaller and the larger, make of m / (m - n) at few rows and features. */
static double correction(double n, double m) {
    return m > n + 1 ? (m - n) / m * ((m - 1) / (m - n - 1)) : INFINITY;
}

double rl_random_features_mean(const rl_kernel_spectrum *k, int n_train, int n_features, double lambda) {
    const double n = n_train, p = n_features, g = solve(k, n, p, lambda / p);
    const double kappa = lambda == 0 && n_train >= n_features ? 0 : kappa_of(k, p, g), z = sum_of_shares(k, g);
    double q = 0, bias = 0;
    if (lambda == 0 && abs(n_train - n_features) <= 1) return INFINITY;
    for (int i = 0; i < k->n; i++) q += k->times[i] * pow(k->value[i] / (k->value[i] + g), 2);
    for (int i = 0; i < k->n; i++) {
        const double below = k->value[i] + g;
        bias += (g / below - kappa * (k->value[i] / below) / below * (p / (p - q))) * k->target[i];
    }
    const double error = (bias + k->noise) / (1 - (q * (p - 2 * z) + z * z) / (n * (p - q)));
    return lambda > 0 ? error : error * correction(fmin(n, p), fmax(n, p));
}

double rl_random_features_largest(const rl_kernel_spectrum *k, int n_train, int n_features) {
    const double n = n_train, p = n_features;
    double largest = 0;
    for (int i = 0; i < k->n; i++) largest = fmax(largest, k->value[i]);
    const double rest = trace_of(k) - largest;
    return (n * largest + rest) * (p * largest + rest) / largest;
}
