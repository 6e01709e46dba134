/* Deterministic equivalents where they are exact: normal rows of any covariance, at least as many as features. Their
 * quantiles against GSL's. Elsewhere they are limits: test_table_theory.py. */
#include "oracle.h"

#include <gsl/gsl_cdf.h>
#include <stdio.h>
#include <string.h>

#include "../../src/results/moments.h"

static void median_of_f(void **state) {
    static const double a[] = {1, 2, 7.5, 30, 2000}, b[] = {1, 1.3, 1.7, 12, 1500};
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++) {
            const double expected = gsl_cdf_fdist_Pinv(0.5, a[i], b[j]), got = rl_f_median(a[i], b[j]);
            if (!(fabs(got - expected) <= 1e-9 * expected))
                fail_msg("F(%g, %g): %.15g, GSL %.15g", a[i], b[j], got, expected);
        }
}

static void moments_of_normal_rows_without_the_furthest(void **state) {
    static const int p[] = {1, 8, 40, 500};
    static const double kept[] = {0.5, 0.9, 0.999};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 3; j++) {
            const double quantile = gsl_cdf_chisq_Pinv(kept[j], p[i]);
            const double expected = gsl_cdf_chisq_P(quantile, p[i] + 2) / kept[j];
            assert_true(fabs(rl_normal_share_kept(p[i], kept[j]) - expected) <= 1e-9);
        }
    assert_true(rl_normal_share_kept(5, 1) == 1);
}

/* ---- a study of normal rows ---------------------------------------------------------------------------------------
 */

#define N_TRAIN "n_train: [6, 7, 8, 10, 14, 30]\n"
enum { REPEATS = 20000, FEATURES = 6 };
#define STUDY(design)                                                                                          \
    "repeats: 20000\nseed: 21\nablations: [none]\n" N_TRAIN                                                    \
    "datasets:\n  - {source: student-teacher, draw: fresh, rows: 31, features: 6, hidden_features: 8, noise: " \
    "0.5, " design "}\n"

/* The mean is exact from N = P + 2 on, the median from N = P on: half of the errors are below it. */
static void check_design(const char *what, const char *text) {
    static double errors[REPEATS];
    curves *c = compute_curves(text);
    const rl_series *series = &c->plan.series[0];
    rl_moment_maker table;
    rl_spectrum spectrum;
    rl_moments moments;
    assert_int_equal(rl_moment_maker_create(&table, &series->data, RL_RANDOM_PHILOX, series->study->seed), RL_OK);
    assert_int_equal(rl_typical_moments(&table, INFINITY, &spectrum, &moments), RL_OK); /* of a population: all rows */
    moments.target = RL_TARGET_Y;
    for (int i = 0; i < series->n_n_train; i++) {
        const int n = series->n_train[i];
        const double mean = rl_equivalent_mean(&moments, n, 0), median = rl_equivalent_median(&moments, n, 0);
        int below = 0;
        take_cells(c, c->l.population_mse, i, 0, errors);
        for (int r = 0; r < REPEATS; r++) below += errors[r] < median;
        const double off = (mean_of(errors, REPEATS) - mean) / standard_error_of(errors, REPEATS);
        print_message("# %s, N = %d: mean %.2f standard errors off, %.4f below the median\n", what, n, off,
                      (double)below / REPEATS);
        assert_true(n < FEATURES + 2 ? isinf(mean) : fabs(off) < 4);
        assert_true(fabs(below - REPEATS / 2.0) < 4 * sqrt(REPEATS) / 2);
    }
    rl_moment_maker_destroy(&table);
    free_curves(c);
}

static void normal_rows_of_any_covariance(void **state) {
    check_design("power law", STUDY("design: power-law, exponent: 1.5"));
    check_design("spiked", STUDY("design: spiked, spikes: 2, spike_scale: 30"));
    check_design("scales", STUDY("design: scales, scales: [100, 1, 0.01], scale_features: [2, 3, 3]"));
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(median_of_f),
        cmocka_unit_test(moments_of_normal_rows_without_the_furthest),
        cmocka_unit_test(normal_rows_of_any_covariance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
