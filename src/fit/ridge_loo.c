/* The ablation `ridge_loo`: ridge with the penalty whose leave-one-out error is least (Allen 1974, Technometrics 16,
 * 125), by the shortcut that measures.c has. The training rows alone decide. */
#include <math.h>

#include "search.h"

static double leave_one_out(rl_evaluator *e, const rl_spectrum *s, double penalty) {
    for (int r = 0; r < s->n_modes; r++) {
        const double shrinking = r < s->rank ? penalty / s->sigma[r] : INFINITY;
        e->left[r] = r < s->rank ? shrinking / (s->sigma[r] + shrinking) : 1;
    }
    return rl_leave_one_out(s, e->left);
}

static double choose_by_loo(rl_evaluator *e, const rl_spectrum *s, const rl_variant *variant) {
    (void)variant;
    return rl_best_penalty(e, s, leave_one_out);
}

const rl_ablation rl_ablation_ridge_loo = {
    .name = "ridge_loo",
    .summary = "ridge regression with the penalty that leave-one-out chooses",
    .role = RL_ROLE_CURE,
    .example = "ridge: loo",
    .need = RL_NEED_LEFT,
    .approaches_least_squares = true,
    .is_linear = true,
    .fit = rl_fit_ridge,
    .choose = choose_by_loo,
};
