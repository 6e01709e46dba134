/* The ablation `ridge`: the minimum of |X beta - y|^2 + lambda |beta|^2. f(sigma) = sigma / (sigma^2 + lambda), which
 * is 0 on modes that are zero. */
#include "filter.h"

static void fit_ridge(const rl_spectrum *s, const rl_variant *variant, rl_fit *fit) {
    const double scale = rl_options_flag(&variant->options, "relative") ? s->sigma[0] * s->sigma[0] : 1;
    const double lambda = variant->parameter * scale;
    rl_fit_modes(s, s->c[RL_TARGET_Y], 0, fit);
    for (int r = 0; r < s->rank; r++) {
        const double sigma = s->sigma[r], c = s->c[RL_TARGET_Y][r];
        /* both sides of the fraction are divided by sigma: sigma^2 could overflow */
        fit->beta[r] = c / (sigma + lambda / sigma);
        fit->residual[r] = c * (lambda / sigma) / (sigma + lambda / sigma);
    }
}

static const rl_option_spec options[] = {
    {.key = "relative", .type = RL_OPTION_FLAG, .help = "lambda in units of the largest singular value squared"},
};

const rl_ablation rl_ablation_ridge = {
    .name = "ridge",
    .summary = "ridge regression, penalty lambda |beta|^2 on the sum of squares",
    .role = RL_ROLE_CURE,
    .parameter = RL_PARAMETER_POSITIVE,
    .parameter_meaning = "lambda, in units of the features squared",
    .example = "ridge: [0.01, 0.1, 1]",
    .options = options,
    .n_options = 1,
    .approaches_least_squares = true,
    .fit = fit_ridge,
};
