#include "filter.h"

/* Ablation 2: test features in the span of the k leading modes of the training features. Predictions lose the other
 * modes, the fit itself is the unablated one. */
static void fit_leading_modes(const rl_spectrum *s, const rl_variant *variant, rl_fit *fit) {
    rl_fit_modes(s, s->c[RL_TARGET_Y], s->n_modes, fit);
    for (int r = 0; r < s->n_modes; r++)
        if (r >= variant->parameter) fit->beta[r] = 0;
}

const rl_ablation rl_ablation_leading_modes = {
    .name = "leading_modes",
    .summary = "test features projected onto the k leading modes of the training features",
    .parameter = RL_PARAMETER_COUNT,
    .parameter_meaning = "modes kept",
    .fit = fit_leading_modes,
};
