/* The ablation `gradient_descent_best`: early stopping at the step whose test error is least. It looks at the test
 * targets, which nobody has: what no rule for stopping can do better than. */
#include <math.h>

#include "search.h"

typedef struct trial {
    rl_evaluator *e;
    const rl_spectrum *s;
    rl_variant variant;
} trial;

static double steps_at(double log_steps) {
    return fmax(1, nearbyint(exp(log_steps)));
}

static double test_sum(const void *of, double log_steps) {
    const trial *const t = of;
    rl_variant variant = t->variant;
    rl_fit fit = {.beta = t->e->trial, .residual = t->e->left};
    variant.parameter = steps_at(log_steps);
    rl_fit_gradient_descent(t->s, &variant, &fit);
    return rl_test_sum_of(t->e, t->s, fit.beta);
}

/* Until the smallest mode has gone all of its way but for 1e-8, in units in which the rate of the largest is at most 1;
 * whole numbers of steps below 2^53 are there. */
static double choose_best(rl_evaluator *e, const rl_spectrum *s, const rl_variant *variant) {
    static const double path = 18, most = 36;
    const trial of = {e, s, *variant};
    if (s->rank == 0) return 1;
    const bool relative = rl_options_flag(&variant->options, "relative");
    const double unit = relative ? s->sigma[0] : 1, rate = rl_options_real(&variant->options, "rate");
    const double slowest = log(path) - log(rate) - 2 * log(s->sigma[s->rank - 1] / unit);
    return steps_at(rl_least_at(test_sum, &of, 0, fmin(most, fmax(1, slowest))));
}

const rl_ablation rl_ablation_gradient_descent_best = {
    .name = "gradient_descent_best",
    .summary = "gradient descent from zero, stopped at the step that tests best (closed form)",
    .role = RL_ROLE_CURE,
    .example = "gradient_descent: best",
    .options = rl_descent_options,
    .n_options = RL_N_DESCENT_OPTIONS - 1,
    .need = RL_NEED_TEST_ROWS,
    .approaches_least_squares = true,
    .is_linear = true,
    .fit = rl_fit_gradient_descent,
    .choose = choose_best,
};
