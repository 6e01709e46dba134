/* The ablation `adversarial_train`: the training targets move by a step along u_r, r the smallest non-zero mode. So c_r
 * grows by the step and beta_r by step / sigma_r. The part of the targets outside the modes stays, and with it the
 * residual that training leaves. */
#include <math.h>

#include "../vectors.h"
#include "filter.h"

/* The root mean square of a training target. */
static double size_of_target(const rl_spectrum *s) {
    const double inside = rl_sum_of_squares(s->n_modes, s->c[RL_TARGET_Y]);
    return sqrt((inside + s->outside_sq[RL_TARGET_Y]) / s->n_train);
}

static void fit_adversarial_train(const rl_spectrum *s, const rl_variant *variant, rl_fit *fit) {
    rl_fit_modes(s, s->c[RL_TARGET_Y], s->n_modes, fit);
    if (s->rank == 0) return;
    const double unit = rl_options_flag(&variant->options, "relative") ? size_of_target(s) : 1;
    fit->beta[s->rank - 1] += variant->parameter * unit / s->sigma[s->rank - 1];
}

static const rl_option_spec options[] = {
    {.key = "relative", .type = RL_OPTION_FLAG, .help = "step in units of a training target's root mean square"},
};

const rl_ablation rl_ablation_adversarial_train = {
    .name = "adversarial_train",
    .summary = "training targets moved along the smallest mode",
    .role = RL_ROLE_ATTACK,
    .parameter = RL_PARAMETER_REAL,
    .parameter_meaning = "step, in units of the target",
    .example = "adversarial_train: [-1, 1]",
    .options = options,
    .n_options = 1,
    .fit = fit_adversarial_train,
};
