/* The ablation `cutoff`, the first of the paper: no small singular values. f(sigma) = 1 / sigma for sigma >= cutoff. */
#include <math.h>

#include "../numbers.h"
#include "filter.h"

static rl_truncation truncate_cutoff(const rl_spectrum *s, const rl_variant *variant) {
    const double scale = rl_options_flag(&variant->options, "relative") ? s->sigma[0] : 1;
    const double cutoff = variant->parameter * scale;
    int kept = 0;
    while (kept < s->rank && s->sigma[kept] >= cutoff) kept++;
    return (rl_truncation){kept, kept, RL_TARGET_Y};
}

/* The singular vectors of a standard normal matrix have random directions, independent of the singular values. So each
 * mode that is kept finds 1 / n_features of |beta*|^2, and adds residual_variance / sigma^2 of noise. With an intercept
 * the directions are not random. */
static double expected_cutoff_mse(const rl_expectation *e, const rl_variant *variant) {
    if (e->intercept || rl_options_flag(&variant->options, "relative")) return NAN;
    const int n = rl_smaller(e->n_train, e->n_features);
    const rl_wishart_tail kept = rl_wishart_tail_of(n, e->n_train + e->n_features - n, variant->parameter);
    const double lost = e->signal * fmax(0, 1 - kept.count / e->n_features), v = e->residual_variance;
    return v > 0 ? lost + v * (1 + kept.inverse) : lost;
}

static const rl_option_spec options[] = {
    {.key = "relative", .type = RL_OPTION_FLAG, .help = "cutoff as a fraction of the largest singular value"},
};

const rl_ablation rl_ablation_cutoff = {
    .name = "cutoff",
    .summary = "only singular values of at least the cutoff",
    .role = RL_ROLE_FACTOR,
    .parameter = RL_PARAMETER_POSITIVE,
    .parameter_meaning = "smallest singular value kept, in units of the features",
    .example = "cutoff: [0.1, 0.3]",
    .options = options,
    .n_options = 1,
    .leaves_modes_out = true,
    .truncate = truncate_cutoff,
    .expected_mse = expected_cutoff_mse,
};
