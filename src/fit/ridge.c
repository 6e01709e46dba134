/* The ablation `ridge`: the minimum of |X beta - y|^2 + lambda |beta|^2. f(sigma) = sigma / (sigma^2 + lambda), which
 * is 0 on modes that are zero. Squares of singular values leave the range of numbers long before these do: both sides
 * of the fraction are divided by sigma, and what is relative to the largest is in units of a power of two about it,
 * which changes no bit. */
#include <math.h>

#include "search.h"

static const double most = 0x1p500; /* beside it a number of at most 2 counts for nothing */

static void fit_with(const rl_spectrum *s, const rl_variant *variant, bool relative, rl_fit *fit) {
    const double unit = s->rank > 0 ? ldexp(1, ilogb(s->sigma[0])) : 1, largest = s->sigma[0] / unit;
    rl_fit_modes(s, s->c[RL_TARGET_Y], 0, fit);
    for (int r = 0; r < s->rank; r++) {
        const double sigma = s->sigma[r], c = s->c[RL_TARGET_Y][r];
        const double shrinking =
            relative ? variant->parameter * (largest * largest) / (sigma / unit) * unit : variant->parameter / sigma;
        const double in_units = fmin(shrinking / unit, most);
        fit->beta[r] = c / (sigma + shrinking);
        fit->residual[r] = c * in_units / (sigma / unit + in_units);
    }
}

static void fit_ridge(const rl_spectrum *s, const rl_variant *variant, rl_fit *fit) {
    fit_with(s, variant, rl_options_flag(&variant->options, "relative"), fit);
}

void rl_fit_ridge(const rl_spectrum *s, const rl_variant *variant, rl_fit *fit) {
    fit_with(s, variant, false, fit);
}

static double penalty_of(const rl_variant *variant, double largest) {
    return variant->parameter * (rl_options_flag(&variant->options, "relative") ? largest : 1);
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
    .is_linear = true,
    .fit = fit_ridge,
    .penalty = penalty_of,
};
