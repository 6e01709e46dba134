/* Exact finite-size laws of least squares on independent standard normal features. Means are held to 4 standard errors,
 * distributions to a Kolmogorov-Smirnov p-value above 0.001; seeds are fixed, so a pass stays a pass.
 *
 * Sources. Expected risk: Belkin, Hsu and Xu 2020, "Two models of double descent for weak features" (arXiv:1903.07571),
 * theorem 1. Leverage: x^T (X^T X)^-1 x of a fresh row is a ratio of independent chi-squares (Hotelling's T^2; Muirhead
 * 1982, theorem 3.2.12). Bias: the squared length of a fixed vector's projection onto a random subspace is
 * beta-distributed (Muirhead 1982, theorem 1.5.7). Smallest singular value of an n x (n + 1) matrix: n sigma_min^2 / 2
 * is exponential (Edelman 1988, corollary 3.1); of an n x n one, n sigma_min^2 has the limit law 1 - exp(-(x / 2 + sqrt
 * x)) (Edelman 1988, theorem 4.2). Log-determinant: Goodman 1963. */
#include "unit.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_psi.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ridgeless/task.h"

/* ---- statistics -------------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The p-value of n values that should be uniform on [0, 1], by the limit law with Stephens' correction. Sorts them. */
static double ks_p_value(double *u, int n) {
    double d = 0, p = 0;
    qsort(u, (size_t)n, sizeof *u, ascending);
    for (int i = 0; i < n; i++) d = fmax(d, fmax(u[i] - (double)i / n, (double)(i + 1) / n - u[i]));
    const double t = d * (sqrt(n) + 0.12 + 0.11 / sqrt(n));
    for (int k = 1; k <= 100; k++) p += 2 * (k % 2 ? 1 : -1) * exp(-2.0 * k * k * t * t);
    return fmin(1, p);
}

static void assert_uniform(const char *what, double *u, int n) {
    const double p = ks_p_value(u, n);
    print_message("# %s: Kolmogorov-Smirnov p = %.3f over %d draws\n", what, p, n);
    if (!(p > 0.001)) fail_msg("%s: p = %g", what, p);
}

static void assert_mean(const char *what, const double *values, int n, double expected) {
    double mean = 0, variance = 0;
    for (int i = 0; i < n; i++) mean += values[i] / n;
    for (int i = 0; i < n; i++) variance += (values[i] - mean) * (values[i] - mean) / (n - 1);
    const double error = sqrt(variance / n);
    print_message("# %s: %.5g +- %.2g, exact %.5g\n", what, mean, error, expected);
    if (!(fabs(mean - expected) <= 4 * error)) fail_msg("%s: %.6g +- %.2g, exact %.6g", what, mean, error, expected);
}

/* ---- spectra of random training sets ------------------------------------------------------------------------------
 */

enum { MAX_SIZE = 64 };

typedef struct bench {
    int n, p;
    rl_key key;
    double x[MAX_SIZE * MAX_SIZE], y[MAX_SIZE], beta[MAX_SIZE];
    rl_test_factor factor;
    rl_dense_producer *producer;
} bench;

static bench *set_up(int n, int p, const char *name) {
    bench *b = NULL;
    assert_int_equal(RL_ALLOC(b, 1), RL_OK);
    b->n = n, b->p = p, b->key = rl_key_make(2026, name);
    rl_philox_normal_row(b->key, RL_STREAM_TEACHER, 0, 0, 0, p, b->beta);
    assert_int_equal(rl_test_factor_create(&b->factor, p), RL_OK);
    assert_int_equal(rl_dense_producer_create(&b->producer, n, p), RL_OK);
    return b;
}

static void tear_down(bench *b) {
    rl_test_factor_destroy(&b->factor);
    rl_dense_producer_destroy(b->producer);
    rl_free(b);
}

/* The spectrum of the training set of one draw, with one fresh test row. */
static rl_spectrum draw(bench *b, int repeat) {
    double test[MAX_SIZE];
    const double zero = 0;
    for (int i = 0; i < b->n; i++)
        rl_philox_normal_row(b->key, RL_STREAM_FEATURES, (uint32_t)repeat, (uint32_t)i, 0, b->p, b->x + i * b->p);
    rl_philox_normal_row(b->key, RL_STREAM_FEATURES, (uint32_t)repeat, (uint32_t)b->n, 0, b->p, test);
    rl_test_factor_clear(&b->factor);
    assert_int_equal(rl_test_factor_append(&b->factor, 1, test, b->p, &zero), RL_OK);
    const rl_training_set train = {b->n, b->p, b->x, b->y, b->beta, NULL};
    rl_spectrum s;
    assert_int_equal(rl_dense_producer_spectrum(b->producer, &train, &b->factor, &s), RL_OK);
    assert_int_equal(s.status, RL_CELL_DONE);
    return s;
}

/* O4, also at the threshold itself: h (m - n + 1) / n is F(n, m - n + 1) with n = min, m = max of the sizes. */
static void leverage_follows_its_law(void **state) {
    static const int sizes[][2] = {{20, 20}, {20, 25}, {26, 20}, {19, 20}, {5, 3}};
    enum { DRAWS = 2000 };
    for (int i = 0; i < 5; i++) {
        bench *b = set_up(sizes[i][0], sizes[i][1], "leverage");
        const int n = b->n < b->p ? b->n : b->p, m = b->n + b->p - n;
        static double u[DRAWS];
        for (int d = 0; d < DRAWS; d++) {
            const rl_spectrum s = draw(b, d);
            double h = 0;
            for (int r = 0; r < s.n_modes; r++)
                for (int j = 0; j < s.m; j++) h += pow(s.z[r * s.ldz + j] / s.sigma[r], 2);
            u[d] = gsl_cdf_fdist_P(h * (m - n + 1) / n, n, m - n + 1);
        }
        char what[64];
        snprintf(what, sizeof what, "leverage at N = %d, P = %d", b->n, b->p);
        assert_uniform(what, u, DRAWS);
        tear_down(b);
    }
}

/* O6: |(V V^T - I) beta|^2 / |beta|^2 is Beta((P - N) / 2, N / 2). */
static void bias_follows_its_law(void **state) {
    static const int sizes[][2] = {{10, 20}, {19, 20}, {1, 7}};
    enum { DRAWS = 2000 };
    for (int i = 0; i < 3; i++) {
        bench *b = set_up(sizes[i][0], sizes[i][1], "bias");
        static double u[DRAWS];
        double length = 0;
        for (int j = 0; j < b->p; j++) length += b->beta[j] * b->beta[j];
        for (int d = 0; d < DRAWS; d++)
            u[d] = gsl_cdf_beta_P(draw(b, d).b_outside_sq / length, (b->p - b->n) / 2.0, b->n / 2.0);
        char what[64];
        snprintf(what, sizeof what, "bias at N = %d, P = %d", b->n, b->p);
        assert_uniform(what, u, DRAWS);
        tear_down(b);
    }
}

/* O7: exact at |N - P| = 1, Edelman's limit at N = P (n = 60, where its error is far below what 2000 draws resolve). */
static void smallest_singular_value_follows_its_law(void **state) {
    static const int sizes[][2] = {{20, 21}, {21, 20}, {60, 60}};
    enum { DRAWS = 2000 };
    for (int i = 0; i < 3; i++) {
        bench *b = set_up(sizes[i][0], sizes[i][1], "smallest");
        const int n = b->n < b->p ? b->n : b->p;
        static double u[DRAWS];
        for (int d = 0; d < DRAWS; d++) {
            const rl_spectrum s = draw(b, d);
            const double x = n * s.sigma[n - 1] * s.sigma[n - 1];
            u[d] = b->n == b->p ? 1 - exp(-(x / 2 + sqrt(x))) : 1 - exp(-x / 2);
        }
        char what[64];
        snprintf(what, sizeof what, "sigma_min at N = %d, P = %d", b->n, b->p);
        assert_uniform(what, u, DRAWS);
        tear_down(b);
    }
}

/* O8: the mean of sum log sigma^2, finite at N = P too; and sum sigma^2 = |X|_F^2 in each draw. */
static void products_and_sums_of_singular_values(void **state) {
    enum { DRAWS = 2000 };
    static double logs[DRAWS];
    static const int sizes[][2] = {{20, 20}, {12, 30}, {40, 15}};
    for (int i = 0; i < 3; i++) {
        bench *b = set_up(sizes[i][0], sizes[i][1], "products");
        const int n = b->n < b->p ? b->n : b->p, m = b->n + b->p - n;
        double expected = 0;
        for (int j = 1; j <= n; j++) expected += gsl_sf_psi((m - j + 1) / 2.0) + log(2);
        for (int d = 0; d < DRAWS; d++) {
            const rl_spectrum s = draw(b, d);
            double frobenius = 0, sum = 0;
            logs[d] = 0;
            for (int r = 0; r < n; r++) logs[d] += log(s.sigma[r] * s.sigma[r]), sum += s.sigma[r] * s.sigma[r];
            for (int j = 0; j < b->n * b->p; j++) frobenius += b->x[j] * b->x[j];
            assert_true(fabs(sum - frobenius) <= 1e-13 * frobenius);
        }
        assert_mean("mean of sum log sigma^2", logs, DRAWS, expected);
        tear_down(b);
    }
}

/* O12: for one X and many noises, the mean population error with a cutoff is |beta|^2 - sum_kept (v . beta)^2 + s^2
 * sum_kept 1 / sigma^2. */
static void conditional_risk_of_a_cutoff(void **state) {
    enum { DRAWS = 4000, N = 18, P = 20 };
    static const double noise = 0.5, cutoffs[] = {0, 0.8, 2.5};
    static double risks[DRAWS];
    for (int c = 0; c < 3; c++) {
        bench *b = set_up(N, P, "conditional");
        rl_evaluator *evaluator;
        rl_variant v = {.ablation = rl_ablation_find("cutoff"), .parameter = cutoffs[c]};
        const rl_population population = {.known = true};
        double expected = 0;
        assert_int_equal(rl_options_create(&v.options, v.ablation->options, v.ablation->n_options), RL_OK);
        assert_int_equal(rl_evaluator_create(&evaluator, 1, N, P + 2), RL_OK);
        for (int d = 0; d < DRAWS; d++) {
            for (int i = 0; i < N; i++) {
                rl_philox_normal_row(b->key, RL_STREAM_FEATURES, 0, (uint32_t)i, 0, P, b->x + i * P);
                b->y[i] = noise * rl_philox_normal(b->key, RL_STREAM_NOISE, (uint32_t)d, (uint32_t)i, 0);
                for (int j = 0; j < P; j++) b->y[i] += b->x[i * P + j] * b->beta[j];
            }
            const rl_spectrum s = draw(b, 0);
            rl_errors errors;
            rl_evaluate(evaluator, &s, &population, 1, &v, &errors);
            risks[d] = errors.population_mse;
            if (d > 0) continue;
            for (int j = 0; j < P; j++) expected += b->beta[j] * b->beta[j];
            for (int r = 0; r < N && s.sigma[r] >= cutoffs[c]; r++)
                expected += noise * noise / (s.sigma[r] * s.sigma[r]) - s.b_star[r] * s.b_star[r];
        }
        assert_mean("risk given X", risks, DRAWS, expected);
        rl_evaluator_destroy(evaluator);
        rl_options_destroy(&v.options);
        tear_down(b);
    }
}

/* ---- the study itself on fresh rows ---------------------------------------------------------------------------------
 */

static const char study_text[] =
    "repeats: 1500\n"
    "seed: 7\n"
    "n_train: [6, 10, 14, 26, 30, 40]\n"
    "ablations: [none, no_residuals]\n"
    "datasets:\n"
    "  - {source: student-teacher, rows: 140, features: 20, hidden_features: 30, noise: 0.5, draw: fresh}\n";

/* O1: the mean population error of the unablated fit, and without residuals; the test error has the same mean. */
static void expected_risk_of_a_study(void **state) {
    enum { REPEATS = 1500 };
    static double population[REPEATS], test[REPEATS], without[REPEATS];
    rl_study study;
    rl_plan plan;
    rl_data_path path;
    rl_task *task;
    double *records = NULL;
    assert_int_equal(rl_study_parse("oracle.yaml", study_text, &study), RL_OK);
    assert_int_equal(rl_data_path_create(&path, NULL), RL_OK);
    assert_int_equal(rl_plan_create(&study, &(rl_plan_options){.path = &path}, &plan), RL_OK);
    assert_int_equal(rl_task_create(&plan, NULL, &task), RL_OK);
    const rl_record_layout l = rl_record_layout_of(&plan, 0);
    const rl_grid *g = &plan.grids[0];
    assert_true(l.has_population);
    assert_int_equal(RL_ALLOC(records, l.length * REPEATS), RL_OK);
    for (int i = 0; i < REPEATS; i++)
        assert_int_equal(rl_task_curve(task, i, (rl_tick){0}, records + (size_t)i * l.length), RL_OK);
    double b = 0, v = 0.25;
    for (int j = 0; j < 30; j++) *(j < 20 ? &b : &v) += g->data.teacher.beta[j] * g->data.teacher.beta[j];
    for (int i = 0; i < g->n_n_train; i++) {
        const double n = g->n_train[i], d = 20;
        for (int r = 0; r < REPEATS; r++) {
            const double *record = records + (size_t)r * l.length;
            population[r] = record[l.population_mse + (size_t)i * 2];
            test[r] = record[l.test_mse + (size_t)i * 2];
            without[r] = record[l.population_mse + (size_t)i * 2 + 1];
        }
        const double expected = n > d ? v * (n - 1) / (n - d - 1) : b * (1 - n / d) + v * (1 + n / (d - n - 1));
        print_message("# N = %g\n", n);
        assert_mean("population error", population, REPEATS, expected);
        assert_mean("test error", test, REPEATS, expected);
        if (n < d)
            assert_mean("population error without residuals", without, REPEATS, b * (1 - n / d));
        else
            for (int r = 0; r < REPEATS; r++) assert_true(without[r] <= 1e-20);
    }
    rl_free(records);
    rl_task_destroy(task);
    rl_plan_destroy(&plan);
    rl_data_path_destroy(&path);
    rl_study_destroy(&study);
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leverage_follows_its_law),
        cmocka_unit_test(bias_follows_its_law),
        cmocka_unit_test(smallest_singular_value_follows_its_law),
        cmocka_unit_test(products_and_sums_of_singular_values),
        cmocka_unit_test(conditional_risk_of_a_cutoff),
        cmocka_unit_test(expected_risk_of_a_study),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
