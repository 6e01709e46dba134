#include "filter.h"

/* Least squares, minimum-norm when n_train < n_features: f(sigma) = 1 / sigma on every mode. */
static void fit_none(const rl_spectrum *s, const rl_variant *variant, rl_fit *fit) {
    (void)variant;
    rl_fit_modes(s, s->c[RL_TARGET_Y], s->n_modes, fit);
}

const rl_ablation rl_ablation_none = {
    .name = "none",
    .summary = "least squares, minimum-norm where N < P",
    .parameter = RL_PARAMETER_NONE,
    .fit = fit_none,
};
