/* Laws of least squares on independent standard normal features, and the probabilities by which a sample is judged. For
 * the tests, on one rank and on many.
 *
 * A training set is N x P, n = min(N, P), m = max(N, P). Unless it says `limit`, a law is exact at that size. A p-value
 * is the probability of a sample as far off or further when the law holds; LEVEL is the rate of false alarms a check.
 * Seeds are fixed, so a pass stays a pass. */
#ifndef RL_TEST_LAWS_H
#define RL_TEST_LAWS_H

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_psi.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

void dsyrk_(const char *uplo, const char *trans, const int *n, const int *k, const double *alpha, const double *a,
            const int *lda, const double *beta, double *c, const int *ldc, size_t, size_t);
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t);

static const double LEVEL = 0.001;

/* ---- judging a sample -------------------------------------------------------------------------------------------- */

static inline int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Kolmogorov and Smirnov: n values that should be uniform on [0, 1], by the limit law with Stephens' correction. Sorts
 * them. */
static inline double ks_p_value(double *u, int n) {
    double d = 0, p = 0;
    qsort(u, (size_t)n, sizeof *u, ascending);
    for (int i = 0; i < n; i++) d = fmax(d, fmax(u[i] - (double)i / n, (double)(i + 1) / n - u[i]));
    const double t = d * (sqrt(n) + 0.12 + 0.11 / sqrt(n));
    for (int k = 1; k <= 100; k++) p += 2 * (k % 2 ? 1 : -1) * exp(-2.0 * k * k * t * t);
    return fmin(1, p);
}

/* A standard normal number, both sides. */
static inline double normal_p_value(double z) {
    return 2 * gsl_cdf_ugaussian_Q(fabs(z));
}

static inline double mean_of(const double *values, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += values[i];
    return sum / n;
}

static inline double standard_error_of(const double *values, int n) {
    const double mean = mean_of(values, n);
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (values[i] - mean) * (values[i] - mean);
    return sqrt(sum / (n - 1) / n);
}

/* Student: the mean of n normal values of unknown variance. */
static inline double student_p_value(const double *values, int n, double expected) {
    return 2 * gsl_cdf_tdist_Q(fabs(mean_of(values, n) - expected) / standard_error_of(values, n), n - 1);
}

/* A few values that should be uniform on [0, 1], too few for Kolmogorov and Smirnov: turned into normal ones, whose
 * mean and sum of squares are judged. */
static inline double few_p_value(const double *u, int n) {
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++) {
        const double z = gsl_cdf_ugaussian_Pinv(u[i]);
        sum += z;
        squares += z * z;
    }
    return fmin(1, 2 * fmin(normal_p_value(sum / sqrt(n)), gsl_cdf_chisq_Q(squares, n)));
}

/* ---- risk -------------------------------------------------------------------------------------------------------- */

static inline int smaller_of(int a, int b) {
    return a < b ? a : b;
}

static inline int larger_of(int a, int b) {
    return a > b ? a : b;
}

/* Belkin, Hsu and Xu 2020, "Two models of double descent for weak features" (arXiv:1903.07571), theorem 1, for |N - P|
 * >= 2: signal = |beta*|^2, variance that of y given the features. */
static inline double expected_risk(int n_train, int n_features, double signal, double variance) {
    const double n = n_train, p = n_features;
    if (n > p) return variance * (n - 1) / (n - p - 1);
    return signal * (1 - n / p) + variance * (1 + n / (p - n - 1));
}

/* Its standard deviation from training set to training set, the expectation over the test row taken; for |N - P| >= 4.
 * Bias and noise are independent. The bias is beta-distributed; of the noise, moments of the inverse Wishart matrix
 * (von Rosen 1988, "Moments for the inverted Wishart distribution"). */
static inline double risk_deviation(int n_train, int n_features, double signal, double variance) {
    const double n = smaller_of(n_train, n_features), m = larger_of(n_train, n_features), d = m - n;
    const double trace = n / (d - 1), scale = d * (d - 1) * (d - 3);
    const double trace_of_square = n * (m - 1) / scale, square_of_trace = (n * n * (d - 2) + 2 * n) / scale;
    const double noise = 2 * trace_of_square + square_of_trace - trace * trace;
    const double lost = n_train < n_features ? 1 - (double)n_train / n_features : 0;
    const double bias = lost * (1 - lost) / (n_features / 2.0 + 1);
    return sqrt(signal * signal * bias + variance * variance * noise);
}

/* |(V V^T - I) beta|^2 / |beta|^2 of N < P, made uniform: the squared length of a fixed vector's projection onto a
 * random subspace (Muirhead 1982, theorem 1.5.7). */
static inline double uniform_bias(double share, int n_train, int n_features) {
    return gsl_cdf_beta_P(share, (n_features - n_train) / 2.0, n_train / 2.0);
}

/* ---- leverage ---------------------------------------------------------------------------------------------------- */

/* h = x^T (X^T X)^+ x of a fresh row, made uniform: a ratio of independent chi-squares (Hotelling's T^2; Muirhead 1982,
 * theorem 3.2.12), h (m - n + 1) / n ~ F(n, m - n + 1), at N = P too. */
static inline double uniform_leverage(double h, int n, int m) {
    return gsl_cdf_fdist_P(h * (m - n + 1) / n, n, m - n + 1);
}

/* Many test rows of one training set share its X, so their leverages are not independent. Those of each row once the
 * rows before it have joined the training set are: they are what the Cholesky factor of I + Z S^-2 Z^T has on its
 * diagonal (1 + h = L_kk^2), each with its own law, of m + k rows (Wilks 1932; Anderson 2003, "An introduction to
 * multivariate statistical analysis", section 8.4). z [count, n] row-major: coordinates of the test rows, overwritten
 * by Z S^-1. u [count]: uniform and independent. */
static inline void uniform_leverages(double *z, const double *sigma, int count, int n, int m, double *u) {
    const double unit = 1, zero = 0;
    const size_t ld = (size_t)count;
    double *const g = calloc(ld * ld, sizeof *g);
    int info;
    for (size_t i = 0; i < ld; i++)
        for (size_t r = 0; r < (size_t)n; r++) z[i * (size_t)n + r] /= sigma[r];
    dsyrk_("L", "T", &count, &n, &unit, z, &n, &zero, g, &count, 1, 1);
    for (size_t i = 0; i < ld; i++) g[i * ld + i] += 1;
    dpotrf_("L", &count, g, &count, &info, 1);
    for (size_t i = 0; i < ld; i++)
        u[i] = info == 0 ? uniform_leverage(g[i * ld + i] * g[i * ld + i] - 1, n, m + (int)i) : NAN;
    free(g);
}

/* ---- singular values --------------------------------------------------------------------------------------------- */

/* The smallest one, made uniform. |N - P| = 1: n sigma^2 / 2 is exponential (Edelman 1988, corollary 3.1). N = P: the
 * limit law of n sigma^2, 1 - exp(-(x / 2 + sqrt(x))), off by the order of 1 / n (Edelman 1988, theorem 4.2). */
static inline double uniform_smallest(double sigma, int n_train, int n_features) {
    const double x = smaller_of(n_train, n_features) * sigma * sigma;
    return n_train == n_features ? 1 - exp(-(x / 2 + sqrt(x))) : 1 - exp(-x / 2);
}

/* sum log sigma^2 is a sum of independent logarithms of chi-squares (Goodman 1963; Muirhead 1982, theorem 3.2.15).
 * Standardized; the limit is normal. */
static inline double normal_log_determinant(const double *sigma, int n, int m) {
    double value = 0, mean = 0, variance = 0;
    for (int i = 0; i < n; i++) {
        value += 2 * log(sigma[i]);
        mean += gsl_sf_psi((m - i) / 2.0) + log(2);
        variance += gsl_sf_psi_1((m - i) / 2.0);
    }
    return (value - mean) / sqrt(variance);
}

/* Limit: the largest sigma^2, centred and scaled, follows the Tracy-Widom law of order 1 (Johnstone 2001), whose mean
 * is -1.2065336 and variance 1.6077810. Minus that mean, over its deviation: mean 0, variance 1. */
static inline double standard_largest(double sigma, int n, int m) {
    const double sum = sqrt(m - 1) + sqrt(n), centre = sum * sum;
    const double scale = sum * cbrt(1 / sqrt(m - 1) + 1 / sqrt(n));
    return ((sigma * sigma - centre) / scale + 1.2065336) / sqrt(1.6077810);
}

/* No singular value leaves [sqrt(m) - sqrt(n) - t, sqrt(m) + sqrt(n) + t] with a probability of more than 2 exp(-t^2 /
 * 2) (Davidson and Szarek 2001, theorem II.13): t for one of `count` matrices to do so. */
static inline bool inside_edges(double sigma_min, double sigma_max, int n, int m, int count) {
    const double t = sqrt(-2 * log(LEVEL / 2 / count));
    return sigma_max <= sqrt(m) + sqrt(n) + t && sigma_min >= sqrt(m) - sqrt(n) - t;
}

/* Limit: sigma / sqrt(n) of an n x n matrix is distributed as a quarter circle of radius 2 (Marchenko and Pastur 1967).
 * How many are at least c sqrt(n), and their sum of 1 / sigma^2, each with the correction of the next order (Dumitriu
 * and Edelman 2006, "Global spectrum fluctuations for the beta-Hermite and beta-Laguerre ensembles"): what is left is
 * of the order of 1 / n of the latter. */
static inline double expected_kept(double c, int n) {
    const double lost = (c * sqrt(4 - c * c) / 2 + 2 * asin(c / 2)) / M_PI;
    return n * (1 - lost) + 0.25 - acos(c * c / 2 - 1) / (2 * M_PI);
}

static inline double expected_inverse_squares(double c, int n) {
    const double limit = (sqrt(4 - c * c) / c + asin(c / 2) - M_PI / 2) / M_PI;
    return limit + (1.0 / 16 - sqrt((4 - c * c) / (c * c)) / (4 * M_PI)) / n;
}

#endif
