/* The ablation `ridge_best`: ridge with the penalty whose test error is least. It looks at the test targets, which
 * nobody has: what no choice of lambda can do better than. With the best lambda for independent normal features the
 * expected error falls with every row (Nakkiran, Venkat, Kakade and Ma 2021, arXiv:2003.01897). */
#include "search.h"

static double test_sum(rl_evaluator *e, const rl_spectrum *s, double penalty) {
    for (int r = 0; r < s->n_modes; r++)
        e->trial[r] = r < s->rank ? s->c[RL_TARGET_Y][r] / (s->sigma[r] + penalty / s->sigma[r]) : 0;
    return rl_test_sum_of(e, s, e->trial);
}

static double choose_best(rl_evaluator *e, const rl_spectrum *s, const rl_variant *variant) {
    (void)variant;
    return rl_best_penalty(e, s, test_sum);
}

const rl_ablation rl_ablation_ridge_best = {
    .name = "ridge_best",
    .summary = "ridge regression with the penalty that tests best",
    .role = RL_ROLE_CURE,
    .example = "ridge: best",
    .need = RL_NEED_TEST_ROWS,
    .approaches_least_squares = true,
    .is_linear = true,
    .fit = rl_fit_ridge,
    .choose = choose_best,
};
