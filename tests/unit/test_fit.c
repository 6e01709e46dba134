/* fit: every ablation on a handful of shapes, against the same thing done the long way: singular vectors from one-sided
 * Jacobi, parameters, predictions row by row. Bounds are in units of eps x condition. */
#include "unit.h"

#include <float.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_integration.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sf.h>
#include <string.h>

#include "allocated.h"
#include "matrix.h"
#include "ridgeless/fit.h"

enum { MAX_P = 24, N_TEST = 70 };
static const int shapes[][2] = {{30, 8}, {8, 8}, {5, 12}, {1, 6}, {9, 1}, {21, 20}, {19, 20}};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

typedef struct problem {
    int n, p;
    double x[40 * MAX_P], y[40], beta_star[MAX_P], test_x[N_TEST * MAX_P], test_y[N_TEST];
    rl_test_factor factor;
    rl_dense_producer *producer;
    rl_evaluator *evaluator;
    rl_spectrum s;
    jacobi_svd svd;
} problem;

static problem *set_up(int n, int p) {
    problem *q = NULL;
    assert_int_equal(RL_ALLOC(q, 1), RL_OK);
    q->n = n, q->p = p;
    fill_normal(q->x, n, p, 21), fill_normal(q->y, n, 1, 22), fill_normal(q->beta_star, p, 1, 23);
    fill_normal(q->test_x, N_TEST, p, 24), fill_normal(q->test_y, N_TEST, 1, 25);
    const rl_training_set train = {n, p, q->x, q->y, q->beta_star, NULL};
    assert_int_equal(rl_test_factor_create(&q->factor, p), RL_OK);
    assert_int_equal(rl_test_factor_append(&q->factor, N_TEST, q->test_x, p, q->test_y), RL_OK);
    assert_int_equal(rl_dense_producer_create(&q->producer, n, p), RL_OK);
    assert_int_equal(rl_dense_producer_spectrum(q->producer, &train, &q->factor, &q->s), RL_OK);
    assert_allocates(rl_evaluator_create(&q->evaluator, 1, q->s.n_modes, q->factor.order),
                     rl_evaluator_bytes(1, q->s.n_modes, q->factor.order));
    q->svd = jacobi(q->x, n, p);
    return q;
}

static void tear_down(problem *q) {
    rl_test_factor_destroy(&q->factor);
    rl_dense_producer_destroy(q->producer);
    rl_evaluator_destroy(q->evaluator);
    jacobi_free(&q->svd);
    rl_free(q);
}

static const rl_population population = {.known = true, .residual_variance = 0.75};

/* The errors that the program finds; option NULL or the key to set to `value`. */
static rl_errors evaluate(problem *q, const char *ablation, double parameter, const char *option, double value) {
    rl_variant v = {.ablation = rl_ablation_find(ablation), .parameter = parameter};
    rl_errors errors;
    assert_non_null(v.ablation);
    assert_int_equal(rl_options_create(&v.options, v.ablation->options, v.ablation->n_options), RL_OK);
    if (option != NULL) v.options.values[rl_options_find(&v.options, option)].number = value;
    rl_evaluate(q->evaluator, &q->s, &population, 1, &v, &errors);
    rl_options_destroy(&v.options);
    return errors;
}

static double condition(const problem *q) {
    return q->s.sigma[0] / q->s.sigma[q->s.rank - 1];
}

static void assert_close(const problem *q, const char *what, double got, double expected, double scale) {
    const double bound = 500 * DBL_EPSILON * condition(q) * (fabs(expected) + scale);
    if (!(fabs(got - expected) <= bound))
        fail_msg("%d x %d: %s is %.17g, expected %.17g, allowed %.2g", q->n, q->p, what, got, expected, bound);
}

/* A training error: the long way leaves residuals with rounding errors of b |y|, b of the order of eps x condition,
 * which a mean square e^2 turns into (e + b |y|)^2. */
static void assert_train_close(const problem *q, const char *what, double got, double expected, double kappa) {
    const double b = 500 * DBL_EPSILON * kappa, size = dot(q->y, q->y, q->n) / q->n;
    const double bound = b * (expected + 2 * sqrt(expected * size)) + b * b * size;
    if (!(fabs(got - expected) <= bound))
        fail_msg("%d x %d: %s, training, is %.17g, expected %.17g, allowed %.2g", q->n, q->p, what, got, expected,
                 bound);
}

/* |beta_hat - beta*|^2 + shift^2 + residual variance, for independent standard normal features.
 */
static double population_error(const problem *q, const double *beta, double shift, double residual_variance) {
    double sum = shift * shift + residual_variance;
    for (int j = 0; j < q->p; j++) sum += (beta[j] - q->beta_star[j]) * (beta[j] - q->beta_star[j]);
    return sum;
}

static void assert_errors(problem *q, const char *what, rl_errors got, const double *beta, double shift,
                          const double *train_beta, const double *train_y) {
    assert_close(q, what, got.test_mse, mean_square_error(q->test_x, q->test_y, beta, shift, N_TEST, q->p), 0);
    assert_train_close(q, what, got.train_mse, mean_square_error(q->x, train_y, train_beta, 0, q->n, q->p),
                       condition(q));
    assert_close(q, what, got.population_mse, population_error(q, beta, shift, population.residual_variance), 0);
}

static void none_is_the_minimum_norm_fit(void **state) {
    for (int i = 0; i < N_SHAPES; i++) {
        problem *q = set_up(shapes[i][0], shapes[i][1]);
        double beta[MAX_P];
        jacobi_solve(&q->svd, q->y, q->svd.k, beta);
        assert_errors(q, "none", evaluate(q, "none", NAN, NULL, 0), beta, 0, beta, q->y);
        tear_down(q);
    }
}

static void cutoff_drops_small_singular_values(void **state) {
    static const double cutoffs[] = {0, 0.01, 0.5, 2, 5, 1e6};
    for (int i = 0; i < N_SHAPES; i++)
        for (int c = 0; c < 6; c++) {
            problem *q = set_up(shapes[i][0], shapes[i][1]);
            double beta[MAX_P];
            int kept = 0;
            while (kept < q->svd.k && gsl_vector_get(q->svd.s, (size_t)kept) >= cutoffs[c]) kept++;
            jacobi_solve(&q->svd, q->y, kept, beta);
            const rl_errors absolute = evaluate(q, "cutoff", cutoffs[c], NULL, 0);
            assert_errors(q, "cutoff", absolute, beta, 0, beta, q->y);
            const rl_errors relative = evaluate(q, "cutoff", cutoffs[c] / q->s.sigma[0], "relative", 1);
            assert_true(relative.test_mse == absolute.test_mse && relative.train_mse == absolute.train_mse);
            assert_true(absolute.modes_kept == kept && relative.modes_kept == kept);
            assert_true(isnan(evaluate(q, "ridge", 1, NULL, 0).modes_kept));
            tear_down(q);
        }
}

static void a_cutoff_keeps_the_value_that_equals_it(void **state) {
    problem *q = set_up(30, 8);
    const double at = evaluate(q, "cutoff", q->s.sigma[7], NULL, 0).test_mse;
    const double above = evaluate(q, "cutoff", nextafter(q->s.sigma[7], INFINITY), NULL, 0).test_mse;
    assert_true(at == evaluate(q, "none", NAN, NULL, 0).test_mse);
    assert_true(above != at);
    tear_down(q);
}

static void leading_modes_changes_the_test_features_alone(void **state) {
    for (int i = 0; i < N_SHAPES; i++)
        for (int k = 1; k <= 22; k += 3) {
            problem *q = set_up(shapes[i][0], shapes[i][1]);
            double full[MAX_P], leading[MAX_P];
            jacobi_solve(&q->svd, q->y, q->svd.k, full);
            jacobi_solve(&q->svd, q->y, k < q->svd.k ? k : q->svd.k, leading);
            assert_errors(q, "leading_modes", evaluate(q, "leading_modes", k, NULL, 0), leading, 0, full, q->y);
            tear_down(q);
        }
}

static void no_residuals_leaves_the_bias(void **state) {
    for (int i = 0; i < N_SHAPES; i++) {
        problem *q = set_up(shapes[i][0], shapes[i][1]);
        double ideal[40], test_ideal[N_TEST], beta[MAX_P];
        for (int j = 0; j < q->n; j++) ideal[j] = dot(q->x + j * q->p, q->beta_star, q->p);
        for (int j = 0; j < N_TEST; j++) test_ideal[j] = dot(q->test_x + j * q->p, q->beta_star, q->p);
        jacobi_solve(&q->svd, ideal, q->svd.k, beta);
        const rl_errors got = evaluate(q, "no_residuals", NAN, NULL, 0);
        const double size = dot(test_ideal, test_ideal, N_TEST) / N_TEST;
        assert_close(q, "no_residuals", got.test_mse, mean_square_error(q->test_x, test_ideal, beta, 0, N_TEST, q->p),
                     1e-12 * size);
        assert_close(q, "no_residuals", got.test_mse, q->s.test_bias_mse, 1e-12 * size); /* Eq. 1 with E = 0 */
        assert_close(q, "no_residuals", got.population_mse, q->s.b_outside_sq, 1e-12 * size);
        assert_true(got.train_mse <= 1e-24 * size);
        tear_down(q);
    }
}

/* Steps along the smallest mode; its sign as spectrum.h has it. */
static double smallest_mode(const problem *q, double *v, double *u) {
    const size_t r = (size_t)q->svd.k - 1;
    int largest = 0;
    for (int j = 0; j < q->p; j++) {
        v[j] = gsl_matrix_get(q->svd.v, (size_t)j, r);
        if (fabs(v[j]) > fabs(v[largest])) largest = j;
    }
    const double sign = v[largest] > 0 ? 1 : -1;
    for (int j = 0; j < q->p; j++) v[j] *= sign;
    for (int j = 0; j < q->n; j++) u[j] = sign * gsl_matrix_get(q->svd.u, (size_t)j, r);
    return gsl_vector_get(q->svd.s, r);
}

static void adversarial_steps_move_along_the_smallest_mode(void **state) {
    static const double steps[] = {-3.16, 0, 0.1, 31.6};
    for (int i = 0; i < N_SHAPES; i++)
        for (int a = 0; a < 4; a++) {
            problem *q = set_up(shapes[i][0], shapes[i][1]);
            double beta[MAX_P], moved_beta[MAX_P], v[MAX_P] = {0}, u[40] = {0}, moved_y[40];
            smallest_mode(q, v, u);
            jacobi_solve(&q->svd, q->y, q->svd.k, beta);
            assert_errors(q, "adversarial_test", evaluate(q, "adversarial_test", steps[a], NULL, 0), beta,
                          steps[a] * dot(v, beta, q->p), beta, q->y);
            for (int j = 0; j < q->n; j++) moved_y[j] = q->y[j] + steps[a] * u[j];
            jacobi_solve(&q->svd, moved_y, q->svd.k, moved_beta);
            assert_errors(q, "adversarial_train", evaluate(q, "adversarial_train", steps[a], NULL, 0), moved_beta, 0,
                          moved_beta, moved_y);
            tear_down(q);
        }
}

static double root_mean_square(const double *a, int n) {
    return sqrt(dot(a, a, n) / n);
}

static void relative_adversarial_steps_are_in_units_of_the_training_rows(void **state) {
    for (int i = 0; i < N_SHAPES; i++) {
        problem *q = set_up(shapes[i][0], shapes[i][1]);
        const char *const names[] = {"adversarial_test", "adversarial_train"};
        const double units[] = {root_mean_square(q->x, q->n * q->p), root_mean_square(q->y, q->n)};
        for (int a = 0; a < 2; a++) {
            const rl_errors relative = evaluate(q, names[a], -0.7, "relative", 1);
            const rl_errors absolute = evaluate(q, names[a], -0.7 * units[a], NULL, 0);
            assert_close(q, names[a], relative.test_mse, absolute.test_mse, 0);
            assert_close(q, names[a], relative.population_mse, absolute.population_mse, 0);
        }
        tear_down(q);
    }
}

/* Ridge as the least squares of X stacked on sqrt(lambda) I: another factorization of another matrix. */
static void ridge_is_least_squares_on_an_augmented_matrix(void **state) {
    static const double lambdas[] = {1e-6, 0.3, 10, 1e5};
    for (int i = 0; i < N_SHAPES; i++)
        for (int l = 0; l < 4; l++) {
            problem *q = set_up(shapes[i][0], shapes[i][1]);
            const int rows = q->n + q->p;
            double augmented[(40 + MAX_P) * MAX_P] = {0}, y[40 + MAX_P] = {0}, beta[MAX_P];
            memcpy(augmented, q->x, sizeof(double) * (size_t)(q->n * q->p));
            memcpy(y, q->y, sizeof(double) * (size_t)q->n);
            for (int j = 0; j < q->p; j++) augmented[(q->n + j) * q->p + j] = sqrt(lambdas[l]);
            jacobi_svd svd = jacobi(augmented, rows, q->p);
            jacobi_solve(&svd, y, svd.k, beta);
            const double kappa = gsl_vector_get(svd.s, 0) / gsl_vector_get(svd.s, (size_t)svd.k - 1);
            const rl_errors got = evaluate(q, "ridge", lambdas[l], NULL, 0);
            const double expected = mean_square_error(q->test_x, q->test_y, beta, 0, N_TEST, q->p);
            assert_true(fabs(got.test_mse - expected) <= 500 * DBL_EPSILON * (kappa + condition(q)) * expected);
            assert_train_close(q, "ridge", got.train_mse, mean_square_error(q->x, q->y, beta, 0, q->n, q->p), kappa);
            const double unit = q->s.sigma[0] * q->s.sigma[0];
            assert_close(q, "relative", evaluate(q, "ridge", lambdas[l] / unit, "relative", 1).test_mse, got.test_mse,
                         0);
            jacobi_free(&svd);
            tear_down(q);
        }
}

/* |beta - beta_0| / |beta_0| with beta_0 from one-sided Jacobi. */
static void assert_distance(const problem *q, double got, const double *beta) {
    double least_squares[MAX_P], apart = 0;
    jacobi_solve(&q->svd, q->y, q->svd.k, least_squares);
    const double length = sqrt(dot(least_squares, least_squares, q->p));
    for (int j = 0; j < q->p; j++) apart += (beta[j] - least_squares[j]) * (beta[j] - least_squares[j]);
    assert_true(fabs(got - sqrt(apart) / length) <= 500 * DBL_EPSILON * condition(q));
}

/* Gradient descent from zero, iterated in the open. */
static void gradient_descent_is_what_the_iteration_does(void **state) {
    static const int steps[] = {1, 2, 7, 300};
    static const double rates[] = {0.05, 1, 1.9};
    for (int i = 0; i < N_SHAPES; i++)
        for (int t = 0; t < 4; t++)
            for (int e = 0; e < 3; e++) {
                problem *q = set_up(shapes[i][0], shapes[i][1]);
                const double eta = rates[e] / (q->s.sigma[0] * q->s.sigma[0]);
                double beta[MAX_P] = {0};
                for (int step = 0; step < steps[t]; step++) {
                    double gradient[MAX_P] = {0};
                    for (int j = 0; j < q->n; j++) {
                        const double left = q->y[j] - dot(q->x + j * q->p, beta, q->p);
                        for (int k = 0; k < q->p; k++) gradient[k] += q->x[j * q->p + k] * left;
                    }
                    for (int k = 0; k < q->p; k++) beta[k] += eta * gradient[k];
                }
                const rl_errors got = evaluate(q, "gradient_descent", steps[t], "rate", rates[e]);
                assert_errors(q, "gradient_descent", got, beta, 0, beta, q->y);
                assert_distance(q, got.distance, beta);
                tear_down(q);
            }
}

static void gradient_descent_ends_in_the_minimum_norm_fit(void **state) { /* Appendix A */
    for (int i = 0; i < N_SHAPES; i++) {
        problem *q = set_up(shapes[i][0], shapes[i][1]);
        const double kappa = condition(q), enough = ceil(40 * kappa * kappa);
        const rl_errors limit = evaluate(q, "gradient_descent", enough, NULL, 0),
                        none = evaluate(q, "none", NAN, NULL, 0);
        assert_close(q, "limit", limit.test_mse, none.test_mse, 0);
        assert_true(limit.distance <= 2 * DBL_EPSILON); /* the same rounding of 1 / sigma but for a last bit */
        assert_true(isnan(none.distance));
        tear_down(q);
    }
}

static void mode_factors_are_projections(void **state) {
    problem *q = set_up(21, 20);
    double test[20], residual[20];
    rl_mode_factors(&q->s, test, residual);
    for (size_t r = 0; r < 20; r++) {
        double square = 0, u_e = 0;
        for (int t = 0; t < N_TEST; t++) {
            double z = 0;
            for (int j = 0; j < q->p; j++) z += q->test_x[t * q->p + j] * gsl_matrix_get(q->svd.v, (size_t)j, r);
            square += z * z / N_TEST;
        }
        for (int j = 0; j < q->n; j++)
            u_e += gsl_matrix_get(q->svd.u, (size_t)j, r) * (q->y[j] - dot(q->x + j * q->p, q->beta_star, q->p));
        assert_close(q, "test projection", test[r], sqrt(square), 0);
        assert_close(q, "residual projection", fabs(residual[r]), fabs(u_e), 1);
    }
    tear_down(q);
}

/* Features of other standard deviations than 1: the error weighted by them, from parameters in the open. */
static void population_weighs_features_by_their_scale(void **state) {
    static const double scale[MAX_P] = {3, 1, 0.25, 1e-3, 7, 1, 1, 0.5, 2, 1, 0.1, 4, 1, 1, 1, 1, 1, 1, 1, 1};
    for (int i = 0; i < N_SHAPES; i++) {
        problem *q = set_up(shapes[i][0], shapes[i][1]);
        const rl_training_set train = {q->n, q->p, q->x, q->y, q->beta_star, scale};
        assert_int_equal(rl_dense_producer_spectrum(q->producer, &train, &q->factor, &q->s), RL_OK);
        double beta[MAX_P], expected = population.residual_variance;
        jacobi_solve(&q->svd, q->y, q->svd.k, beta);
        for (int j = 0; j < q->p; j++) expected += pow(scale[j] * (beta[j] - q->beta_star[j]), 2);
        assert_close(q, "population", evaluate(q, "none", NAN, NULL, 0).population_mse, expected, 0);
        tear_down(q);
    }
}

static void a_spectrum_that_failed_gives_no_numbers(void **state) {
    problem *q = set_up(8, 8);
    q->s.status = RL_CELL_NO_CONVERGENCE;
    const rl_errors got = evaluate(q, "none", NAN, NULL, 0);
    assert_true(isnan(got.test_mse) && isnan(got.train_mse) && isnan(got.population_mse));
    tear_down(q);
}

static void assert_near(double got, double expected) {
    if (!(fabs(got - expected) <= 100 * DBL_EPSILON * expected)) fail_msg("%.17g, expected %.17g", got, expected);
}

/* The pseudoinverse of zeros is zeros: every fit predicts 0, and the errors are the mean squares of the targets. */
static void zeros_predict_zero(void **state) {
    problem *q = set_up(8, 5);
    memset(q->x, 0, sizeof q->x);
    const rl_training_set train = {q->n, q->p, q->x, q->y, q->beta_star, NULL};
    assert_int_equal(rl_dense_producer_spectrum(q->producer, &train, &q->factor, &q->s), RL_OK);
    double ideal = 0;
    for (int i = 0; i < N_TEST; i++) ideal += pow(dot(q->test_x + i * q->p, q->beta_star, q->p), 2) / N_TEST;
    for (int i = 0; rl_ablations[i] != NULL; i++) {
        const rl_ablation *a = rl_ablations[i];
        const bool fits_ideal = a->need == RL_NEED_FIT_TO_IDEAL;
        const double test = fits_ideal ? ideal : dot(q->test_y, q->test_y, N_TEST) / N_TEST;
        const double train_error = fits_ideal ? 0 : dot(q->y, q->y, q->n) / q->n; /* y* is 0 there */
        const double population_error = dot(q->beta_star, q->beta_star, q->p);
        if (a->need == RL_NEED_ROWS || a->need == RL_NEED_LEFT)
            continue; /* has no coordinates, or wants more of them */
        const char *relative = a->n_options > 0 ? "relative" : NULL;
        for (int option = 0; option <= (relative != NULL); option++) {
            const rl_errors got = evaluate(q, a->name, 2, relative, option);
            assert_near(got.test_mse, test);
            assert_near(got.train_mse, train_error);
            assert_near(got.population_mse, population_error + (fits_ideal ? 0 : population.residual_variance));
            assert_true(a->leaves_modes_out ? got.modes_kept == 0 : isnan(got.modes_kept));
            assert_true(a->approaches_least_squares ? got.distance == 0 : isnan(got.distance));
        }
    }
    tear_down(q);
}

/* Parameters in units of the singular values do not know the unit of the features, however large or small their
 * squares.
 */
static void the_unit_of_the_features_does_not_matter(void **state) {
    static const struct {
        const char *ablation;
        double parameter;
    } cases[] = {{"none", NAN},           {"cutoff", 0.3},          {"leading_modes", 3}, {"no_residuals", NAN},
                 {"adversarial_test", 1}, {"adversarial_train", 1}, {"ridge", 0.1},       {"ridge", 0},
                 {"gradient_descent", 30}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        rl_errors expected = {0};
        static const int exponents[] = {0, 900, -900};
        const char *relative = rl_ablation_find(cases[k].ablation)->n_options > 0 ? "relative" : NULL;
        for (int e = 0; e < 3; e++) {
            problem *q = set_up(8, 5);
            for (int i = 0; i < q->n * q->p; i++) q->x[i] = ldexp(q->x[i], exponents[e]);
            for (int i = 0; i < N_TEST * q->p; i++) q->test_x[i] = ldexp(q->test_x[i], exponents[e]);
            for (int j = 0; j < q->p; j++) q->beta_star[j] = ldexp(q->beta_star[j], -exponents[e]);
            const rl_training_set train = {q->n, q->p, q->x, q->y, q->beta_star, NULL};
            rl_test_factor_clear(&q->factor);
            assert_int_equal(rl_test_factor_append(&q->factor, N_TEST, q->test_x, q->p, q->test_y), RL_OK);
            assert_int_equal(rl_dense_producer_spectrum(q->producer, &train, &q->factor, &q->s), RL_OK);
            const rl_errors got = evaluate(q, cases[k].ablation, cases[k].parameter, relative, 1);
            if (e == 0) expected = got;
            assert_close(q, cases[k].ablation, got.test_mse, expected.test_mse, dot(q->y, q->y, q->n));
            assert_close(q, cases[k].ablation, got.train_mse, expected.train_mse, dot(q->y, q->y, q->n));
            if (!isnan(expected.distance)) assert_close(q, cases[k].ablation, got.distance, expected.distance, 1);
            tear_down(q);
        }
    }
}

/* A penalty in units of its own, beside features that are next to nothing, leaves nothing of the fit. */
static void a_penalty_may_be_far_above_the_features(void **state) {
    problem *q = set_up(8, 5);
    for (int i = 0; i < q->n * q->p; i++) q->x[i] *= 1e-290;
    const rl_training_set train = {q->n, q->p, q->x, q->y, q->beta_star, NULL};
    assert_int_equal(rl_dense_producer_spectrum(q->producer, &train, &q->factor, &q->s), RL_OK);
    const rl_errors got = evaluate(q, "ridge", 1, NULL, 0);
    const double test = dot(q->test_y, q->test_y, N_TEST) / N_TEST, left = dot(q->y, q->y, q->n) / q->n;
    assert_near(got.test_mse, test);
    assert_near(got.train_mse, left);
    tear_down(q);
}

/* An error that leaves the range of numbers is infinite, never NaN. */
static void what_overflows_is_infinite(void **state) {
    problem *q = set_up(8, 5);
    const rl_errors diverged = evaluate(q, "gradient_descent", 1e6, "rate", 3);
    assert_true(isinf(diverged.test_mse) && isinf(diverged.train_mse) && isinf(diverged.population_mse));
    assert_true(isinf(diverged.distance));
    assert_true(isinf(evaluate(q, "adversarial_test", 1e300, NULL, 0).test_mse));
    tear_down(q);
}

/* A mode that counts as zero takes no part, and what it holds of the target stays in the training error. */
static void zero_modes_take_no_part(void **state) {
    problem *q = set_up(8, 8);
    const double before = evaluate(q, "none", NAN, NULL, 0).train_mse;
    q->s.rank = 7;
    for (int i = 0; rl_ablations[i] != NULL; i++) {
        const rl_need need = rl_ablations[i]->need;
        if (need == RL_NEED_ROWS || need == RL_NEED_LEFT) continue; /* has no coordinates, or wants more of them */
        const rl_errors got = evaluate(q, rl_ablations[i]->name, 1, NULL, 0);
        assert_true(isfinite(got.test_mse));
        if (strcmp(rl_ablations[i]->name, "none") == 0)
            assert_true(fabs(got.train_mse - before - q->s.c[RL_TARGET_Y][7] * q->s.c[RL_TARGET_Y][7] / 8) < 1e-14);
    }
    tear_down(q);
}

static void the_table_is_complete(void **state) {
    static const char *const names[] = {"none",         "cutoff",           "leading_modes",
                                        "no_residuals", "adversarial_test", "adversarial_train",
                                        "ridge",        "gradient_descent", "gradient_descent_run"};
    for (int i = 0; i < 9; i++) {
        const rl_ablation *a = rl_ablation_find(names[i]);
        assert_non_null(a);
        assert_string_equal(a->name, names[i]);
        assert_non_null(a->summary);
        assert_non_null(a->example);
        assert_true((a->parameter == RL_PARAMETER_NONE) == (a->parameter_meaning == NULL));
        assert_int_equal((a->truncate != NULL) + (a->fit != NULL) + (a->run != NULL), 1);
        assert_true((a->run != NULL) == (a->need == RL_NEED_ROWS));
    }
    assert_null(rl_ablation_find("nonsense"));
}

/* ---- expected values --------------------------------------------------------------------------------------------- */

/* Of a cutoff, on a design with |beta*|^2 = signal and the given variance of the residuals. */
static double expected_of_cutoff(double cutoff, int n_train, int n_features, double signal, double variance) {
    rl_variant v = {.ablation = rl_ablation_find("cutoff"), .parameter = cutoff};
    const rl_expectation e = {n_train, n_features, signal, variance, false};
    assert_int_equal(rl_options_create(&v.options, v.ablation->options, v.ablation->n_options), RL_OK);
    const double expected = v.ablation->expected_mse(&e, &v);
    rl_options_destroy(&v.options);
    return expected;
}

/* The two numbers behind it: how many singular values of an n x m matrix are at least the cutoff, and their sum of
 * 1 / sigma^2. Wide and tall training sets have the same. */
static double expected_count(double cutoff, int n, int m) {
    const double wide = m * (1 - expected_of_cutoff(cutoff, n, m, 1, 0));
    const double tall = n * (1 - expected_of_cutoff(cutoff, m, n, 1, 0));
    assert_true(fabs(wide - tall) <= 4 * DBL_EPSILON * m);
    return wide;
}

static double expected_inverse(double cutoff, int n, int m) {
    const double wide = expected_of_cutoff(cutoff, n, m, 0, 1), tall = expected_of_cutoff(cutoff, m, n, 0, 1);
    assert_true(wide == tall);
    return wide - 1;
}

/* `absolute`: what the differences above lose. */
static void assert_tail(int n, int m, double cutoff, double count, double inverse, double tolerance) {
    const double got[] = {expected_count(cutoff, n, m), expected_inverse(cutoff, n, m)}, expected[] = {count, inverse};
    const double absolute[] = {4 * DBL_EPSILON * m, 4 * DBL_EPSILON * (1 + inverse)};
    for (int i = 0; i < 2; i++)
        if (!(fabs(got[i] - expected[i]) <= tolerance * expected[i] + absolute[i]))
            fail_msg("%d x %d, cutoff %g, number %d: %.17g, expected %.17g", n, m, cutoff, i, got[i], expected[i]);
}

/* One row: sigma^2 is chi-square. */
static void expectation_of_one_singular_value(void **state) {
    static const double cutoffs[] = {1e-5, 0.03, 0.9, 1.5, 4};
    for (int c = 0; c < 5; c++) {
        const double t = cutoffs[c], s = t * t;
        assert_tail(1, 1, t, gsl_cdf_chisq_Q(s, 1), 2 * (gsl_ran_ugaussian_pdf(t) / t - gsl_cdf_ugaussian_Q(t)), 1e-12);
        assert_tail(1, 2, t, gsl_cdf_chisq_Q(s, 2), gsl_sf_expint_E1(s / 2) / 2, 1e-12);
        for (int m = 3; m < 60; m += 7)
            assert_tail(1, m, t, gsl_cdf_chisq_Q(s, m), gsl_cdf_chisq_Q(s, m - 2) / (m - 2), 1e-12);
    }
}

/* The density of the singular values of an n x m matrix, times a power of the value, as an integrand. */
typedef struct density {
    int n, m, power;
    double fixed;         /* of two singular values, the other */
    double first, second; /* of many: the integrals of the functions below */
    gsl_integration_cquad_workspace *outer, *inner;
} density;

static density density_alloc(void) {
    return (density){.outer = gsl_integration_cquad_workspace_alloc(200),
                     .inner = gsl_integration_cquad_workspace_alloc(200)};
}

static void density_free(density *d) {
    gsl_integration_cquad_workspace_free(d->outer);
    gsl_integration_cquad_workspace_free(d->inner);
}

static double integrate(double (*f)(double, void *), density *d, gsl_integration_cquad_workspace *w, double from,
                        double to) {
    gsl_function function = {f, d};
    double result;
    assert_int_equal(gsl_integration_cquad(&function, from, to, 1e-12, 1e-10, w, &result, NULL, NULL), 0);
    return result;
}

/* Both singular values of a 2 x m matrix: (u v)^(m - 2) |u^2 - v^2| e^(-(u^2 + v^2) / 2) (Muirhead 1982, theorem
 * 3.2.18). */
static double both(double v, void *state) {
    const density *d = state;
    const double u = d->fixed;
    return pow(u * v, d->m - 2) * fabs(u * u - v * v) * exp(-(u * u + v * v) / 2);
}

static double one_of_two(double u, void *state) {
    density *d = state;
    d->fixed = u;
    return pow(u, d->power) * (integrate(both, d, d->inner, 0, u) + integrate(both, d, d->inner, u, u + 20));
}

static void expectation_of_two_singular_values(void **state) {
    density d = density_alloc();
    static const double cutoffs[] = {0.01, 0.7, 2.5};
    d.n = 2;
    for (d.m = 2; d.m <= 9; d.m += d.m < 4 ? 1 : 5)
        for (int c = 0; c < 3; c++) {
            d.power = 0;
            const double all = integrate(one_of_two, &d, d.outer, 0, 20) / 2;
            const double count = integrate(one_of_two, &d, d.outer, cutoffs[c], 20) / all;
            d.power = -2;
            assert_tail(2, d.m, cutoffs[c], count, integrate(one_of_two, &d, d.outer, cutoffs[c], 20) / all, 1e-9);
        }
    density_free(&d);
}

/* sqrt(k! / (k + a)!) x^((a - 1) / 2) e^(-x / 2) L_k^a(x) dx for x = u^2, a = m - n. */
static double weighted_laguerre(int k, const density *d, double u) {
    const int a = d->m - d->n;
    const double norm = exp((gsl_sf_lnfact((unsigned)k) - gsl_sf_lnfact((unsigned)(k + a))) / 2);
    return norm * 2 * pow(u, a) * exp(-u * u / 2) * gsl_sf_laguerre_n(k, a, u * u);
}

static double weighted_first(double u, void *state) {
    const density *d = state;
    return weighted_laguerre(d->n - 1, d, u);
}

static double weighted_second(double u, void *state) {
    const density *d = state;
    return weighted_laguerre(d->n - 2, d, u);
}

/* All singular values: the density of the complex ensemble with n - 1 of them, and a correction. Forrester 2010,
 * "Log-gases and random matrices", chapter 6, with the polynomials as they stand. */
static double one_of_many(double u, void *state) {
    density *d = state;
    const int n = d->n;
    double sum = 0;
    for (int k = 0; k <= n - 2; k++) sum += pow(weighted_laguerre(k, d, u), 2) * u / 2;
    const double below = integrate(weighted_second, d, d->inner, 0, u) - (n % 2 == 0 ? d->second / 2 : 0);
    sum -= sqrt((n - 1) * (d->m - 1)) / 2 * weighted_first(u, d) * below;
    if (n % 2 == 1) sum += weighted_first(u, d) / d->first;
    return sum * pow(u, d->power);
}

static void expectation_by_quadrature_of_the_density(void **state) {
    static const int sizes[][2] = {{3, 3}, {4, 5}, {9, 11}, {12, 12}, {13, 14}, {10, 17}};
    density d = density_alloc();
    for (int i = 0; i < 6; i++) {
        d.n = sizes[i][0], d.m = sizes[i][1];
        d.first = integrate(weighted_first, &d, d.inner, 0, 20);
        d.second = integrate(weighted_second, &d, d.inner, 0, 20);
        const double cutoffs[] = {0.1, sqrt(d.n)};
        for (int c = 0; c < 2; c++) {
            d.power = 0;
            const double count = integrate(one_of_many, &d, d.outer, cutoffs[c], 18);
            d.power = -2;
            assert_tail(d.n, d.m, cutoffs[c], count, integrate(one_of_many, &d, d.outer, cutoffs[c], 18), 1e-8);
        }
    }
    density_free(&d);
}

/* Marchenko and Pastur 1967: as n grows with n / m = ratio, the squares of n singular values have the density
 * sqrt((high - x)(x - low)) / (2 pi ratio x) in x = sigma^2 / m, low and high = (1 -+ sqrt(ratio))^2. Here of u =
 * sqrt(x), and times a power of u. */
typedef struct limit {
    double low, high, ratio;
    int power;
} limit;

static double limit_density(double u, void *state) {
    const limit *l = state;
    const double x = u * u;
    return sqrt(fmax(0, (l->high - x) * (x - l->low))) / (M_PI * l->ratio * u) * pow(u, l->power);
}

static double limit_integral(limit *l, int power, double from, gsl_integration_cquad_workspace *w) {
    gsl_function f = {limit_density, l};
    double result;
    l->power = power;
    assert_int_equal(gsl_integration_cquad(&f, from, sqrt(l->high), 0, 1e-11, w, &result, NULL, NULL), 0);
    return result;
}

/* What comes next, a factor n smaller: a quarter of a value at `high` less the integral of 1 / (2 pi sqrt((high - x)(x
 * - low))) (Dumitriu and Edelman 2006, "Global spectrum fluctuations for the beta-Hermite and beta-Laguerre
 * ensembles"). */
static double correction_of_count(const limit *l, double x) {
    return 0.25 - acos((2 * x - l->high - l->low) / (l->high - l->low)) / (2 * M_PI);
}

static double correction_of_inverse(const limit *l, double x) {
    const double low = l->low, high = l->high, cosine = ((high + low) * x - 2 * high * low) / (x * (high - low));
    const double integral = low > 0 ? acos(cosine) / sqrt(high * low) : 2 / high * sqrt((high - x) / x);
    return 0.25 / high - integral / (2 * M_PI);
}

/* Cutoffs between the edges; what is left is of the order of 1 / n^2, at the edges of larger order. */
static void expectation_at_large_sizes(void **state) {
    static const double ratios[] = {1, 0.96, 0.5, 0.1};
    gsl_integration_cquad_workspace *w = gsl_integration_cquad_workspace_alloc(200);
    for (int i = 0; i < 4; i++)
        for (int n = 480; n <= 4000; n *= 2)
            for (double at = 0.1; at < 0.95; at += 0.2) {
                limit l = {pow(1 - sqrt(ratios[i]), 2), pow(1 + sqrt(ratios[i]), 2), ratios[i], 0};
                const int m = (int)lround(n / l.ratio);
                const double from = sqrt(l.low) + at * (sqrt(l.high) - sqrt(l.low)), x = from * from;
                const double count = limit_integral(&l, 0, from, w), inverse = limit_integral(&l, -2, from, w);
                assert_tail(n, m, from * sqrt(m), n * count + correction_of_count(&l, x),
                            (n * inverse + correction_of_inverse(&l, x)) / m, 30.0 / n / n);
                if (l.ratio < 1) continue;
                /* the quarter circle's integrals in closed form */
                const double lost = (from * sqrt(4 - x) / 2 + 2 * asin(from / 2)) / M_PI;
                assert_true(fabs(1 - lost - count) <= 1e-9);
                assert_true(fabs((sqrt(4 - x) / from + asin(from / 2) - M_PI / 2) / M_PI - inverse) <= 1e-9);
            }
    gsl_integration_cquad_workspace_free(w);
}

/* The rounding errors of thousands of steps: the same recurrences in 80 decimal digits (mpmath). */
static void expectation_to_the_last_digits(void **state) {
    static const struct {
        int n, m;
        double cutoff, count, inverse;
    } values[] = {
        {20, 20, 0.05, 19.782341354672981, 72.307245215350649},
        {299, 300, 0.001, 298.99985051117438, 1339.1379369355619},
        {300, 302, 0.2, 298.46909704955532, 54.074665184827801},
        {1000, 1000, 0.01, 999.69260636374607, 2442.2203916389885},
        {1000, 1000, 31, 401.80847439593803, 0.22902883894786158},
        {1000, 4000, 37, 945.13100001044405, 0.28786272582975437},
        {10, 5000, 70, 6.3362939235442708, 0.001232631404777453},
        {4000, 4000, 0.3, 3987.6749237728141, 133.71515410725886},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_tail(values[i].n, values[i].m, values[i].cutoff, values[i].count, values[i].inverse,
                    50 * DBL_EPSILON * values[i].m);
}

/* A cutoff of nothing is no cutoff, and one of everything leaves the prediction 0. */
static void expectation_at_the_ends(void **state) {
    const rl_ablation *none = rl_ablation_find("none"), *cutoff = rl_ablation_find("cutoff");
    static const int sizes[][2] = {{1, 1}, {7, 7}, {6, 7}, {8, 7}, {7, 9}, {9, 7}, {40, 7}, {7, 400}, {1000, 1002}};
    for (int i = 0; i < 9; i++) {
        const rl_expectation e = {sizes[i][0], sizes[i][1], 3, 0.25, false};
        const double all = none->expected_mse(&e, NULL);
        assert_true((abs(e.n_train - e.n_features) <= 1) == (isinf(all) != 0));
        for (int c = 0; c < 2; c++) {
            const double got = expected_of_cutoff(c * 1e-170, e.n_train, e.n_features, 3, 0.25);
            assert_true(got == all || fabs(got - all) <= 1e-13 * all);
        }
        if (isfinite(all))
            assert_true(fabs(expected_of_cutoff(1e-9, e.n_train, e.n_features, 3, 0.25) - all) <= 1e-7 * all);
        assert_true(isfinite(expected_of_cutoff(1e-9, e.n_train, e.n_features, 3, 0.25)));
        for (double large = 120; large < 1e300; large *= large)
            assert_true(fabs(expected_of_cutoff(large, e.n_train, e.n_features, 3, 0.25) - 3.25) <= 1e-13);
    }
    rl_variant v = {.ablation = cutoff, .parameter = 0.5};
    assert_int_equal(rl_options_create(&v.options, cutoff->options, cutoff->n_options), RL_OK);
    v.options.values[rl_options_find(&v.options, "relative")].number = 1;
    assert_true(isnan(cutoff->expected_mse(&(rl_expectation){7, 7, 3, 0.25, false}, &v)));
    v.options.values[rl_options_find(&v.options, "relative")].number = 0;
    assert_true(isfinite(cutoff->expected_mse(&(rl_expectation){7, 7, 3, 0.25, false}, &v)));
    assert_true(isnan(cutoff->expected_mse(&(rl_expectation){7, 7, 3, 0.25, true}, &v)));
    rl_options_destroy(&v.options);
}

/* 1 / (u + n) times the density of chi^2 with k degrees of freedom, at u = t^2, which has no singularity at 0. */
static double inverse_density(double t, void *parameters) {
    const double *const of = parameters;
    return 2 * t * gsl_ran_chisq_pdf(t * t, of[0]) / (t * t + of[1]);
}

static double mean_inverse_by_quadrature(double k, double n) {
    double of[] = {k, n}, value, error;
    gsl_function f = {inverse_density, of};
    gsl_integration_workspace *work = gsl_integration_workspace_alloc(1000);
    const double peak = sqrt(k);
    double sum = 0;
    for (double from = 0, to = peak; from < peak + 60; from = to, to += 4) {
        gsl_integration_qag(&f, from, to, 0, 1e-12, 1000, GSL_INTEG_GAUSS31, work, &value, &error);
        sum += value;
    }
    gsl_integration_workspace_free(work);
    return sum;
}

/* Where N <= D, from E 1 / (u + N) by quadrature; where N > D + 2, s^2 (1 + 1/N) (N - 2) / (N - D - 2), which is the
 * error of centred rows: their scatter is Wishart with N - 1 degrees of freedom. */
static void expectation_with_an_intercept(void **state) {
    const rl_ablation *none = rl_ablation_find("none"), *ideal = rl_ablation_find("no_residuals");
    static const int sizes[][2] = {{1, 1},    {1, 2},     {1, 300},    {2, 2},      {3, 4},   {4, 4},
                                   {5, 4},    {6, 4},     {7, 4},      {20, 4},     {19, 20}, {18, 20},
                                   {10, 200}, {199, 200}, {300, 1000}, {1203, 1000}};
    const double signal = 3, variance = 0.25;
    for (int i = 0; i < 16; i++) {
        const double n = sizes[i][0], d = sizes[i][1], h = n <= d ? mean_inverse_by_quadrature(d - n + 1, n) : NAN;
        const double bias = n <= d ? signal * (1 - n * (1 - h) / d) : 0;
        const double noise = n < d        ? 1 + (n - 1 + (d - 1) * h) / (d - n)
                             : n <= d + 2 ? INFINITY
                                          : (1 + 1 / n) * (n - 2) / (n - d - 2);
        const rl_expectation e = {(int)n, (int)d + 1, signal, variance, true},
                             exact = {(int)n, (int)d + 1, signal, 0, true};
        const double all = none->expected_mse(&e, NULL), expected = bias + variance * noise;
        assert_true(all == expected || fabs(all - expected) <= 1e-9 * expected);
        assert_true(fabs(ideal->expected_mse(&e, NULL) - bias) <= 1e-9 * signal);
        assert_true(fabs(none->expected_mse(&exact, NULL) - bias) <= 1e-9 * signal);
    }
    (void)state;
}

/* As many columns side by side as there are, or one alone: how BLAS rounds depends on that. */
static void numbers_of_a_variant_are_the_same_whatever_others_there_are(void **state) {
    enum { MOST = 11 };
    const rl_ablation *const ridge = rl_ablation_find("ridge");
    for (int i = 0; i < N_SHAPES; i++) {
        problem *q = set_up(shapes[i][0], shapes[i][1]);
        rl_evaluator *evaluator;
        rl_variant variants[MOST] = {{0}};
        rl_errors errors[MOST], expected[MOST];
        for (int v = 0; v < MOST; v++) {
            variants[v] = (rl_variant){.ablation = ridge, .parameter = 0.1 * v};
            assert_int_equal(rl_options_create(&variants[v].options, ridge->options, ridge->n_options), RL_OK);
            rl_evaluate(q->evaluator, &q->s, &population, 1, &variants[v], &expected[v]);
        }
        assert_int_equal(rl_evaluator_create(&evaluator, MOST, q->s.n_modes, q->factor.order), RL_OK);
        for (int first = 0; first < MOST; first++)
            for (int n = 1; n <= MOST - first; n++) {
                rl_evaluate(evaluator, &q->s, &population, n, variants + first, errors);
                for (int v = 0; v < n; v++) {
                    assert_memory_equal(&errors[v].test_mse, &expected[first + v].test_mse, sizeof(double));
                    assert_memory_equal(&errors[v].train_mse, &expected[first + v].train_mse, sizeof(double));
                    assert_memory_equal(&errors[v].population_mse, &expected[first + v].population_mse, sizeof(double));
                }
            }
        for (int v = 0; v < MOST; v++) rl_options_destroy(&variants[v].options);
        rl_evaluator_destroy(evaluator);
        tear_down(q);
    }
    (void)state;
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_the_minimum_norm_fit),
        cmocka_unit_test(cutoff_drops_small_singular_values),
        cmocka_unit_test(a_cutoff_keeps_the_value_that_equals_it),
        cmocka_unit_test(leading_modes_changes_the_test_features_alone),
        cmocka_unit_test(no_residuals_leaves_the_bias),
        cmocka_unit_test(adversarial_steps_move_along_the_smallest_mode),
        cmocka_unit_test(relative_adversarial_steps_are_in_units_of_the_training_rows),
        cmocka_unit_test(ridge_is_least_squares_on_an_augmented_matrix),
        cmocka_unit_test(gradient_descent_is_what_the_iteration_does),
        cmocka_unit_test(gradient_descent_ends_in_the_minimum_norm_fit),
        cmocka_unit_test(numbers_of_a_variant_are_the_same_whatever_others_there_are),
        cmocka_unit_test(mode_factors_are_projections),
        cmocka_unit_test(population_weighs_features_by_their_scale),
        cmocka_unit_test(a_spectrum_that_failed_gives_no_numbers),
        cmocka_unit_test(zero_modes_take_no_part),
        cmocka_unit_test(zeros_predict_zero),
        cmocka_unit_test(the_unit_of_the_features_does_not_matter),
        cmocka_unit_test(a_penalty_may_be_far_above_the_features),
        cmocka_unit_test(what_overflows_is_infinite),
        cmocka_unit_test(the_table_is_complete),
        cmocka_unit_test(expectation_of_one_singular_value),
        cmocka_unit_test(expectation_of_two_singular_values),
        cmocka_unit_test(expectation_by_quadrature_of_the_density),
        cmocka_unit_test(expectation_at_large_sizes),
        cmocka_unit_test(expectation_to_the_last_digits),
        cmocka_unit_test(expectation_at_the_ends),
        cmocka_unit_test(expectation_with_an_intercept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
