/* Private to `fit`: what ablations share. */
#ifndef RL_FIT_FILTER_H
#define RL_FIT_FILTER_H

#include <math.h>

#include "../vectors.h"
#include "ridgeless/fit.h"

/* Least squares on the first n_kept modes: beta = c / sigma and residual 0 there, beta 0 and residual c on the others.
 * Modes from s->rank on are never kept. */
void rl_fit_modes(const rl_spectrum *s, const double *c, int n_kept, rl_fit *fit);

/* An error whose making has left the range of numbers, NaN where one infinity met another, is infinite. */
static inline double rl_error_of(double error) {
    return isnan(error) ? INFINITY : error;
}

/* All NaN. */
extern const rl_errors rl_no_errors;

/* rl_errors.distance: of a fit from the least-squares one, by the squares of what is between them and of the latter. */
static inline double rl_distance_of(rl_squares apart, rl_squares whole) {
    if (apart.sum == 0) return 0;
    return whole.sum == 0 ? NAN : rl_error_of(sqrt(apart.sum / whole.sum) * (apart.unit / whole.unit));
}

/* Of the singular values of an n x m matrix of independent standard normal numbers, 1 <= n <= m: the expected number
 * of those >= cutoff >= 0, and the expected sum of 1 / sigma^2 over these, INFINITY where it diverges. In O(m)
 * operations, to a relative accuracy of 50 m eps, far out in the tails too. A cutoff whose square underflows counts as
 * 0. */
typedef struct rl_wishart_tail {
    double count, inverse;
} rl_wishart_tail;
rl_wishart_tail rl_wishart_tail_of(int n, int m, double cutoff);

/* e^z E_s(z) = int_0^inf t^(s-1) e^-t / (t + z) dt / Gamma(s), for s > 0 and z > 0: the exponential integral of order s
 * without its decay. */
double rl_scaled_exponential_integral(double s, double z);

/* Of least squares on independent standard normal features, with an intercept or without: the expectation of the part
 * of the test error that is there without residuals; and, with an intercept, of the whole. INFINITY where it diverges.
 */
double rl_expected_bias(const rl_expectation *e);
double rl_expected_mse_with_intercept(const rl_expectation *e);

/* rl_ablation.penalty of what is least squares whatever its parameter. */
double rl_no_penalty(const rl_variant *variant, double largest);

/* Options of the ablations of gradient descent: only the one that runs has the last of them. */
enum { RL_N_DESCENT_OPTIONS = 3 };
extern const rl_option_spec rl_descent_options[RL_N_DESCENT_OPTIONS];

extern const rl_ablation rl_ablation_none, rl_ablation_cutoff, rl_ablation_leading_modes, rl_ablation_no_residuals,
    rl_ablation_adversarial_test, rl_ablation_adversarial_train, rl_ablation_ridge, rl_ablation_gradient_descent,
    rl_ablation_gradient_descent_run, rl_ablation_gradient_descent_best, rl_ablation_ridge_best, rl_ablation_ridge_gcv,
    rl_ablation_ridge_loo, rl_ablation_bagging, rl_ablation_bagging_limit, rl_ablation_normal_equations,
    rl_ablation_svd;

#endif
