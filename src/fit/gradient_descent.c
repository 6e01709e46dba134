/* The ablation `gradient_descent`: t steps from zero on half the sum of squares, beta <- beta + eta X^T (y - X beta),
 * in closed form. f(sigma) = (1 - (1 - eta sigma^2)^t) / sigma. */
#include <math.h>

#include "search.h"

/* (1 - x)^t for x >= 0 and a whole number t, accurate for small x too. */
static double decay_factor(double x, double steps) {
    if (x < 1) return exp(steps * log1p(-x));
    return pow(1 - x, steps);
}

/* 1 - (1 - x)^t. */
static double progress_factor(double x, double steps) {
    if (x < 1) return -expm1(steps * log1p(-x));
    return 1 - pow(1 - x, steps);
}

void rl_fit_gradient_descent(const rl_spectrum *s, const rl_variant *variant, rl_fit *fit) {
    const double rate = rl_options_real(&variant->options, "rate");
    const double unit = rl_options_flag(&variant->options, "relative") ? s->sigma[0] : 1;
    rl_fit_modes(s, s->c[RL_TARGET_Y], 0, fit);
    for (int r = 0; r < s->rank; r++) {
        const double x = rate * (s->sigma[r] / unit) * (s->sigma[r] / unit);
        fit->beta[r] = s->c[RL_TARGET_Y][r] * progress_factor(x, variant->parameter) / s->sigma[r];
        fit->residual[r] = s->c[RL_TARGET_Y][r] * decay_factor(x, variant->parameter);
    }
}

const rl_ablation rl_ablation_gradient_descent = {
    .name = "gradient_descent",
    .summary = "gradient descent from zero, stopped after t steps (closed form)",
    .role = RL_ROLE_CURE,
    .parameter = RL_PARAMETER_COUNT,
    .parameter_meaning = "steps",
    .example = "gradient_descent: {values: [10, 100], rate: 0.5}",
    .options = rl_descent_options,
    .n_options = RL_N_DESCENT_OPTIONS - 1,
    .approaches_least_squares = true,
    .is_linear = true,
    .fit = rl_fit_gradient_descent,
};
