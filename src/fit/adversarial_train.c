/* The ablation `adversarial_train`: the training targets move by a step along u_r, r the smallest non-zero mode. So c_r
 * grows by the step and beta_r by step / sigma_r. The part of the targets outside the modes stays, and with it the
 * residual that training leaves. */
#include "filter.h"

static void fit_adversarial_train(const rl_spectrum *s, const rl_variant *variant, rl_fit *fit) {
    rl_fit_modes(s, s->c[RL_TARGET_Y], s->n_modes, fit);
    if (s->rank > 0) fit->beta[s->rank - 1] += variant->parameter / s->sigma[s->rank - 1];
}

const rl_ablation rl_ablation_adversarial_train = {
    .name = "adversarial_train",
    .summary = "training targets moved along the smallest mode",
    .role = RL_ROLE_ATTACK,
    .parameter = RL_PARAMETER_REAL,
    .parameter_meaning = "step, in units of the target",
    .example = "adversarial_train: [-1, 1]",
    .fit = fit_adversarial_train,
};
