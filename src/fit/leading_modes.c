/* The ablation `leading_modes`, the second of the paper: test features projected onto the span of the k leading modes
 * of the training features. Predictions lose the other modes; the fit is the one without ablation. */
#include "filter.h"

static rl_truncation truncate_leading_modes(const rl_spectrum *s, const rl_variant *variant) {
    const int kept = variant->parameter < s->n_modes ? (int)variant->parameter : s->n_modes;
    return (rl_truncation){kept, s->n_modes, RL_TARGET_Y};
}

const rl_ablation rl_ablation_leading_modes = {
    .name = "leading_modes",
    .summary = "test features projected onto the k leading modes of the training features",
    .role = RL_ROLE_FACTOR,
    .parameter = RL_PARAMETER_COUNT,
    .parameter_meaning = "modes kept",
    .example = "leading_modes: [3, 6]",
    .leaves_modes_out = true,
    .truncate = truncate_leading_modes,
};
