#include "filter.h"

/* Ablation 1: no small singular values. f(sigma) = 1 / sigma on sigma >= cutoff. */
static void fit_cutoff(const rl_spectrum *s, const rl_variant *variant, rl_fit *fit) {
    const double scale = rl_options_flag(&variant->options, "relative") ? s->sigma[0] : 1;
    const double cutoff = variant->parameter * scale;
    int kept = 0;
    while (kept < s->rank && s->sigma[kept] >= cutoff) kept++;
    rl_fit_modes(s, s->c[RL_TARGET_Y], kept, fit);
}

static const rl_option_spec options[] = {
    {.key = "relative", .type = RL_OPTION_FLAG, .help = "cutoff as a fraction of the largest singular value"},
};

const rl_ablation rl_ablation_cutoff = {
    .name = "cutoff",
    .summary = "only singular values of at least the cutoff",
    .parameter = RL_PARAMETER_POSITIVE,
    .parameter_meaning = "smallest singular value kept",
    .options = options,
    .n_options = 1,
    .fit = fit_cutoff,
};
