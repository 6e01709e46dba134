/* The laws of laws.h at small sizes, where thousands of draws are cheap, and expected values of a whole study. */
#include "oracle.h"

#include <stdio.h>
#include <string.h>

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

/* At the threshold itself too. */
static void leverage_follows_its_law(void **state) {
    static const int sizes[][2] = {{20, 20}, {20, 25}, {26, 20}, {19, 20}, {5, 3}};
    enum { DRAWS = 2000 };
    for (int i = 0; i < 5; i++) {
        bench *b = set_up(sizes[i][0], sizes[i][1], "leverage");
        const int n = smaller_of(b->n, b->p), m = larger_of(b->n, b->p);
        static double u[DRAWS];
        for (int d = 0; d < DRAWS; d++) {
            const rl_spectrum s = draw(b, d);
            double h = 0;
            for (int r = 0; r < s.n_modes; r++)
                for (int j = 0; j < s.m; j++) h += pow(s.z[r * s.ldz + j] / s.sigma[r], 2);
            u[d] = uniform_leverage(h, n, m);
        }
        char what[64];
        snprintf(what, sizeof what, "leverage at N = %d, P = %d", b->n, b->p);
        assert_uniform(what, u, DRAWS);
        tear_down(b);
    }
}

/* |(V V^T - I) beta|^2 / |beta|^2 is Beta((P - N) / 2, N / 2). */
static void bias_follows_its_law(void **state) {
    static const int sizes[][2] = {{10, 20}, {19, 20}, {1, 7}};
    enum { DRAWS = 2000 };
    for (int i = 0; i < 3; i++) {
        bench *b = set_up(sizes[i][0], sizes[i][1], "bias");
        static double u[DRAWS];
        double length = 0;
        for (int j = 0; j < b->p; j++) length += b->beta[j] * b->beta[j];
        for (int d = 0; d < DRAWS; d++) u[d] = uniform_bias(draw(b, d).b_outside_sq / length, b->n, b->p);
        char what[64];
        snprintf(what, sizeof what, "bias at N = %d, P = %d", b->n, b->p);
        assert_uniform(what, u, DRAWS);
        tear_down(b);
    }
}

/* Exact at |N - P| = 1, Edelman's limit at N = P (n = 60, where its error is far below what 2000 draws resolve). */
static void smallest_singular_value_follows_its_law(void **state) {
    static const int sizes[][2] = {{20, 21}, {21, 20}, {60, 60}};
    enum { DRAWS = 2000 };
    for (int i = 0; i < 3; i++) {
        bench *b = set_up(sizes[i][0], sizes[i][1], "smallest");
        const int n = smaller_of(b->n, b->p);
        static double u[DRAWS];
        for (int d = 0; d < DRAWS; d++) {
            const rl_spectrum s = draw(b, d);
            u[d] = uniform_smallest(s.sigma[n - 1], b->n, b->p);
        }
        char what[64];
        snprintf(what, sizeof what, "sigma_min at N = %d, P = %d", b->n, b->p);
        assert_uniform(what, u, DRAWS);
        tear_down(b);
    }
}

/* Mean and variance of sum log sigma^2, finite at N = P too; and sum sigma^2 = |X|_F^2 in each draw. */
static void products_and_sums_of_singular_values(void **state) {
    enum { DRAWS = 2000 };
    static double logs[DRAWS], squares[DRAWS];
    static const int sizes[][2] = {{20, 20}, {12, 30}, {40, 15}};
    for (int i = 0; i < 3; i++) {
        bench *b = set_up(sizes[i][0], sizes[i][1], "products");
        const int n = smaller_of(b->n, b->p), m = larger_of(b->n, b->p);
        for (int d = 0; d < DRAWS; d++) {
            const rl_spectrum s = draw(b, d);
            double frobenius = 0, sum = 0;
            logs[d] = normal_log_determinant(s.sigma, n, m);
            squares[d] = logs[d] * logs[d];
            for (int r = 0; r < n; r++) sum += s.sigma[r] * s.sigma[r];
            for (int j = 0; j < b->n * b->p; j++) frobenius += b->x[j] * b->x[j];
            assert_true(fabs(sum - frobenius) <= 1e-13 * frobenius);
        }
        assert_mean("sum log sigma^2, standardized", logs, DRAWS, 0);
        assert_mean("its square", squares, DRAWS, 1);
        tear_down(b);
    }
}

/* For one X and many noises, the mean population error with a cutoff is |beta|^2 - sum_kept (v . beta)^2 + s^2
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

/* The mean population error of the unablated fit, and without residuals; the test error has the same mean. */
static void expected_risk_of_a_study(void **state) {
    enum { REPEATS = 1500 };
    static double population[REPEATS], test[REPEATS], without[REPEATS];
    curves *c = compute_curves(
        "repeats: 1500\n"
        "seed: 7\n"
        "n_train: [6, 10, 14, 26, 30, 40]\n"
        "ablations: [none, no_residuals]\n"
        "datasets:\n"
        "  - {source: student-teacher, rows: 140, features: 20, hidden_features: 30, noise: 0.5, draw: fresh}\n");
    const rl_series *g = &c->plan.series[0];
    for (int i = 0; i < g->n_n_train; i++) {
        const double n = g->n_train[i], expected = expected_risk(g->n_train[i], 20, c->signal, c->variance);
        take_cells(c, c->l.population_mse, i, 0, population);
        take_cells(c, c->l.test_mse, i, 0, test);
        take_cells(c, c->l.population_mse, i, 1, without);
        print_message("# N = %g\n", n);
        assert_mean("population error", population, REPEATS, expected);
        assert_mean("test error", test, REPEATS, expected);
        const double deviation = risk_deviation(g->n_train[i], 20, c->signal, c->variance);
        for (int r = 0; r < REPEATS; r++) population[r] = pow((population[r] - expected) / deviation, 2);
        if (fabs(n - 20) >= 14) assert_mean("its variance, standardized", population, REPEATS, 1);
        if (n < 20)
            assert_mean("population error without residuals", without, REPEATS, c->signal * (1 - n / 20));
        else
            for (int r = 0; r < REPEATS; r++) assert_true(without[r] <= 1e-20);
    }
    free_curves(c);
}

/* The same with an intercept: means of the program's own formula for D = 20 inputs, P = 21, and for many rows of
 * s^2 (1 + 1/N) (N - 2) / (N - D - 2). The variance is finite where |N - P| >= 4. */
static void expected_risk_with_an_intercept(void **state) {
    enum { REPEATS = 1500, D = 20 };
    static double population[REPEATS], test[REPEATS], without[REPEATS];
    curves *c = compute_curves(
        "repeats: 1500\n"
        "seed: 9\n"
        "n_train: [1, 6, 14, 17, 25, 30, 40]\n"
        "ablations: [none, no_residuals]\n"
        "datasets:\n"
        "  - {source: student-teacher, rows: 140, features: 20, hidden_features: 30, noise: 0.5, draw: fresh,\n"
        "     intercept: true}\n");
    const rl_series *g = &c->plan.series[0];
    assert_int_equal(g->n_features, D + 1);
    for (int i = 0; i < g->n_n_train; i++) {
        const double n = g->n_train[i];
        const rl_expectation e = {g->n_train[i], D + 1, c->signal, c->variance, true};
        const double expected = rl_ablation_find("none")->expected_mse(&e, NULL);
        const double bias = rl_ablation_find("no_residuals")->expected_mse(&e, NULL);
        if (n > D) assert_true(fabs(expected - c->variance * (1 + 1 / n) * (n - 2) / (n - D - 2)) <= 1e-12 * expected);
        take_cells(c, c->l.population_mse, i, 0, population);
        take_cells(c, c->l.test_mse, i, 0, test);
        take_cells(c, c->l.population_mse, i, 1, without);
        print_message("# N = %g, with an intercept\n", n);
        assert_mean("population error", population, REPEATS, expected);
        assert_mean("test error", test, REPEATS, expected);
        if (n <= D)
            assert_mean("population error without residuals", without, REPEATS, bias);
        else
            for (int r = 0; r < REPEATS; r++) assert_true(without[r] <= 1e-20);
    }
    free_curves(c);
}

/* With a cutoff the mean exists at the threshold too, and the ablation has a formula for it. */
static void expected_risk_of_cutoffs(void **state) {
    enum { REPEATS = 1500 };
    static double population[REPEATS];
    curves *c = compute_curves(
        "repeats: 1500\n"
        "seed: 8\n"
        "n_train: [9, 19, 20, 21, 33]\n"
        "ablations: [cutoff: [0, 0.3, 1.5, 4, 6]]\n"
        "datasets:\n"
        "  - {source: student-teacher, rows: 34, features: 20, hidden_features: 30, noise: 0.5, draw: fresh}\n");
    const rl_series *g = &c->plan.series[0];
    for (int i = 0; i < g->n_n_train; i++)
        for (int v = 0; v < g->spec->n_variants; v++) {
            const rl_variant *variant = &g->spec->variants[v];
            const rl_expectation e = {g->n_train[i], 20, c->signal, c->variance, false};
            const double expected = variant->ablation->expected_mse(&e, variant);
            char what[64];
            snprintf(what, sizeof what, "N = %d, cutoff %g", g->n_train[i], variant->parameter);
            take_cells(c, c->l.population_mse, i, v, population);
            if (isfinite(expected))
                assert_mean(what, population, REPEATS, expected);
            else
                assert_true(variant->parameter == 0 && abs(g->n_train[i] - 20) <= 1);
        }
    free_curves(c);
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
        cmocka_unit_test(expected_risk_with_an_intercept),
        cmocka_unit_test(expected_risk_of_cutoffs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
