/* The ablation `adversarial_test`: every test row moves by a step along v_r, r the smallest non-zero mode, and so every
 * prediction by step * beta_r. */
#include "filter.h"

static void fit_adversarial_test(const rl_spectrum *s, const rl_variant *variant, rl_fit *fit) {
    rl_fit_modes(s, s->c[RL_TARGET_Y], s->n_modes, fit);
    if (s->rank > 0) fit->shift = variant->parameter * fit->beta[s->rank - 1];
}

const rl_ablation rl_ablation_adversarial_test = {
    .name = "adversarial_test",
    .summary = "test features moved along the smallest mode",
    .role = RL_ROLE_ATTACK,
    .parameter = RL_PARAMETER_REAL,
    .parameter_meaning = "step, in units of the features",
    .example = "adversarial_test: [-1, 1]",
    .fit = fit_adversarial_test,
};
