/* The ablation `adversarial_test`: every test row moves by a step along v_r, r the smallest non-zero mode, and so every
 * prediction by step * beta_r. */
#include <math.h>

#include "../vectors.h"
#include "filter.h"

/* The root mean square of a training feature: the squares of all of them are those of the singular values. */
static double size_of_feature(const rl_spectrum *s) {
    rl_squares squares = {0};
    for (int r = 0; r < s->n_modes; r++) rl_squares_add(&squares, s->sigma[r]);
    return squares.unit * sqrt(squares.sum / s->n_train / s->n_features);
}

static void fit_adversarial_test(const rl_spectrum *s, const rl_variant *variant, rl_fit *fit) {
    rl_fit_modes(s, s->c[RL_TARGET_Y], s->n_modes, fit);
    if (s->rank == 0) return;
    const double unit = rl_options_flag(&variant->options, "relative") ? size_of_feature(s) : 1;
    fit->shift = variant->parameter * unit * fit->beta[s->rank - 1];
}

static const rl_option_spec options[] = {
    {.key = "relative", .type = RL_OPTION_FLAG, .help = "step in units of a training feature's root mean square"},
};

const rl_ablation rl_ablation_adversarial_test = {
    .name = "adversarial_test",
    .summary = "test features moved along the smallest mode",
    .role = RL_ROLE_ATTACK,
    .parameter = RL_PARAMETER_REAL,
    .parameter_meaning = "step, in units of the features",
    .example = "adversarial_test: [-1, 1]",
    .options = options,
    .n_options = 1,
    .fit = fit_adversarial_test,
};
