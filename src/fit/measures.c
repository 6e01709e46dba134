/* What the training rows alone can know of the test error of a linear filter: generalized cross-validation and
 * leave-one-out (fit.h has both formulas), from the singular values and the targets along the modes. */
#include <math.h>

#include "evaluator.h"

#define WORD(name, word) word,
const char *const rl_measure_words[RL_N_MEASURES] = {RL_MEASURE_LIST(WORD)};

bool rl_measures_need_left(unsigned measures) {
    return (measures & 1u << RL_MEASURE_LOO) != 0;
}

bool rl_measures_need_test_rows(unsigned measures) {
    return (measures & (1u << RL_MEASURE_ZERO_ONE | 1u << RL_MEASURE_WORST_SHARE)) != 0;
}

/* ---- what a filter leaves ---------------------------------------------------------------------------------------- */

/* A truncation as a function of features: what predictions use. */
static bool left_by_truncation(const rl_spectrum *s, rl_truncation kept, double *left) {
    for (int r = 0; r < s->n_modes; r++) left[r] = r < kept.n_predicted && r < s->rank ? 0 : 1;
    return kept.target == RL_TARGET_Y;
}

/* A linear filter leaves of ones what it leaves of anything. */
static bool left_by_filter(rl_evaluator *e, const rl_spectrum *s, const rl_variant *variant) {
    rl_spectrum of_ones = *s;
    rl_fit fit = {.beta = e->trial, .residual = e->left, .target = RL_TARGET_Y};
    if (!variant->ablation->is_linear) return false;
    for (int r = 0; r < s->n_modes; r++) {
        e->ones[r] = 1;
        e->trial[r] = e->left[r] = 0;
    }
    of_ones.c[RL_TARGET_Y] = e->ones;
    variant->ablation->fit(&of_ones, variant, &fit);
    return true;
}

/* Into e->left, [n_modes]. false: the variant is no linear filter of y. */
static bool find_left(rl_evaluator *e, const rl_spectrum *s, const rl_variant *variant, int v) {
    rl_variant decided = *variant;
    if (variant->ablation->truncate != NULL)
        return left_by_truncation(s, variant->ablation->truncate(s, variant), e->left);
    if (variant->ablation->fit == NULL) return false;
    if (variant->ablation->choose != NULL) decided.parameter = e->parameters[v];
    return left_by_filter(e, s, &decided);
}

/* Where rows are as many as modes that are not zero, and nothing is left along any: an interpolation. Then the shares
 * become those of ridge as lambda goes to 0, over the largest of them. */
static void take_limit(const rl_spectrum *s, double *left) {
    if (s->rank < s->n_train) return;
    for (int r = 0; r < s->rank; r++)
        if (left[r] != 0) return;
    const double least = s->sigma[s->rank - 1];
    for (int r = 0; r < s->rank; r++) left[r] = (least / s->sigma[r]) * (least / s->sigma[r]);
}

/* ---- measures ---------------------------------------------------------------------------------------------------- */

static double cross_validate(const rl_spectrum *s, const double *left) {
    const double *const c = s->c[RL_TARGET_Y];
    double sum = s->outside_sq[RL_TARGET_Y], shares = s->n_train - s->n_modes;
    for (int r = 0; r < s->n_modes; r++) {
        sum += (left[r] * c[r]) * (left[r] * c[r]);
        shares += left[r];
    }
    return rl_error_of(s->n_train * sum / (shares * shares));
}

/* The error at row i of a fit without that row. */
static double error_without_row(const rl_spectrum *s, const double *left, int i) {
    const double *const u = s->ut + (size_t)i * (size_t)s->n_modes, *const c = s->c[RL_TARGET_Y];
    const bool has_outside = s->rank < s->n_train;
    double residual = has_outside ? s->y[i] : 0, share = has_outside ? 1 : 0;
    for (int r = 0; r < s->rank; r++) {
        const double kept = has_outside ? 1 - left[r] : -left[r];
        residual -= kept * u[r] * c[r];
        share -= kept * u[r] * u[r];
    }
    return residual / share;
}

double rl_leave_one_out(const rl_spectrum *s, const double *left) {
    double sum = 0;
    if (s->ut == NULL) return NAN;
    for (int i = 0; i < s->n_train; i++) {
        const double error = error_without_row(s, left, i);
        sum += error * error;
    }
    return rl_error_of(sum / s->n_train);
}

void rl_measure(rl_evaluator *e, const rl_spectrum *s, unsigned measures, int n_variants, const rl_variant *variants,
                rl_measured *measured) {
    static double (*const functions[RL_N_MEASURES])(const rl_spectrum *s, const double *left) = {
        [RL_MEASURE_GCV] = cross_validate, [RL_MEASURE_LOO] = rl_leave_one_out};
    for (int v = 0; v < n_variants; v++) {
        const bool linear = s != NULL && s->status == RL_CELL_DONE && find_left(e, s, &variants[v], v);
        if (linear) take_limit(s, e->left);
        for (int k = 0; k < RL_N_MEASURES; k++)
            measured[v].value[k] =
                linear && functions[k] != NULL && (measures & 1u << k) != 0 ? functions[k](s, e->left) : NAN;
    }
}
