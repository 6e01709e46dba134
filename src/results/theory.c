/* What theory says beside what was measured: the exact expectation or a limit, where these are known, and the
 * deterministic equivalents of a table. */
#include <math.h>

#include "../numbers.h"
#include "dataset.h"
#include "effective.h"
#include "kernels.h"
#include "moments.h"

/* ---- known formulas ---------------------------------------------------------------------------------------------- */

static double exact_mse(const rl_series *series, const rl_variant *variant, int n_train) {
    const rl_dataset *data = &series->data;
    rl_expectation e = {.n_train = n_train,
                        .n_features = data->n_features,
                        .intercept = data->intercept,
                        .residual_variance = rl_dataset_residual_variance(data)};
    if (!data->teacher.isotropic || variant->ablation->expected_mse == NULL) return NAN;
    for (int j = 0; j < data->n_features; j++) e.signal += data->beta_star[j] * data->beta_star[j];
    return variant->ablation->expected_mse(&e, variant);
}

/* Of plain least squares alone. An intercept is one direction more, which changes nothing in the limit: counted with
 * the features, so that it diverges at the threshold. */
static double asymptotic_mse(const rl_series *series, const rl_variant *variant, int n_train) {
    const rl_dataset *data = &series->data;
    const rl_map_use use = {.n_inputs = data->n_inputs, .n_features = data->n_features, .options = data->map_options};
    rl_sphere_task task;
    if (variant->ablation->need != RL_NEED_FIT_TO_Y || !rl_dataset_sphere_task(data, &task)) return NAN;
    task.n_train = n_train;
    return data->map->asymptotic_mse(&use, &task);
}

/* Beside what was measured: what that must be on average where the design is known, or what it comes to in a limit. */
typedef struct theory {
    array array;
    double (*mse)(const rl_series *series, const rl_variant *variant, int n_train);
} theory;
#define THEORY \
    .dimensions = "variant n_features n_train", .type = NC_DOUBLE, .coordinates = "ablation parameter", .nan = true
static const theory exact = {
    {"theory_test_mse", "exact expectation of the mean squared error on the test rows", THEORY,
     .comment = "over training sets and test rows, for this teacher; infinite where the mean does not exist, absent "
                "where no finite-size formula is known"},
    exact_mse};
static const theory asymptotic = {
    {"theory_asymptotic_test_mse", "limit of the mean squared error on the test rows", THEORY,
     .comment = "as n_train, n_features and the number of inputs grow in proportion (Mei and Montanari 2022, "
                "arXiv:1908.05355): not exact at any finite size; infinite where it diverges"},
    asymptotic_mse};

/* NULL: there is none. */
static const theory *theory_of(const group *g, const dataset *d) {
    rl_sphere_task task;
    if (d->layout.has_population) return &exact;
    return rl_dataset_sphere_task(&g->series->data, &task) ? &asymptotic : NULL;
}

static rl_status fill_formula(writer *w, const group *g, const dataset *d) {
    const theory *t = theory_of(g, d);
    double *value = w->values;
    if (t == NULL) return RL_OK;
    for (size_t v = 0; v < d->n_variants; v++)
        for (size_t s = 0; s < d->n_p * d->n_n; s++)
            *value++ = d->index[s] < 0
                           ? NAN
                           : t->mse(&g->series[s / d->n_n], &g->series->spec->variants[v], d->n_train[s % d->n_n]);
    return rl_put_values(w, t->array.name, w->values);
}

/* ---- equivalents of tables --------------------------------------------------------------------------------------- */

static const array of_table[] = {
    {"theory_table_test_mse", "mean squared error on the test rows, predicted from second moments", THEORY,
     .comment = "deterministic equivalent from the second moments of all rows, their best linear model and its "
                "residuals alone: a limit of many rows and features; infinite where normal rows have no mean"},
    {"theory_table_test_mse_median", "median squared error on the test rows, predicted from second moments", THEORY,
     .comment = "a heuristic: the same for a typical training set, whose rows exclude those of the largest leverage, "
                "with the median of the law of leverage in place of its mean"},
};
enum { OF_TABLE = sizeof of_table / sizeof *of_table };

bool rl_has_table_theory(const group *g) {
    return g->series->spec->theory == RL_THEORY_TABLE && rl_has_moments(&g->series->data);
}

/* Sets moments->target, and *penalty; false: nothing is known of the variant. */
static bool choose_fit(const rl_variant *variant, rl_moments *moments, double *penalty) {
    const rl_ablation *a = variant->ablation;
    moments->target = a->need == RL_NEED_FIT_TO_IDEAL ? RL_TARGET_IDEAL : RL_TARGET_Y;
    *penalty = a->penalty != NULL ? a->penalty(variant, NAN) : NAN;
    return !isnan(*penalty) && moments->spectrum->rank > 0;
}

/* What theory says of all variants at one P and N, into values[n_variants], each `step` behind the other. */
typedef double (*equivalent)(const rl_moments *moments, int n_train, double penalty);
static void fill_equivalents(const rl_study_dataset *spec, rl_moments *moments, equivalent of, int n_train, size_t step,
                             double *values) {
    double penalty;
    for (int v = 0; v < spec->n_variants; v++)
        if (choose_fit(&spec->variants[v], moments, &penalty)) values[(size_t)v * step] = of(moments, n_train, penalty);
}

/* A series: values and medians [n_variants, n_p, n_n] at this P. */
static rl_status fill_series(const dataset *d, size_t p, rl_moment_maker *t, double *means, double *medians,
                             rl_effective *effective) {
    const rl_study_dataset *const spec = d->series->spec;
    const size_t step = d->n_p * d->n_n;
    rl_spectrum spectrum;
    rl_moments moments;
    RL_TRY(rl_moments_of_all(t, &spectrum, &moments));
    rl_effective_take(effective, p, t, &spectrum);
    for (size_t s = p * d->n_n, i = 0; i < d->n_n; i++)
        if (d->index[s + i] >= 0)
            fill_equivalents(spec, &moments, rl_equivalent_mean, d->n_train[i], step, means + s + i);
    double last = INFINITY; /* N that the moments are those of: all rows */
    for (size_t s = p * d->n_n, i = 0; i < d->n_n; i++) {
        const double typical = rl_typical_n_train(t, d->n_train[i]);
        if (d->index[s + i] < 0) continue;
        if (typical != last) RL_TRY(rl_typical_moments(t, typical, &spectrum, &moments));
        last = typical;
        fill_equivalents(spec, &moments, rl_equivalent_median, d->n_train[i], step, medians + s + i);
    }
    return RL_OK;
}

static rl_status fill_tables(const group *g, const dataset *d, double *means, double *medians,
                             rl_effective *effective) {
    rl_status status = RL_OK;
    for (size_t p = 0; p < d->n_p && status == RL_OK; p++) {
        const rl_series *series = &g->series[p];
        rl_moment_maker table;
        status = rl_moment_maker_create(&table, &series->data, series->study->random, series->study->seed);
        if (status == RL_OK) status = fill_series(d, p, &table, means, medians, effective);
        rl_moment_maker_destroy(&table);
    }
    return status;
}

static rl_status fill_table_theory(writer *w, const group *g, const dataset *d) {
    const size_t n = d->n_variants * d->n_p * d->n_n;
    rl_effective effective;
    double *medians = NULL;
    rl_status status = rl_effective_create(&effective, d->n_p);
    if (status == RL_OK) status = RL_ALLOC(medians, n);
    if (status != RL_OK) goto done;
    for (size_t i = 0; i < n; i++) w->values[i] = medians[i] = NAN;
    status = fill_tables(g, d, w->values, medians, &effective);
    if (status == RL_OK) status = rl_put_values(w, of_table[0].name, w->values);
    if (status == RL_OK) status = rl_put_values(w, of_table[1].name, medians);
    if (status == RL_OK) status = rl_fill_effective(w, &effective);
done:
    rl_free(medians);
    rl_effective_destroy(&effective);
    return status;
}

/* ---- random features at their size ------------------------------------------------------------------------------- */

static const array of_features = {
    "theory_features_test_mse", "mean squared error on the test rows, predicted from the kernel of the features",
    THEORY,
    .comment =
        "a limit of many rows and features at this number of inputs; infinite within one of the threshold "
        "without a penalty"};

static bool has_features_theory(const group *g) {
    const rl_kernel_law law = rl_kernel_law_of(&g->series->data);
    return law == RL_KERNEL_TABLE ? g->series->spec->theory == RL_THEORY_TABLE : law != RL_KERNEL_NONE;
}

/* A penalty in units of the largest singular value's square is known here: that hardly varies. */
static double features_mse(const rl_kernel_spectrum *kernel, const rl_variant *variant, int n_train, int n_features) {
    const rl_ablation *a = variant->ablation;
    if (kernel->n == 0 || a->penalty == NULL || a->need == RL_NEED_FIT_TO_IDEAL) return NAN;
    const double penalty = a->penalty(variant, rl_random_features_largest(kernel, n_train, n_features));
    return isnan(penalty) ? NAN : rl_random_features_mean(kernel, n_train, n_features, penalty);
}

static rl_status fill_features_theory(writer *w, const group *g, const dataset *d) {
    rl_kernel_spectrum kernel; /* the same for any number of features */
    double *value = w->values;
    rl_status status = rl_kernel_create(&kernel, &g->series->data);
    for (size_t v = 0; status == RL_OK && v < d->n_variants; v++)
        for (size_t s = 0; s < d->n_p * d->n_n; s++)
            *value++ = d->index[s] < 0 ? NAN
                                       : features_mse(&kernel, &g->series->spec->variants[v], d->n_train[s % d->n_n],
                                                      d->n_features[s / d->n_n]);
    rl_kernel_destroy(&kernel);
    return status == RL_OK ? rl_put_values(w, of_features.name, w->values) : status;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

size_t rl_theory_bytes(const group *g, const dataset *d) {
    size_t most = has_features_theory(g) ? rl_kernel_bytes(&g->series->data) : 0;
    if (!rl_has_table_theory(g)) return most;
    for (const rl_series *s = g->series; s < g->series + g->n_series; s++)
        most = rl_larger(most, rl_moment_maker_bytes(&s->data));
    return most + rl_effective_bytes(d->n_p) + d->n_variants * d->n_p * d->n_n * sizeof(double);
}

rl_status rl_define_theory(writer *w, const group *g, const dataset *d) {
    const theory *t = theory_of(g, d);
    if (t != NULL) RL_TRY(rl_define_array(w, g, &t->array));
    if (has_features_theory(g)) RL_TRY(rl_define_array(w, g, &of_features));
    if (!rl_has_table_theory(g)) return RL_OK;
    RL_TRY(rl_define_arrays(w, g, of_table, OF_TABLE));
    return rl_define_effective(w, g);
}

rl_status rl_fill_theory(writer *w, const group *g, const dataset *d) {
    RL_TRY(fill_formula(w, g, d));
    if (has_features_theory(g)) RL_TRY(fill_features_theory(w, g, d));
    return rl_has_table_theory(g) ? fill_table_theory(w, g, d) : RL_OK;
}
