/* The ablation `bagging_limit`: what `bagging` comes to with all subsets of k rows, for many rows and features. The
 * mean of least squares on all of them is ridge, with the penalty whose fit has k degrees of freedom, sum over r of
 * sigma_r^2 / (sigma_r^2 + lambda) = k: the penalty at which the implied one is that of least squares on k rows
 * (LeJeune, Javadi and Baraniuk 2020, "The implicit regularization of ordinary least squares ensembles"; Du, Patil and
 * Kuchibhotla 2023, "Subsample ridge ensembles: equivalences and generalized cross-validation"). Where k is no less
 * than there are rows or modes it is least squares. */
#include <math.h>

#include "search.h"

/* By Newton's method in the logarithm of lambda / sigma_1^2 for the logarithm of the degrees of freedom, kept within a
 * bracket. */
static double penalty_with(const rl_spectrum *s, double degrees) {
    const rl_penalties range = rl_penalties_of(s);
    const double unit = 2 * log(s->sigma[0]);
    double low = range.least - unit, high = range.most - unit, at = (low + high) / 2;
    for (int i = 0; i < 200 && high - low > 1e-15 * (1 + fabs(at)); i++) {
        const double penalty = exp(at);
        double sum = 0, slope = 0;
        for (int r = 0; r < s->rank; r++) {
            const double square = (s->sigma[r] / s->sigma[0]) * (s->sigma[r] / s->sigma[0]);
            const double share = square / (square + penalty);
            sum += share;
            slope -= share * (1 - share);
        }
        *(sum > degrees ? &low : &high) = at;
        const double next = at + log(degrees / sum) * sum / slope;
        if (fabs(next - at) <= 1e-15 * (1 + fabs(at))) break;
        at = next > low && next < high ? next : (low + high) / 2;
    }
    return exp(at + unit);
}

static void fit_limit(const rl_spectrum *s, const rl_variant *variant, rl_fit *fit) {
    const bool bagged = variant->parameter < s->rank;
    rl_variant ridge = *variant;
    ridge.parameter = bagged ? penalty_with(s, variant->parameter) : 0;
    rl_fit_ridge(s, &ridge, fit);
}

const rl_ablation rl_ablation_bagging_limit = {
    .name = "bagging_limit",
    .summary = "the mean of least squares on all subsets of k rows, which is ridge in the limit",
    .role = RL_ROLE_CURE,
    .parameter = RL_PARAMETER_COUNT,
    .parameter_meaning = "rows of each subset",
    .example = "bagging_limit: 6",
    .approaches_least_squares = true,
    .is_linear = true,
    .fit = fit_limit,
};
