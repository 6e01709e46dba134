/* What least squares costs on average on D independent standard normal inputs x, where y = x . beta + e and e has the
 * variance V: exact formulas, with an intercept and without.
 *
 * With an intercept and N > D + 2, centring takes one degree of freedom: an error's mean is
 * V (1 + 1/N + E |x - mean|^2_S), where the scatter S of the inputs is Wishart with N - 1 degrees of freedom and x -
 * mean has the variance 1 + 1/N. As E tr S^-1 = D / (N - D - 2), that is V (1 + 1/N) (N - 2) / (N - D - 2).
 *
 * With an intercept and N <= D, the fit goes through the training rows [1 X], and E (1, x) (1, x)^T is the identity. So
 * the bias is that part of |beta|^2 which is outside the rows, and the noise V E tr (G + 1 1^T)^-1 with G = X X^T. A
 * rotation of the rows turns the vector of ones into sqrt(N) times the first axis. With u = 1 / (G^-1)_11, which is
 * chi^2 with D - N + 1 degrees of freedom and independent of the other entries of that row over (G^-1)_11, whose
 * squares add up to (N - 1) / (D - N) on average, the Sherman-Morrison formula gives in h = E 1 / (u + N)
 *
 *   bias = |beta|^2 (1 - N (1 - h) / D)        noise = V (N - 1 + (D - 1) h) / (D - N), infinite for N = D. */
#include <math.h>

#include "filter.h"

/* E 1 / (u + n) of u that is chi^2 with k degrees of freedom. */
static double mean_inverse(double k, double n) {
    return rl_scaled_exponential_integral(k / 2, n / 2) / 2;
}

double rl_expected_bias(const rl_expectation *e) {
    const double n = e->n_train, p = e->n_features;
    if (n >= p) return 0;
    if (!e->intercept) return e->signal * (1 - n / p); /* the part outside a random space of n dimensions */
    const double d = p - 1;
    return e->signal * (1 - n * (1 - mean_inverse(d - n + 1, n)) / d);
}

double rl_expected_mse_with_intercept(const rl_expectation *e) {
    const double n = e->n_train, d = e->n_features - 1.0, v = e->residual_variance, bias = rl_expected_bias(e);
    if (v == 0) return bias;
    if (n >= d + 3) return v * (1 + 1 / n) * (n - 2) / (n - d - 2);
    if (n >= d) return INFINITY;
    return bias + v * (1 + (n - 1 + (d - 1) * mean_inverse(d - n + 1, n)) / (d - n));
}
