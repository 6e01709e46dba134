/* No ablation: least squares, minimum-norm when n_train < n_features. f(sigma) = 1 / sigma on every mode. */
#include <math.h>

#include "filter.h"

static rl_truncation truncate_none(const rl_spectrum *s, const rl_variant *variant) {
    (void)variant;
    return (rl_truncation){s->n_modes, s->n_modes, RL_TARGET_Y};
}

double rl_no_penalty(const rl_variant *variant, double largest) {
    (void)variant;
    (void)largest;
    return 0;
}

/* Belkin, Hsu and Xu 2020, "Two models of double descent for weak features" (arXiv:1903.07571), theorem 1. */
static double expected_least_squares_mse(const rl_expectation *e, const rl_variant *variant) {
    (void)variant;
    if (e->intercept) return rl_expected_mse_with_intercept(e);
    const double n = e->n_train, p = e->n_features, v = e->residual_variance, bias = rl_expected_bias(e);
    if (v == 0) return bias;
    if (n >= p + 2) return v * (n - 1) / (n - p - 1);
    if (n <= p - 2) return bias + v * (1 + n / (p - n - 1));
    return INFINITY;
}

const rl_ablation rl_ablation_none = {
    .name = "none",
    .summary = "least squares, minimum-norm where N < P",
    .role = RL_ROLE_FIT,
    .example = "none",
    .need = RL_NEED_FIT_TO_Y,
    .truncate = truncate_none,
    .expected_mse = expected_least_squares_mse,
    .penalty = rl_no_penalty,
};
