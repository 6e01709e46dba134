/* Errors: what filters make of a spectrum, and what a point says of them. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "../numbers.h"
#include "../small.h"
#include "../vectors.h"
#include "evaluator.h"
#include "ridgeless/arena.h"

const rl_errors rl_no_errors = {NAN, NAN, NAN, NAN, NAN};

static size_t in_whole_blocks(int n_variants) {
    return ((size_t)n_variants + BLOCK - 1) / BLOCK * BLOCK;
}

static void list_evaluator_arrays(rl_arena *arena, void *object) {
    rl_evaluator *const e = object;
    const size_t variants = (size_t)e->max_variants, modes = (size_t)e->max_modes;
    RL_TAKE(arena, e->beta, modes * in_whole_blocks(e->max_variants));
    RL_TAKE_REALS(arena, modes * BLOCK, &e->basis, &e->room);
    RL_TAKE(arena, e->residual, modes);
    RL_TAKE(arena, e->rows, (size_t)e->max_m * BLOCK);
    RL_TAKE(arena, e->sums, 2 * variants);
    RL_TAKE(arena, e->fits, variants);
    RL_TAKE(arena, e->chosen, variants);
    RL_TAKE(arena, e->parameters, variants);
    RL_TAKE_REALS(arena, modes, &e->trial, &e->ones, &e->left);
}

static rl_evaluator sizes_of_evaluator(int max_variants, int max_modes, int max_m) {
    return (rl_evaluator){.max_variants = max_variants, .max_modes = max_modes, .max_m = max_m};
}

rl_status rl_evaluator_create(rl_evaluator **evaluator, int max_variants, int max_modes, int max_m) {
    rl_evaluator sizes = sizes_of_evaluator(max_variants, max_modes, max_m);
    return RL_OBJECT_CREATE(evaluator, &sizes, list_evaluator_arrays);
}

size_t rl_evaluator_bytes(int max_variants, int max_modes, int max_m) {
    rl_evaluator sizes = sizes_of_evaluator(max_variants, max_modes, max_m);
    return RL_OBJECT_BYTES(&sizes, list_evaluator_arrays);
}

void rl_evaluator_destroy(rl_evaluator *evaluator) {
    rl_free(evaluator);
}

static double train_mse(const rl_spectrum *s, const rl_fit *fit) {
    return rl_error_of((rl_sum_of_squares(s->n_modes, fit->residual) + s->outside_sq[fit->target]) / s->n_train);
}

/* `rows` holds Z beta and is overwritten by the errors of the predictions; the sum of their squares. */
static double test_sum(const rl_spectrum *s, const rl_fit *fit, double *rows) {
    const double *target = s->z_target[fit->target];
    for (int i = 0; i < s->m; i++) rows[i] += fit->shift * s->z_one[i] - target[i];
    return rl_sum_of_squares(s->m, rows);
}

/* What rows are multiplied by: n <= BLOCK betas [n_modes, n] in the coordinates of the rows. */
static const double *betas_for_rows(const rl_evaluator *e, const rl_spectrum *s, int n, const double *betas) {
    if (s->to_basis == NULL) return betas;
    s->to_basis(s->maker, n, betas, e->room, e->basis);
    return e->basis;
}

/* e->rows = Z betas, of those. */
static void multiply_rows(rl_evaluator *e, const rl_spectrum *s, int n, const double *betas) {
    if (rl_is_small(s->n_features))
        rl_small_multiply(s->m, n, s->n_modes, s->z, s->ldz, betas, e->rows);
    else if (s->m > 0)
        rl_gemm('N', 'N', s->m, n, s->n_modes, 1, s->z, s->ldz, betas, s->n_modes, 0, e->rows, s->m);
}

/* |diag(scale) (beta_hat - beta*)|^2 over the population rows held here. */
static double population_sum(rl_evaluator *e, const rl_spectrum *s, const double *beta) {
    double *const rows = e->rows; /* free until the test rows' product */
    if (s->population_z == NULL) return 0;
    if (rl_is_small(s->n_features)) {
        rl_small_multiply(s->n_population, 1, s->n_modes, s->population_z, s->ld_population, beta, rows);
        for (int i = 0; i < s->n_population; i++) rows[i] -= s->population_target[i];
        return rl_sum_of_squares(s->n_population, rows);
    }
    memcpy(rows, s->population_target, sizeof(double) * (size_t)s->n_population);
    if (s->n_population > 0)
        rl_gemv('N', s->n_population, s->n_modes, 1, s->population_z, s->ld_population, beta, -1, rows);
    return rl_sum_of_squares(s->n_population, rows);
}

/* The same over the whole population: with all scales 1 the modes are orthonormal coordinates and give it at once. */
static double parameter_error(const rl_spectrum *s, const rl_fit *fit, double sum_over_population) {
    if (s->population_z != NULL) return sum_over_population;
    double sum = s->b_outside_sq;
    for (int r = 0; r < s->rank; r++) sum += (fit->beta[r] - s->b_star[r]) * (fit->beta[r] - s->b_star[r]);
    return sum;
}

/* E (x . (beta_hat - beta*) + shift - e)^2 over independent normal features and a residual e independent of them. */
static double population_mse(const rl_spectrum *s, const rl_fit *fit, const rl_population *population,
                             double sum_over_population) {
    if (!population->known) return NAN;
    const double sum = parameter_error(s, fit, sum_over_population) + fit->shift * fit->shift;
    return rl_error_of(fit->target == RL_TARGET_IDEAL ? sum : sum + population->residual_variance);
}

/* |beta - c / sigma| / |c / sigma|: the modes are orthonormal coordinates of the parameters. */
static double distance_to_least_squares(const rl_spectrum *s, const rl_fit *fit) {
    rl_squares apart = {0}, whole = {0};
    for (int r = 0; r < s->rank; r++) {
        const double beta = s->c[RL_TARGET_Y][r] / s->sigma[r];
        rl_squares_add(&apart, fit->beta[r] - beta);
        rl_squares_add(&whole, beta);
    }
    return rl_distance_of(apart, whole);
}

static double count_modes_kept(const rl_spectrum *s, const rl_variant *variant, const rl_fit *fit) {
    int kept = 0;
    if (!variant->ablation->leaves_modes_out) return NAN;
    for (int r = 0; r < s->rank; r++) kept += fit->beta[r] != 0;
    return kept;
}

static void fit_truncation(const rl_spectrum *s, rl_truncation kept, rl_fit *fit) {
    fit->target = kept.target;
    rl_fit_modes(s, s->c[kept.target], kept.n_fitted, fit);
    for (int r = kept.n_predicted; r < s->n_modes; r++) fit->beta[r] = 0;
}

double rl_test_sum_of(rl_evaluator *e, const rl_spectrum *s, const double *beta) {
    const rl_fit fit = {.target = RL_TARGET_Y};
    multiply_rows(e, s, 1, betas_for_rows(e, s, 1, beta));
    return test_sum(s, &fit, e->rows);
}

/* The variant with its parameter, which it may choose by the spectrum. */
static rl_variant with_parameter(rl_evaluator *e, const rl_spectrum *s, const rl_variant *variant) {
    rl_variant decided = *variant;
    if (variant->ablation->choose != NULL) decided.parameter = variant->ablation->choose(e, s, variant);
    return decided;
}

static void fit_variant(rl_evaluator *e, const rl_spectrum *s, const rl_variant *given, double *parameter, rl_fit *fit,
                        rl_errors *errors) {
    const rl_variant decided = with_parameter(e, s, given), *const variant = &decided;
    *parameter = decided.parameter;
    for (int r = 0; r < s->n_modes; r++) fit->beta[r] = e->residual[r] = 0;
    fit->residual = e->residual;
    fit->shift = 0;
    fit->target = RL_TARGET_Y;
    errors->train_mse = errors->distance = errors->modes_kept = NAN;
    if (variant->ablation->need == RL_NEED_ROWS) return;
    if (variant->ablation->truncate != NULL)
        fit_truncation(s, variant->ablation->truncate(s, variant), fit);
    else
        variant->ablation->fit(s, variant, fit);
    errors->train_mse = train_mse(s, fit);
    errors->distance = variant->ablation->approaches_least_squares ? distance_to_least_squares(s, fit) : NAN;
    errors->modes_kept = count_modes_kept(s, variant, fit);
}

static void fit_chosen(rl_evaluator *e, const rl_spectrum *s, int n, const rl_variant *variants, rl_errors *errors) {
    const size_t modes = (size_t)s->n_modes, filled = (size_t)n * modes;
    for (int j = 0; j < n; j++) {
        e->fits[j].beta = e->beta + (size_t)j * modes;
        const int v = e->chosen[j];
        fit_variant(e, s, &variants[v], &e->parameters[v], &e->fits[j], &errors[v]);
    }
    memset(e->beta + filled, 0, (in_whole_blocks(n) * modes - filled) * sizeof *e->beta);
}

/* The sums of squares of the fits [first, first + n) of a block, over the rows that are held here. */
static void add_block(rl_evaluator *e, const rl_spectrum *s, bool has_population, int first, int n, double *test_sums,
                      double *population_sums) {
    const size_t modes = (size_t)s->n_modes;
    const double *const betas = betas_for_rows(e, s, BLOCK, e->beta + (size_t)first * modes);
    for (int j = 0; j < n; j++)
        population_sums[first + j] = has_population ? population_sum(e, s, betas + (size_t)j * modes) : 0;
    multiply_rows(e, s, BLOCK, betas);
    for (int j = 0; j < n; j++)
        test_sums[first + j] = test_sum(s, &e->fits[first + j], e->rows + (size_t)j * (size_t)s->m);
}

/* The variants e->chosen[n]. */
static rl_status evaluate_chosen(rl_evaluator *e, const rl_spectrum *s, const rl_population *population, int n,
                                 const rl_variant *variants, rl_errors *errors) {
    double *const test_sums = e->sums, *const population_sums = e->sums + n;
    fit_chosen(e, s, n, variants, errors);
    for (int first = 0; first < n; first += BLOCK)
        add_block(e, s, population->known, first, rl_smaller(BLOCK, n - first), test_sums, population_sums);
    RL_TRY(rl_spectrum_add_up(s, e->sums, 2 * (int64_t)n));
    for (int j = 0; j < n; j++) {
        const int v = e->chosen[j];
        const bool fitted = variants[v].ablation->need != RL_NEED_ROWS;
        errors[v].test_mse = fitted ? rl_error_of(test_sums[j] / s->n_test) : NAN;
        errors[v].population_mse = fitted ? population_mse(s, &e->fits[j], population, population_sums[j]) : NAN;
    }
    return RL_OK;
}

rl_status rl_evaluate(rl_evaluator *e, const rl_spectrum *s, const rl_population *population, int n_variants,
                      const rl_variant *variants, rl_errors *errors) {
    if (s->status != RL_CELL_DONE) {
        for (int v = 0; v < n_variants; v++) errors[v] = rl_no_errors;
        return RL_OK;
    }
    for (int v = 0; v < n_variants; v++) e->chosen[v] = v;
    return evaluate_chosen(e, s, population, n_variants, variants, errors);
}

/* ---- points ------------------------------------------------------------------------------------------------------ */

static rl_errors errors_of_fit(const rl_point *p, rl_target target, const rl_population *population) {
    const double residual = target == RL_TARGET_IDEAL ? 0 : population->residual_variance;
    return (rl_errors){.test_mse = p->test_mse[target],
                       .train_mse = p->train_mse[target],
                       .population_mse = population->known ? p->population_sq[target] + residual : NAN,
                       .distance = NAN,
                       .modes_kept = NAN};
}

static rl_errors errors_of_truncation(const rl_point *p, const rl_population *population, const rl_variant *variant) {
    const rl_spectrum *const s = p->spectrum;
    const rl_truncation kept = variant->ablation->truncate(s, variant);
    const int predicted = rl_smaller(kept.n_predicted, s->rank), fitted = rl_smaller(kept.n_fitted, s->rank);
    const double residual = kept.target == RL_TARGET_IDEAL ? 0 : population->residual_variance;
    return (rl_errors){
        .test_mse = p->fits->test_sq[kept.target][predicted] / s->n_test,
        .train_mse = p->fits->train_sq[kept.target][fitted] / s->n_train,
        .population_mse = population->known ? p->fits->population_sq[kept.target][predicted] + residual : NAN,
        .distance = NAN,
        .modes_kept = variant->ablation->leaves_modes_out ? predicted : NAN};
}

static rl_errors errors_without_test_rows(const rl_point *p, const rl_population *population,
                                          const rl_variant *variant) {
    if (variant->ablation->need == RL_NEED_FIT_TO_Y) return errors_of_fit(p, RL_TARGET_Y, population);
    if (variant->ablation->need == RL_NEED_FIT_TO_IDEAL) return errors_of_fit(p, RL_TARGET_IDEAL, population);
    if (variant->ablation->truncate != NULL && p->fits != NULL) return errors_of_truncation(p, population, variant);
    return rl_no_errors;
}

rl_status rl_point_errors(rl_evaluator *e, const rl_point *point, const rl_population *population, int n_variants,
                          const rl_variant *variants, rl_errors *errors) {
    const bool has_test_rows = point->spectrum != NULL && point->spectrum->z != NULL;
    int n_filters = 0;
    for (int v = 0; v < n_variants; v++)
        if (has_test_rows && variants[v].ablation->truncate == NULL)
            e->chosen[n_filters++] = v;
        else
            errors[v] = errors_without_test_rows(point, population, &variants[v]);
    return n_filters == 0 ? RL_OK : evaluate_chosen(e, point->spectrum, population, n_filters, variants, errors);
}

const rl_fit *rl_evaluated_fit(const rl_evaluator *evaluator, int v) {
    return &evaluator->fits[v];
}

rl_status rl_mode_factors(const rl_spectrum *s, double *test_projection_rms, double *residual_projection) {
    assert(s->to_basis == NULL);
    const double unit = s->sigma[0] > 0 ? ldexp(1, ilogb(s->sigma[0])) : 1; /* squares could overflow */
    for (int r = 0; r < s->n_modes; r++) {
        test_projection_rms[r] = 0;
        for (int i = 0; i < s->m; i++)
            test_projection_rms[r] += pow(s->z[(size_t)r * (size_t)s->ldz + (size_t)i] / unit, 2);
        residual_projection[r] = s->c[RL_TARGET_RESIDUAL][r];
    }
    RL_TRY(rl_spectrum_add_up(s, test_projection_rms, s->n_modes));
    for (int r = 0; r < s->n_modes; r++) test_projection_rms[r] = unit * sqrt(test_projection_rms[r] / s->n_test);
    return RL_OK;
}
