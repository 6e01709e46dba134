/* The laws of laws.h at 600 features: through the study (curves by nested factorizations), through the dense producer
 * and the evaluator, and Bartlett's decomposition of the program's own rows. */
#include "oracle.h"

#include <stdio.h>
#include <string.h>

#include "ridgeless/fit.h"

void dgelqf_(const int *m, const int *n, double *a, const int *lda, double *tau, double *work, const int *lwork,
             int *info);
void dgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k, const double *alpha,
            const double *a, const int *lda, const double *b, const int *ldb, const double *beta, double *c,
            const int *ldc, size_t, size_t);

enum { P = 600, MAX_REPEATS = 250 };

static double *numbers(size_t n) {
    double *values = NULL;
    assert_int_equal(RL_ALLOC(values, n), RL_OK);
    return values;
}

/* ---- curves of a study ------------------------------------------------------------------------------------------- */

static const char curves_text[] =
    "repeats: 20\n"
    "seed: 31\n"
    "n_train: [300, 480, 570, 590, 599, 600, 601, 610, 630, 900]\n"
    "ablations: [none, no_residuals]\n"
    "datasets:\n"
    "  - {source: student-teacher, rows: 910, features: 600, hidden_features: 620, noise: 3, draw: fresh}\n";

/* Where N is 4 or more from P the risk has a variance. */
static void risk_of_a_curve(const curves *c, int i, int n_train) {
    double values[MAX_REPEATS];
    char what[64];
    snprintf(what, sizeof what, "risk at N = %d", n_train);
    take_cells(c, c->l.population_mse, i, 0, values);
    const double expected = expected_risk(n_train, P, c->signal, c->variance);
    const double deviation = risk_deviation(n_train, P, c->signal, c->variance);
    for (int r = 0; r < c->repeats; r++) values[r] = (values[r] - expected) / deviation;
    assert_standard(what, values, c->repeats);
    if (n_train > P) return;
    snprintf(what, sizeof what, "bias at N = %d", n_train);
    take_cells(c, c->l.population_mse, i, 1, values);
    for (int r = 0; r < c->repeats; r++) values[r] = uniform_bias(values[r] / c->signal, n_train, P);
    assert_uniform(what, values, c->repeats);
}

static void edges_of_a_curve(const curves *c, int i, int n_train) {
    double smallest[MAX_REPEATS], largest[MAX_REPEATS];
    char what[64];
    const int n = smaller_of(n_train, P), m = larger_of(n_train, P);
    take_spectra(c, c->l.sigma_min, i, smallest);
    take_spectra(c, c->l.sigma_max, i, largest);
    for (int r = 0; r < c->repeats; r++) {
        assert_true(inside_edges(smallest[r], largest[r], n, m, c->repeats * c->l.n_n_train));
        smallest[r] = uniform_smallest(smallest[r], n_train, P);
        largest[r] = standard_largest(largest[r], n, m);
    }
    snprintf(what, sizeof what, "sigma_max at N = %d", n_train);
    assert_standard(what, largest, c->repeats);
    snprintf(what, sizeof what, "sigma_min at N = %d", n_train);
    if (m - n <= 1) assert_uniform(what, smallest, c->repeats);
}

static void curves_of_600_features(void **state) {
    curves *c = compute_curves(curves_text);
    const rl_series *g = &c->plan.series[0];
    assert_int_equal(rl_method_number(g->method), NESTED);
    for (int i = 0; i < g->n_n_train; i++) {
        if (abs(g->n_train[i] - P) >= 4) risk_of_a_curve(c, i, g->n_train[i]);
        edges_of_a_curve(c, i, g->n_train[i]);
    }
    free_curves(c);
}

/* More draws where they are cheap. */
static void extremes_of_150_features(void **state) {
    curves *c = compute_curves(
        "repeats: 250\n"
        "seed: 32\n"
        "n_train: [149, 150, 151]\n"
        "ablations: [none]\n"
        "datasets:\n"
        "  - {source: student-teacher, rows: 152, features: 150, hidden_features: 150, noise: 1, draw: fresh}\n");
    double values[MAX_REPEATS];
    char what[64];
    for (int i = 0; i < 3; i++) {
        take_spectra(c, c->l.sigma_min, i, values);
        for (int r = 0; r < c->repeats; r++) values[r] = uniform_smallest(values[r], 149 + i, 150);
        snprintf(what, sizeof what, "sigma_min at N = %d, P = 150", 149 + i);
        assert_uniform(what, values, c->repeats);
    }
    take_spectra(c, c->l.sigma_max, 1, values);
    for (int r = 0; r < c->repeats; r++) values[r] = standard_largest(values[r], 150, 150);
    assert_standard("sigma_max at N = 150, P = 150", values, c->repeats);
    free_curves(c);
}

/* ---- spectra of the dense producer --------------------------------------------------------------------------------
 */

enum { TEST_ROWS = 150, MAX_TRAIN = 630, MAX_DRAWS = 10, N_VARIANTS = 3 };
static const double noise = 1, cuts[] = {0.1, 0.5}; /* of sqrt(P) */

typedef struct bench {
    rl_key key;
    double *x, *y, *beta, *ones, *w; /* w [TEST_ROWS, n_modes] row-major: X_test V */
    double signal;                   /* |beta|^2 */
    rl_test_factor factor;
    rl_dense_producer *producer;
    rl_evaluator *evaluator;
    rl_variant variants[N_VARIANTS]; /* none, and the cutoffs */
    rl_spectrum s;
    rl_errors errors[N_VARIANTS];
} bench;

static bench *set_up(const char *name) {
    const size_t rows = MAX_TRAIN + TEST_ROWS;
    bench *b = NULL;
    assert_int_equal(RL_ALLOC(b, 1), RL_OK);
    b->key = rl_key_make(2027, name);
    b->x = numbers(rows * P), b->y = numbers(rows), b->beta = numbers(P), b->ones = numbers(P);
    b->w = numbers(TEST_ROWS * P);
    rl_philox_normal_row(b->key, RL_STREAM_TEACHER, 0, 0, 0, P, b->beta);
    for (int j = 0; j < P; j++) {
        b->beta[j] /= 10;
        b->ones[j] = 1;
        b->signal += b->beta[j] * b->beta[j];
    }
    assert_int_equal(rl_test_factor_create(&b->factor, P), RL_OK);
    assert_int_equal(rl_dense_producer_create(&b->producer, MAX_TRAIN, P), RL_OK);
    assert_int_equal(rl_evaluator_create(&b->evaluator, N_VARIANTS, P, P + 2), RL_OK);
    for (int v = 0; v < N_VARIANTS; v++) {
        rl_variant *variant = &b->variants[v];
        variant->ablation = rl_ablation_find(v == 0 ? "none" : "cutoff");
        variant->parameter = v == 0 ? NAN : cuts[v - 1] * sqrt(P);
        assert_int_equal(rl_options_create(&variant->options, variant->ablation->options, variant->ablation->n_options),
                         RL_OK);
    }
    return b;
}

static void tear_down(bench *b) {
    double *const arrays[] = {b->x, b->y, b->beta, b->ones, b->w};
    for (int i = 0; i < 5; i++) rl_free(arrays[i]);
    for (int v = 0; v < N_VARIANTS; v++) rl_options_destroy(&b->variants[v].options);
    rl_test_factor_destroy(&b->factor);
    rl_dense_producer_destroy(b->producer);
    rl_evaluator_destroy(b->evaluator);
    rl_free(b);
}

static void draw_rows(bench *b, int repeat, int rows) {
    for (int i = 0; i < rows; i++) {
        double *row = b->x + (size_t)i * P;
        rl_philox_normal_row(b->key, RL_STREAM_FEATURES, (uint32_t)repeat, (uint32_t)i, 0, P, row);
        b->y[i] = noise * rl_philox_normal(b->key, RL_STREAM_NOISE, (uint32_t)repeat, (uint32_t)i, 0);
        for (int j = 0; j < P; j++) b->y[i] += row[j] * b->beta[j];
    }
}

/* The spectrum and the errors of one draw. The standard deviations of the features are given although they are all 1:
 * then population_z is V. */
static void draw(bench *b, int n_train, int repeat) {
    const rl_training_set train = {n_train, P, b->x, b->y, b->beta, b->ones};
    const rl_population population = {.known = true, .residual_variance = noise * noise};
    const double *test = b->x + (size_t)n_train * P, unit = 1, zero = 0;
    const int rows = TEST_ROWS, features = P;
    draw_rows(b, repeat, n_train + TEST_ROWS);
    rl_test_factor_clear(&b->factor);
    assert_int_equal(rl_test_factor_append(&b->factor, TEST_ROWS, test, P, b->y + n_train), RL_OK);
    assert_int_equal(rl_dense_producer_spectrum(b->producer, &train, &b->factor, &b->s), RL_OK);
    assert_int_equal(b->s.status, RL_CELL_DONE);
    rl_evaluate(b->evaluator, &b->s, &population, N_VARIANTS, b->variants, b->errors);
    dgemm_("T", "N", &b->s.n_modes, &rows, &features, &unit, b->s.population_z, &features, test, &features, &zero, b->w,
           &b->s.n_modes, 1, 1);
}

/* The coordinates of fresh rows are standard normal whatever X is, so the test rows' sum of squares along each mode is
 * chi-square. */
static void take_projections(const rl_spectrum *s, double *u) {
    for (int r = 0; r < s->n_modes; r++) {
        double sum = 0;
        for (int i = 0; i < s->m; i++)
            sum += s->z[(size_t)r * (size_t)s->ldz + (size_t)i] * s->z[(size_t)r * (size_t)s->ldz + (size_t)i];
        u[r] = gsl_cdf_chisq_P(sum, s->n_test);
    }
}

/* What is taken of each draw. */
typedef struct sample {
    int n_train, draws;
    double leverages[MAX_DRAWS * TEST_ROWS], projections[MAX_DRAWS * P];
    double bias[MAX_DRAWS], log_determinant[MAX_DRAWS], largest[MAX_DRAWS], risk[MAX_DRAWS];
    double kept[2][MAX_DRAWS], inverse[2][MAX_DRAWS], cut_risk[2][MAX_DRAWS];
} sample;

static void take(sample *t, bench *b, int d) {
    const rl_spectrum *s = &b->s;
    const int n = s->n_modes, m = larger_of(t->n_train, P);
    take_projections(s, t->projections + d * n);
    uniform_leverages(b->w, s->sigma, TEST_ROWS, n, m, t->leverages + d * TEST_ROWS);
    assert_true(inside_edges(s->sigma[n - 1], s->sigma[0], n, m, t->draws));
    t->bias[d] = uniform_bias(s->b_outside_sq / b->signal, t->n_train, P);
    t->log_determinant[d] = gsl_cdf_ugaussian_P(normal_log_determinant(s->sigma, n, m));
    t->largest[d] = standard_largest(s->sigma[0], n, m);
    t->risk[d] = b->errors[0].population_mse;
    for (int c = 0; c < 2; c++) {
        t->cut_risk[c][d] = b->errors[1 + c].population_mse;
        for (int r = 0; r < n && s->sigma[r] >= b->variants[1 + c].parameter; r++) {
            t->kept[c][d]++;
            t->inverse[c][d] += 1 / (s->sigma[r] * s->sigma[r]);
        }
    }
}

/* At N = P the mean exists under a cutoff alone: exactly that of the ablation's own formula, and of the quarter circle
 * to the next order. */
static void check_cutoffs(const sample *t, const bench *b) {
    const rl_expectation e = {t->n_train, P, b->signal, noise * noise, false};
    for (int c = 0; c < 2; c++) {
        const rl_variant *v = &b->variants[1 + c];
        assert_mean("risk of a cutoff", t->cut_risk[c], t->draws, v->ablation->expected_mse(&e, v));
        if (t->n_train != P) continue;
        assert_mean("modes kept", t->kept[c], t->draws, expected_kept(cuts[c], P));
        assert_mean("sum of 1 / sigma^2 kept", t->inverse[c], t->draws, expected_inverse_squares(cuts[c], P));
        const double lost = b->signal * (1 - expected_kept(cuts[c], P) / P);
        const double limit = noise * noise * (1 + expected_inverse_squares(cuts[c], P)) + lost;
        assert_true(fabs(v->ablation->expected_mse(&e, v) - limit) <= 0.05 / P / cuts[c] * limit);
    }
}

static void spectra_of_600_features(void **state) {
    static const int sizes[][2] = {{600, 10}, {570, 4}, {630, 4}};
    bench *b = set_up("spectra");
    for (int i = 0; i < 3; i++) {
        sample *t = NULL;
        assert_int_equal(RL_ALLOC(t, 1), RL_OK);
        t->n_train = sizes[i][0], t->draws = sizes[i][1];
        print_message("# N = %d, P = %d\n", t->n_train, P);
        for (int d = 0; d < t->draws; d++) {
            draw(b, t->n_train, 100 * i + d);
            take(t, b, d);
        }
        assert_uniform("leverages", t->leverages, t->draws * TEST_ROWS);
        assert_uniform("coordinates of test rows", t->projections, t->draws * smaller_of(t->n_train, P));
        assert_likely("log determinant", few_p_value(t->log_determinant, t->draws));
        assert_standard("sigma_max", t->largest, t->draws);
        if (t->n_train < P) assert_likely("bias", few_p_value(t->bias, t->draws));
        check_cutoffs(t, b);
        if (t->n_train != P)
            assert_likely(
                "risk",
                normal_p_value((mean_of(t->risk, t->draws) - expected_risk(t->n_train, P, b->signal, noise * noise)) /
                               risk_deviation(t->n_train, P, b->signal, noise * noise) * sqrt(t->draws)));
        rl_free(t);
    }
    tear_down(b);
}

/* ---- Bartlett ---------------------------------------------------------------------------------------------------- */

/* Bartlett 1933: of X = L Q, the squared diagonal of L is chi-square with P - i + 1 degrees of freedom, what is below
 * standard normal, all independent. */
static void triangle_of_600_rows(void **state) {
    enum { N = 600, N_BELOW = N * (N - 1) / 2 };
    const rl_key key = rl_key_make(2028, "bartlett");
    double *x = numbers((size_t)N * P), *row = numbers(P), *diagonal = numbers(N), *below = numbers(N_BELOW);
    double *tau = numbers(N), asked;
    const int n = N, p = P, query = -1;
    int info, k = 0;
    double sum = 0;
    for (int i = 0; i < N; i++) {
        rl_philox_normal_row(key, RL_STREAM_FEATURES, 0, (uint32_t)i, 0, P, row);
        for (int j = 0; j < P; j++) x[(size_t)j * N + (size_t)i] = row[j];
    }
    dgelqf_(&n, &p, x, &n, tau, &asked, &query, &info);
    const int lwork = (int)asked;
    double *work = numbers((size_t)lwork);
    dgelqf_(&n, &p, x, &n, tau, work, &lwork, &info);
    assert_int_equal(info, 0);
    for (int j = 0; j < N; j++) {
        diagonal[j] = gsl_cdf_chisq_P(x[(size_t)j * N + (size_t)j] * x[(size_t)j * N + (size_t)j], P - j);
        for (int i = j + 1; i < N; i++) {
            const double entry = x[(size_t)j * N + (size_t)i];
            sum += entry * entry;
            below[k++] = gsl_cdf_ugaussian_P(entry);
        }
    }
    assert_uniform("diagonal of L", diagonal, N);
    assert_uniform("below the diagonal of L", below, N_BELOW);
    assert_likely("its sum of squares", 2 * fmin(gsl_cdf_chisq_P(sum, N_BELOW), gsl_cdf_chisq_Q(sum, N_BELOW)));
    double *const arrays[] = {x, row, diagonal, below, tau, work};
    for (int i = 0; i < 6; i++) rl_free(arrays[i]);
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curves_of_600_features),
        cmocka_unit_test(extremes_of_150_features),
        cmocka_unit_test(spectra_of_600_features),
        cmocka_unit_test(triangle_of_600_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
