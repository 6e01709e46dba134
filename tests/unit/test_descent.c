/* fit: what runs on training rows. Gradient descent against the filter that it is in closed form, an iteration in the
 * open, and its limit; direct solvers against one-sided Jacobi. Bounds are in units of eps x condition. */
#include "unit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "matrix.h"
#include "ridgeless/fit.h"

enum { MAX_P = 24, N_TEST = 60, MAX_VARIANTS = 8 };
static const int shapes[][2] = {{30, 8}, {8, 8}, {5, 12}, {1, 6}, {9, 1}, {21, 20}, {12, 24}};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

typedef struct problem {
    int n, p;
    double x[40 * MAX_P], y[40], beta_star[MAX_P], test_x[N_TEST * MAX_P], test_y[N_TEST], start[MAX_P];
    rl_training_set train;
    rl_test_factor factor;
    rl_dense_producer *producer;
    rl_evaluator *evaluator;
    rl_spectrum s;
    jacobi_svd svd;
    rl_variant variants[MAX_VARIANTS];
    int n_variants;
    rl_errors errors[MAX_VARIANTS];
    double betas[MAX_VARIANTS * MAX_P];
    double room[10000]; /* for solvers */
} problem;

static const rl_population population = {.known = true, .residual_variance = 0.5};

static problem *set_up(int n, int p) {
    problem *q = NULL;
    assert_int_equal(RL_ALLOC(q, 1), RL_OK);
    q->n = n, q->p = p;
    fill_normal(q->x, n, p, 31), fill_normal(q->y, n, 1, 32), fill_normal(q->beta_star, p, 1, 33);
    fill_normal(q->test_x, N_TEST, p, 34), fill_normal(q->test_y, N_TEST, 1, 35), fill_normal(q->start, p, 1, 36);
    q->train = (rl_training_set){n, p, q->x, q->y, q->beta_star, NULL};
    assert_int_equal(rl_test_factor_create(&q->factor, p), RL_OK);
    assert_int_equal(rl_test_factor_append(&q->factor, N_TEST, q->test_x, p, q->test_y), RL_OK);
    assert_int_equal(rl_dense_producer_create(&q->producer, n, p), RL_OK);
    assert_int_equal(rl_dense_producer_spectrum(q->producer, &q->train, &q->factor, &q->s), RL_OK);
    assert_int_equal(rl_evaluator_create(&q->evaluator, MAX_VARIANTS, q->s.n_modes, q->factor.order), RL_OK);
    q->svd = jacobi(q->x, n, p);
    return q;
}

static void tear_down(problem *q) {
    rl_test_factor_destroy(&q->factor);
    rl_dense_producer_destroy(q->producer);
    rl_evaluator_destroy(q->evaluator);
    jacobi_free(&q->svd);
    for (int v = 0; v < q->n_variants; v++) rl_options_destroy(&q->variants[v].options);
    rl_free(q);
}

static void set(rl_variant *v, const char *key, double value) {
    v->options.values[rl_options_find(&v->options, key)].number = value;
}

static rl_variant *add(problem *q, const char *ablation, double parameter, double rate) {
    rl_variant *v = &q->variants[q->n_variants++];
    assert_true(q->n_variants <= MAX_VARIANTS);
    *v = (rl_variant){.ablation = rl_ablation_find(ablation), .parameter = parameter};
    assert_int_equal(rl_options_create(&v->options, v->ablation->options, v->ablation->n_options), RL_OK);
    if (rate > 0) set(v, "rate", rate);
    return v;
}

static void evaluate(problem *q) {
    double left[64];
    const rl_rows_problem rows = {
        .train = &q->train, .spectrum = &q->s, .test = &q->factor, .start = q->start, .room = q->room};
    assert_true(rl_room_on_rows(q->n_variants, q->variants, q->n, q->p) <= sizeof q->room / sizeof(double));
    assert_int_equal(rl_evaluate(q->evaluator, &q->s, &population, q->n_variants, q->variants, q->errors), RL_OK);
    rl_evaluate_rows(&rows, &population, q->n_variants, q->variants, q->betas, left, q->errors);
}

static double condition(const problem *q) {
    return q->s.sigma[0] / q->s.sigma[q->s.rank - 1];
}

/* Distance of two parameter vectors, against eps x condition of the longer one. */
static void assert_same(const problem *q, const double *got, const double *expected, double factor) {
    double distance = 0;
    for (int j = 0; j < q->p; j++) distance += (got[j] - expected[j]) * (got[j] - expected[j]);
    const double size = sqrt(dot(expected, expected, q->p)) + sqrt(dot(got, got, q->p));
    if (!(sqrt(distance) <= factor * DBL_EPSILON * condition(q) * size))
        fail_msg("%d x %d: off by %.3g of %.3g, condition %.3g", q->n, q->p, sqrt(distance), size, condition(q));
}

static void assert_close(const problem *q, double got, double expected) {
    if (!(fabs(got - expected) <= 500 * DBL_EPSILON * condition(q) * (fabs(expected) + dot(q->y, q->y, q->n) / q->n)))
        fail_msg("%d x %d: %.17g, expected %.17g", q->n, q->p, got, expected);
}

/* At every step that is asked for, by its errors in all three senses. */
static void it_is_the_filter_at_every_recorded_step(void **state) {
    static const int steps[] = {1, 2, 9, 400};
    static const double rates[] = {0.05, 1, 1.9};
    for (int i = 0; i < N_SHAPES; i++)
        for (int e = 0; e < 3; e++) {
            problem *q = set_up(shapes[i][0], shapes[i][1]);
            for (int t = 0; t < 4; t++) add(q, "gradient_descent_run", steps[t], rates[e]);
            for (int t = 0; t < 4; t++) add(q, "gradient_descent", steps[t], rates[e]);
            evaluate(q);
            for (int t = 0; t < 4; t++) {
                assert_close(q, q->errors[t].test_mse, q->errors[t + 4].test_mse);
                assert_close(q, q->errors[t].train_mse, q->errors[t + 4].train_mse);
                assert_close(q, q->errors[t].population_mse, q->errors[t + 4].population_mse);
                assert_true(fabs(q->errors[t].distance - q->errors[t + 4].distance) <=
                            500 * DBL_EPSILON * condition(q));
            }
            tear_down(q);
        }
}

/* Errors are those of the parameters that come with them, over rows in the open. */
static void errors_are_those_of_its_parameters(void **state) {
    for (int i = 0; i < N_SHAPES; i++) {
        problem *q = set_up(shapes[i][0], shapes[i][1]);
        add(q, "gradient_descent_run", 5, 0.7);
        set(add(q, "gradient_descent_run", 5, 0.7), "start", 2);
        evaluate(q);
        for (int v = 0; v < 2; v++) {
            const double *beta = q->betas + v * q->p;
            double population_error = population.residual_variance;
            for (int j = 0; j < q->p; j++) population_error += pow(beta[j] - q->beta_star[j], 2);
            assert_close(q, q->errors[v].test_mse, mean_square_error(q->test_x, q->test_y, beta, 0, N_TEST, q->p));
            assert_close(q, q->errors[v].train_mse, mean_square_error(q->x, q->y, beta, 0, q->n, q->p));
            assert_close(q, q->errors[v].population_mse, population_error);
        }
        tear_down(q);
    }
}

/* beta0 + eta X^T (y - X beta0), in the open. */
static void one_step_is_a_step_down_the_gradient(void **state) {
    for (int i = 0; i < N_SHAPES; i++) {
        problem *q = set_up(shapes[i][0], shapes[i][1]);
        rl_variant *v = add(q, "gradient_descent_run", 1, 0.01);
        set(v, "relative", 0);
        set(v, "start", 3);
        evaluate(q);
        double expected[MAX_P];
        for (int k = 0; k < q->p; k++) expected[k] = 3 * q->start[k];
        for (int j = 0; j < q->n; j++) {
            double left = q->y[j];
            for (int k = 0; k < q->p; k++) left -= 3 * q->x[j * q->p + k] * q->start[k];
            for (int k = 0; k < q->p; k++) expected[k] += 0.01 * q->x[j * q->p + k] * left;
        }
        assert_same(q, q->betas, expected, 50);
        tear_down(q);
    }
}

/* Where a start ends: the minimum-norm solution, and what of the start no training row sees. */
static void find_limit(const problem *q, double start, double *limit) {
    jacobi_solve(&q->svd, q->y, q->svd.k, limit);
    double rest[MAX_P];
    for (int j = 0; j < q->p; j++) rest[j] = start * q->start[j];
    for (int r = 0; r < q->svd.k; r++) {
        double along = 0;
        for (int j = 0; j < q->p; j++) along += gsl_matrix_get(q->svd.v, (size_t)j, (size_t)r) * start * q->start[j];
        for (int j = 0; j < q->p; j++) rest[j] -= gsl_matrix_get(q->svd.v, (size_t)j, (size_t)r) * along;
    }
    for (int j = 0; j < q->p; j++) limit[j] += rest[j];
}

static void it_ends_at_minimum_norm_and_the_null_space_part_of_its_start(void **state) {
    static const double starts[] = {0, 1, 30};
    int n_outside = 0;
    for (int i = 0; i < N_SHAPES; i++)
        for (int e = 0; e < 3; e++) {
            problem *q = set_up(shapes[i][0], shapes[i][1]);
            const double kappa = condition(q), enough = fmin(ceil(40 * kappa * kappa), 3e6);
            double limit[MAX_P], shortest[MAX_P];
            set(add(q, "gradient_descent_run", enough, 1), "start", starts[e]);
            evaluate(q);
            find_limit(q, starts[e], limit);
            jacobi_solve(&q->svd, q->y, q->svd.k, shortest);
            assert_same(q, q->betas, limit, 2000);
            double apart = 0;
            for (int j = 0; j < q->p; j++) apart += pow(q->betas[j] - shortest[j], 2);
            const double expected = sqrt(apart / dot(shortest, shortest, q->p));
            assert_true(fabs(q->errors[0].distance - expected) <= 2000 * DBL_EPSILON * kappa * (1 + expected));
            const double longer = dot(limit, limit, q->p), length = dot(shortest, shortest, q->p);
            n_outside += longer > 1.5 * length;
            assert_true(q->n < q->p || longer <= length * (1 + 1e-9)); /* no null space, no other end */
            tear_down(q);
        }
    assert_true(n_outside >= 4); /* the wide shapes do end elsewhere */
}

/* What is missing along each mode falls by 1 - eta sigma^2 a step, so along the smallest one last. */
static void the_smallest_singular_value_sets_the_pace(void **state) {
    static const int steps[] = {1, 20, 300};
    for (int i = 0; i < N_SHAPES; i++) {
        problem *q = set_up(shapes[i][0], shapes[i][1]);
        const int last = q->svd.k - 1;
        const double kappa = condition(q), pace = 1 - 0.5 / (kappa * kappa);
        double limit[MAX_P];
        for (int t = 0; t < 3; t++) add(q, "gradient_descent_run", steps[t], 0.5);
        evaluate(q);
        find_limit(q, 0, limit);
        for (int t = 0; t < 3; t++) {
            double missing = 0, all = 0;
            for (int j = 0; j < q->p; j++) {
                const double v = gsl_matrix_get(q->svd.v, (size_t)j, (size_t)last);
                missing += v * (limit[j] - q->betas[t * q->p + j]);
                all += v * limit[j];
            }
            const double expected = pow(pace, steps[t]) * all, size = sqrt(dot(limit, limit, q->p));
            assert_true(fabs(missing - expected) <= 500 * DBL_EPSILON * kappa * size);
        }
        tear_down(q);
    }
}

/* Going on from the variant before gives the bits of a run of its own; other options, or fewer steps, start again. */
static void trajectories_are_shared(void **state) {
    static const double steps[] = {4, 4, 10, 7, 7, 30};
    problem *shared = set_up(21, 20), *alone[6];
    for (int v = 0; v < 6; v++) {
        rl_variant *one = add(shared, "gradient_descent_run", steps[v], 0.3);
        alone[v] = set_up(21, 20);
        rl_variant *same = add(alone[v], "gradient_descent_run", steps[v], 0.3);
        if (v == 4) set(one, "start", 1), set(same, "start", 1);
        evaluate(alone[v]);
    }
    evaluate(shared);
    for (int v = 0; v < 6; v++) {
        assert_memory_equal(shared->betas + v * 20, alone[v]->betas, 20 * sizeof(double));
        assert_memory_equal(&shared->errors[v], &alone[v]->errors[0], sizeof(rl_errors));
        tear_down(alone[v]);
    }
    assert_true(rl_steps_on_rows(6, shared->variants) == 4 + 0 + 6 + 7 + 7 + 30);
    tear_down(shared);
}

static void nothing_is_run_without_a_spectrum(void **state) {
    problem *q = set_up(9, 1);
    q->s.status = RL_CELL_NO_CONVERGENCE;
    add(q, "gradient_descent_run", 5, 1);
    evaluate(q);
    assert_true(isnan(q->errors[0].test_mse) && isnan(q->errors[0].train_mse) && isnan(q->errors[0].population_mse));
    tear_down(q);
}

/* Zeros have no gradient: descent stays where it starts. From zero that is least squares itself; from elsewhere it is
 * no multiple of its length, which is 0. */
static void zeros_leave_the_start(void **state) {
    problem *q = set_up(9, 4);
    memset(q->x, 0, sizeof q->x);
    assert_int_equal(rl_dense_producer_spectrum(q->producer, &q->train, &q->factor, &q->s), RL_OK);
    for (int v = 0; v < 4; v++) {
        rl_variant *added = add(q, "gradient_descent_run", 5, 1);
        set(added, "relative", v % 2);
        set(added, "start", v / 2);
    }
    evaluate(q);
    for (int v = 0; v < 4; v++) {
        const rl_errors got = q->errors[v];
        double test = 0, population_error = population.residual_variance;
        for (int j = 0; j < q->p; j++) {
            assert_true(q->betas[v * q->p + j] == v / 2 * q->start[j]);
            population_error += pow(v / 2 * q->start[j] - q->beta_star[j], 2);
        }
        for (int i = 0; i < N_TEST; i++)
            test += pow(v / 2 * dot(q->test_x + i * q->p, q->start, q->p) - q->test_y[i], 2) / N_TEST;
        assert_true(fabs(got.train_mse - dot(q->y, q->y, q->n) / q->n) <= 16 * DBL_EPSILON * got.train_mse);
        assert_true(fabs(got.test_mse - test) <= 100 * DBL_EPSILON * test);
        assert_true(fabs(got.population_mse - population_error) <= 16 * DBL_EPSILON * population_error);
        assert_true(v / 2 == 0 ? got.distance == 0 : isnan(got.distance));
    }
    tear_down(q);
}

/* Steps in units of 1 / sigma_1^2 do not know the unit of the features, however large or small their squares. */
static void the_unit_of_the_features_does_not_matter(void **state) {
    static const int exponents[] = {0, 900, -900};
    rl_errors expected = {0};
    for (int e = 0; e < 3; e++) {
        problem *q = set_up(12, 20);
        for (int i = 0; i < q->n * q->p; i++) q->x[i] = ldexp(q->x[i], exponents[e]);
        for (int i = 0; i < N_TEST * q->p; i++) q->test_x[i] = ldexp(q->test_x[i], exponents[e]);
        rl_test_factor_clear(&q->factor);
        assert_int_equal(rl_test_factor_append(&q->factor, N_TEST, q->test_x, q->p, q->test_y), RL_OK);
        assert_int_equal(rl_dense_producer_spectrum(q->producer, &q->train, &q->factor, &q->s), RL_OK);
        add(q, "gradient_descent_run", 30, 1.5);
        evaluate(q);
        if (e == 0) expected = q->errors[0];
        assert_close(q, q->errors[0].test_mse, expected.test_mse);
        assert_close(q, q->errors[0].train_mse, expected.train_mse);
        assert_close(q, q->errors[0].distance, expected.distance);
        tear_down(q);
    }
    assert_true(expected.test_mse > 0 && expected.distance > 0 && expected.distance < 1);
}

/* Above twice 1 / sigma_1^2 it diverges: then an error is infinite, and never NaN. */
static void what_diverges_is_infinite(void **state) {
    problem *q = set_up(12, 20);
    for (int steps = 1; steps <= 100000; steps *= 10) add(q, "gradient_descent_run", steps, 3);
    evaluate(q);
    for (int v = 0; v < q->n_variants; v++) {
        const rl_errors got = q->errors[v];
        assert_true(got.test_mse > 0 && got.train_mse > 0 && got.population_mse > 0 && got.distance > 0);
        assert_true(isinf(got.test_mse) == (v >= 3));
    }
    tear_down(q);
}

/* ---- direct solvers ---------------------------------------------------------------------------------------------- */

enum { N_SOLVERS = 4 };
static const struct {
    const char *ablation, *precision;
    double eps;
    bool squares; /* the condition */
} solvers[N_SOLVERS] = {{"svd", "double", DBL_EPSILON, false},
                        {"normal_equations", "double", DBL_EPSILON, true},
                        {"svd", "float", FLT_EPSILON, false},
                        {"normal_equations", "float", FLT_EPSILON, true}};

static void add_solvers(problem *q) {
    for (int i = 0; i < N_SOLVERS; i++) {
        rl_variant *v = add(q, solvers[i].ablation, NAN, 0);
        rl_option_value *value = &v->options.values[rl_options_find(&v->options, "precision")];
        rl_free(value->text);
        assert_int_equal(rl_strdup(&value->text, solvers[i].precision), RL_OK);
    }
}

/* Over the length of `expected`. */
static double apart(int n, const double *got, const double *expected) {
    double sum = 0;
    for (int j = 0; j < n; j++) sum += (got[j] - expected[j]) * (got[j] - expected[j]);
    return sqrt(sum / dot(expected, expected, n));
}

/* Golub and Van Loan, 4th ed., 5.3.7: of least squares a residual brings the square of the condition in, too. */
static double bound_of(const problem *q, const double *solution, double eps, bool squares) {
    const double kappa = condition(q), residual = q->n * mean_square_error(q->x, q->y, solution, 0, q->n, q->p);
    const double share = sqrt(residual / dot(solution, solution, q->p)) / q->s.sigma[0];
    return 40 * eps * (kappa + kappa * kappa * (squares ? 1 : share));
}

static void solvers_are_off_by_what_their_condition_allows(void **state) {
    static const int exponents[] = {0, 400, -400};
    for (int i = 0; i < 3 * N_SHAPES; i++) {
        problem *q = set_up(shapes[i / 3][0], shapes[i / 3][1]);
        double solution[MAX_P];
        for (int j = 0; j < q->n; j++) q->y[j] = ldexp(q->y[j], exponents[i % 3]); /* beyond the range of floats */
        assert_int_equal(rl_dense_producer_spectrum(q->producer, &q->train, &q->factor, &q->s), RL_OK);
        jacobi_solve(&q->svd, q->y, q->svd.k, solution);
        add_solvers(q);
        evaluate(q);
        for (int v = 0; v < N_SOLVERS; v++) {
            const double off = apart(q->p, q->betas + v * q->p, solution);
            const double most = bound_of(q, solution, solvers[v].eps, solvers[v].squares);
            if (off > most) fail_msg("%d x %d, solver %d: %g off, bound %g", q->n, q->p, v, off, most);
            assert_true(fabs(q->errors[v].distance - off) <= bound_of(q, solution, DBL_EPSILON, false));
            assert_true(solvers[v].eps == DBL_EPSILON || q->p == 1 || off > 1e-9); /* it does go through floats */
        }
        tear_down(q);
    }
}

/* A column of zeros has no Cholesky factor, and no value is better than a wrong one; a decomposition leaves it out. */
static void solvers_that_break_down_have_no_errors(void **state) {
    problem *q = set_up(21, 20);
    for (int i = 0; i < q->n; i++) q->x[i * q->p + 3] = 0;
    assert_int_equal(rl_dense_producer_spectrum(q->producer, &q->train, &q->factor, &q->s), RL_OK);
    add_solvers(q);
    evaluate(q);
    for (int v = 0; v < N_SOLVERS; v++) {
        const rl_errors got = q->errors[v];
        const bool none = isnan(got.test_mse) && isnan(got.train_mse) && isnan(got.population_mse) &&
                          isnan(got.distance) && isnan(q->betas[v * q->p]);
        assert_true(solvers[v].squares ? none : got.test_mse > 0 && got.distance < 1e-3);
    }
    tear_down(q);
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_filter_at_every_recorded_step),
        cmocka_unit_test(errors_are_those_of_its_parameters),
        cmocka_unit_test(one_step_is_a_step_down_the_gradient),
        cmocka_unit_test(it_ends_at_minimum_norm_and_the_null_space_part_of_its_start),
        cmocka_unit_test(the_smallest_singular_value_sets_the_pace),
        cmocka_unit_test(trajectories_are_shared),
        cmocka_unit_test(nothing_is_run_without_a_spectrum),
        cmocka_unit_test(zeros_leave_the_start),
        cmocka_unit_test(the_unit_of_the_features_does_not_matter),
        cmocka_unit_test(what_diverges_is_infinite),
        cmocka_unit_test(solvers_are_off_by_what_their_condition_allows),
        cmocka_unit_test(solvers_that_break_down_have_no_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
