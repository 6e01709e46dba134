/* What the oracle tests share: checks of a sample against its law, and studies computed in memory. */
#ifndef RL_TEST_ORACLE_H
#define RL_TEST_ORACLE_H

#include "../unit/unit.h"

#include "../unit/curves.h"
#include "laws.h"

/* ---- checks ------------------------------------------------------------------------------------------------------ */

static inline void assert_likely(const char *what, double p_value) {
    print_message("# %s: p = %.3f\n", what, p_value);
    if (!(p_value > LEVEL)) fail_msg("%s: p = %g", what, p_value);
}

/* Sorts them. */
static inline void assert_uniform(const char *what, double *u, int n) {
    const double p = ks_p_value(u, n);
    print_message("# %s: Kolmogorov-Smirnov p = %.3f over %d draws\n", what, p, n);
    if (!(p > LEVEL)) fail_msg("%s: p = %g", what, p);
}

/* A mean of unknown variance. */
static inline void assert_mean(const char *what, const double *values, int n, double expected) {
    const double mean = mean_of(values, n), error = standard_error_of(values, n);
    const double p = student_p_value(values, n, expected);
    print_message("# %s: %.5g +- %.2g, exact %.5g\n", what, mean, error, expected);
    if (!(p > LEVEL)) fail_msg("%s: %.6g +- %.2g, exact %.6g: p = %g", what, mean, error, expected, p);
}

/* The mean of n values of variance 1 that should have mean 0. */
static inline void assert_standard(const char *what, const double *values, int n) {
    assert_likely(what, normal_p_value(mean_of(values, n) * sqrt(n)));
}

/* ---- studies ----------------------------------------------------------------------------------------------------- */

/* All curves of a study with one data set, and what its design is made of. */
typedef struct curves {
    rl_study study;
    rl_plan plan;
    rl_data_path path;
    rl_curve_layout l;
    int repeats;
    double *curves;          /* [repeats][l.length] */
    double signal, variance; /* |beta*|^2; of y given the features */
} curves;

static inline curves *compute_curves(const char *text) {
    curves *c = NULL;
    rl_worker *worker;
    assert_int_equal(RL_ALLOC(c, 1), RL_OK);
    assert_int_equal(rl_study_parse("oracle.yaml", text, &c->study), RL_OK);
    assert_int_equal(rl_data_path_create(&c->path, NULL), RL_OK);
    assert_int_equal(rl_plan_create(&c->study, &(rl_plan_options){.path = &c->path}, &c->plan), RL_OK);
    assert_int_equal(rl_worker_create(c->plan.series, RL_ALONE, &worker), RL_OK);
    c->l = rl_curve_layout_of(&c->plan.series[0]);
    assert_true(c->l.has_population);
    c->repeats = c->study.repeats;
    assert_int_equal(RL_ALLOC(c->curves, c->l.length * (size_t)c->repeats), RL_OK);
    for (int i = 0; i < c->repeats; i++)
        assert_int_equal(compute_one(worker, &c->plan, i, NULL, (rl_tick){0}, c->curves + (size_t)i * c->l.length),
                         RL_OK);
    rl_worker_destroy(worker);
    const rl_dataset *data = &c->plan.series[0].data;
    c->variance = data->teacher.noise * data->teacher.noise;
    for (int j = 0; j < data->teacher.n_hidden; j++)
        *(j < data->n_inputs ? &c->signal : &c->variance) += data->teacher.beta[j] * data->teacher.beta[j];
    return c;
}

static inline void free_curves(curves *c) {
    rl_free(c->curves);
    rl_plan_destroy(&c->plan);
    rl_data_path_destroy(&c->path);
    rl_study_destroy(&c->study);
    rl_free(c);
}

/* Where a field begins (l.sigma_min, ...), every repeat's value of N number i. */
static inline void take_spectra(const curves *c, size_t field, int i, double *values) {
    for (int r = 0; r < c->repeats; r++) values[r] = c->curves[(size_t)r * c->l.length + field + (size_t)i];
}

/* The same of variant v (l.population_mse, ...). */
static inline void take_cells(const curves *c, size_t field, int i, int v, double *values) {
    take_spectra(c, field, i * c->l.n_variants + v, values);
}

#endif
