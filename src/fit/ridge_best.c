/* The ablation `ridge_best`: ridge with the penalty whose test error is least. It looks at the test targets, which
 * nobody has: what no choice of lambda can do better than. With the best lambda for independent normal features the
 * expected error falls with every row (Nakkiran, Venkat, Kakade and Ma 2021, arXiv:2003.01897). */
#include <math.h>

#include "search.h"

typedef struct trial {
    rl_evaluator *e;
    const rl_spectrum *s;
} trial;

static double test_sum(const void *of, double log_penalty) {
    const trial *const t = of;
    const rl_spectrum *const s = t->s;
    const double penalty = exp(log_penalty);
    for (int r = 0; r < s->n_modes; r++)
        t->e->trial[r] = r < s->rank ? s->c[RL_TARGET_Y][r] / (s->sigma[r] + penalty / s->sigma[r]) : 0;
    return rl_test_sum_of(t->e, s, t->e->trial);
}

static double choose_best(rl_evaluator *e, const rl_spectrum *s, const rl_variant *variant) {
    const trial of = {e, s};
    (void)variant;
    if (s->rank == 0) return 0;
    const rl_penalties range = rl_penalties_of(s);
    return exp(rl_least_at(test_sum, &of, range.least, range.most));
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
