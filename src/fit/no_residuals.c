/* The ablation `no_residuals`, the third of the paper: training and test targets are replaced by the predictions of the
 * best linear model. */
#include "filter.h"

static rl_truncation truncate_no_residuals(const rl_spectrum *s, const rl_variant *variant) {
    (void)variant;
    return (rl_truncation){s->n_modes, s->n_modes, RL_TARGET_IDEAL};
}

/* The bias alone. */
static double expected_bias(const rl_expectation *e, const rl_variant *variant) {
    (void)variant;
    return rl_expected_bias(e);
}

const rl_ablation rl_ablation_no_residuals = {
    .name = "no_residuals",
    .summary = "targets without the residuals of the best linear model",
    .role = RL_ROLE_FACTOR,
    .example = "no_residuals",
    .need = RL_NEED_FIT_TO_IDEAL,
    .truncate = truncate_no_residuals,
    .expected_mse = expected_bias,
    .penalty = rl_no_penalty,
};
