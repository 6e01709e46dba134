/* fit: what training rows alone can know, and cures of the spike. Generalized cross-validation and leave-one-out
 * against hat matrices and refits in long double, chosen parameters against many given ones, bagging against means over
 * subsets and its limit. Bounds of the measures are 1e-10 x condition. */
#include "unit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "matrix.h"
#include "ridgeless/fit.h"

enum { MAX_P = 60, MAX_N = 48, N_TEST = 60, ROOM = 20000 };
static const int shapes[][2] = {{30, 8}, {9, 8}, {8, 8}, {7, 8}, {5, 12}, {1, 6}, {9, 1}, {21, 20}, {12, 24}};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };
typedef long double real;

typedef struct problem {
    int n, p;
    double x[MAX_N * MAX_P], y[MAX_N], beta_star[MAX_P], test_x[N_TEST * MAX_P], test_y[N_TEST], ut[MAX_N * MAX_P];
    rl_training_set train;
    rl_test_factor factor;
    rl_dense_producer *producer;
    rl_evaluator *evaluator;
    rl_spectrum s;
    double room[ROOM];
} problem;

static const rl_population population = {.known = true, .residual_variance = 0.5};

static problem *set_up(int n, int p) {
    problem *q = NULL;
    assert_int_equal(RL_ALLOC(q, 1), RL_OK);
    q->n = n, q->p = p;
    fill_normal(q->x, n, p, 41), fill_normal(q->y, n, 1, 42), fill_normal(q->beta_star, p, 1, 43);
    fill_normal(q->test_x, N_TEST, p, 44), fill_normal(q->test_y, N_TEST, 1, 45);
    for (int i = 0; i < n; i++) q->y[i] += dot(q->x + i * p, q->beta_star, p);
    for (int i = 0; i < N_TEST; i++) q->test_y[i] += dot(q->test_x + i * p, q->beta_star, p);
    q->train = (rl_training_set){n, p, q->x, q->y, q->beta_star, NULL};
    assert_int_equal(rl_test_factor_create(&q->factor, p), RL_OK);
    assert_int_equal(rl_test_factor_append(&q->factor, N_TEST, q->test_x, p, q->test_y), RL_OK);
    assert_int_equal(rl_dense_producer_create(&q->producer, n, p), RL_OK);
    assert_int_equal(rl_dense_producer_spectrum(q->producer, &q->train, &q->factor, &q->s), RL_OK);
    assert_int_equal(rl_evaluator_create(&q->evaluator, 1, q->s.n_modes, q->factor.order), RL_OK);
    rl_spectrum_left(&q->s, &q->train, q->ut);
    return q;
}

static void tear_down(problem *q) {
    rl_test_factor_destroy(&q->factor);
    rl_dense_producer_destroy(q->producer);
    rl_evaluator_destroy(q->evaluator);
    rl_free(q);
}

static double condition(const problem *q) {
    return q->s.sigma[0] / q->s.sigma[q->s.rank - 1];
}

static rl_variant variant_of(const char *ablation, double parameter) {
    rl_variant v = {.ablation = rl_ablation_find(ablation), .parameter = parameter};
    assert_non_null(v.ablation);
    assert_int_equal(rl_options_create(&v.options, v.ablation->options, v.ablation->n_options), RL_OK);
    return v;
}

/* Errors and measures of one variant. */
typedef struct found {
    rl_errors errors;
    double gcv, loo;
} found;

static found evaluate(problem *q, const char *ablation, double parameter) {
    rl_variant v = variant_of(ablation, parameter);
    rl_measured measured;
    found f;
    assert_int_equal(rl_evaluate(q->evaluator, &q->s, &population, 1, &v, &f.errors), RL_OK);
    rl_measure(q->evaluator, &q->s, 1u << RL_MEASURE_GCV | 1u << RL_MEASURE_LOO, 1, &v, &measured);
    f.gcv = measured.value[RL_MEASURE_GCV];
    f.loo = measured.value[RL_MEASURE_LOO];
    rl_options_destroy(&v.options);
    return f;
}

/* ---- the long way ------------------------------------------------------------------------------------------------ */

/* A [n, n] becomes its inverse, by Gauss and Jordan with partial pivoting. */
static void invert(int n, real *a) {
    real b[MAX_N * MAX_N] = {0};
    for (int i = 0; i < n; i++) b[i * n + i] = 1;
    for (int j = 0; j < n; j++) {
        int pivot = j;
        for (int i = j + 1; i < n; i++) pivot = fabsl(a[i * n + j]) > fabsl(a[pivot * n + j]) ? i : pivot;
        for (int k = 0; k < n; k++) {
            const real of_a = a[j * n + k], of_b = b[j * n + k];
            a[j * n + k] = a[pivot * n + k], a[pivot * n + k] = of_a;
            b[j * n + k] = b[pivot * n + k], b[pivot * n + k] = of_b;
        }
        const real by = a[j * n + j];
        for (int k = 0; k < n; k++) a[j * n + k] /= by, b[j * n + k] /= by;
        for (int i = 0; i < n; i++) {
            const real factor = i == j ? 0 : a[i * n + j];
            for (int k = 0; k < n; k++) a[i * n + k] -= factor * a[j * n + k], b[i * n + k] -= factor * b[j * n + k];
        }
    }
    memcpy(a, b, sizeof *a * (size_t)(n * n));
}

/* The inverse of X X^T + lambda [n, n]. */
static void invert_kernel(const double *x, int n, int p, double lambda, real *inverse) {
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++) {
            real sum = i == k ? lambda : 0;
            for (int j = 0; j < p; j++) sum += (real)x[i * p + j] * x[k * p + j];
            inverse[i * n + k] = sum;
        }
    invert(n, inverse);
}

/* beta [p] of ridge; lambda 0 is least squares, of minimum norm where there are fewer rows than features. */
static void refit(const double *x, const double *y, int n, int p, double lambda, real *beta) {
    real inverse[MAX_N * MAX_N], side[MAX_P] = {0};
    for (int j = 0; j < p; j++) beta[j] = 0;
    if (n < p) {
        invert_kernel(x, n, p, lambda, inverse);
        for (int i = 0; i < n; i++)
            for (int k = 0; k < n; k++)
                for (int j = 0; j < p; j++) beta[j] += x[i * p + j] * inverse[i * n + k] * y[k];
        return;
    }
    for (int j = 0; j < p; j++)
        for (int k = 0; k < p; k++) {
            inverse[j * p + k] = j == k ? lambda : 0;
            for (int i = 0; i < n; i++) inverse[j * p + k] += (real)x[i * p + j] * x[i * p + k];
        }
    invert(p, inverse);
    for (int j = 0; j < p; j++)
        for (int i = 0; i < n; i++) side[j] += (real)x[i * p + j] * y[i];
    for (int j = 0; j < p; j++)
        for (int k = 0; k < p; k++) beta[j] += inverse[j * p + k] * side[k];
}

/* The mean square of what each row is missed by, by a fit to the others. */
static double leave_one_out(const problem *q, double lambda) {
    real sum = 0;
    for (int out = 0; out < q->n; out++) {
        double x[MAX_N * MAX_P], y[MAX_N];
        real beta[MAX_P] = {0}, error = q->y[out];
        for (int i = 0, k = 0; i < q->n; i++) {
            if (i == out) continue;
            memcpy(x + k * q->p, q->x + i * q->p, sizeof *x * (size_t)q->p);
            y[k++] = q->y[i];
        }
        if (q->n > 1) refit(x, y, q->n - 1, q->p, lambda, beta);
        for (int j = 0; j < q->p; j++) error -= q->x[out * q->p + j] * beta[j];
        sum += error * error;
    }
    return (double)(sum / q->n);
}

/* N |(I - H) y|^2 / trace(I - H)^2, which for N <= P and least squares is N |G^-1 y|^2 / trace(G^-1)^2 in the limit, G
 * = X X^T, as I - H = lambda (G + lambda)^-1: Golub, Heath and Wahba 1979, and Hastie, Montanari, Rosset and Tibshirani
 * 2022, section 7. */
static double cross_validate(const problem *q, double lambda) {
    real a[MAX_N * MAX_N], sum = 0, trace = 0;
    const bool interpolates = q->n <= q->p;
    for (int k = 0; k < q->n && !interpolates && lambda == 0; k++) { /* I - H column by column */
        double unit[MAX_N] = {0};
        real beta[MAX_P];
        unit[k] = 1;
        refit(q->x, unit, q->n, q->p, 0, beta);
        for (int i = 0; i < q->n; i++) {
            a[i * q->n + k] = unit[i];
            for (int j = 0; j < q->p; j++) a[i * q->n + k] -= q->x[i * q->p + j] * beta[j];
        }
    }
    if (interpolates || lambda > 0) invert_kernel(q->x, q->n, q->p, lambda, a);
    for (int i = 0; i < q->n; i++) {
        real left = 0;
        for (int k = 0; k < q->n; k++) left += a[i * q->n + k] * q->y[k];
        sum += left * left;
        trace += a[i * q->n + i];
    }
    return (double)(q->n * sum / (trace * trace));
}

static void assert_close(const problem *q, const char *what, double got, double expected) {
    if (!(fabs(got - expected) <= 1e-10 * condition(q) * fabs(expected)))
        fail_msg("%d x %d: %s is %.17g, expected %.17g", q->n, q->p, what, got, expected);
}

/* ---- measures ---------------------------------------------------------------------------------------------------- */

static void measures_are_those_of_hat_matrices_and_refits(void **state) {
    static const double penalties[] = {0, 1e-6, 0.3, 100};
    for (int i = 0; i < N_SHAPES; i++) {
        problem *q = set_up(shapes[i][0], shapes[i][1]);
        const found none = evaluate(q, "none", NAN);
        assert_close(q, "gcv", none.gcv, cross_validate(q, 0));
        assert_close(q, "leave-one-out", none.loo, leave_one_out(q, 0));
        for (int k = 0; k < 4; k++) {
            const found ridge = evaluate(q, "ridge", penalties[k]);
            assert_close(q, "gcv of ridge", ridge.gcv, cross_validate(q, penalties[k]));
            assert_close(q, "leave-one-out of ridge", ridge.loo, leave_one_out(q, penalties[k]));
        }
        tear_down(q);
    }
}

/* What is measured is what predictions use; with all modes both truncations are least squares. */
static void truncations_are_measured_as_they_predict(void **state) {
    for (int i = 0; i < N_SHAPES; i++) {
        problem *q = set_up(shapes[i][0], shapes[i][1]);
        const found none = evaluate(q, "none", NAN), all = evaluate(q, "leading_modes", q->s.n_modes);
        assert_true(all.gcv == none.gcv && all.loo == none.loo);
        for (int k = 1; k < q->s.n_modes; k++) {
            const found leading = evaluate(q, "leading_modes", k);
            const found cut = evaluate(q, "cutoff", q->s.sigma[k - 1]);
            assert_true(leading.gcv == cut.gcv && leading.loo == cut.loo);
            /* N RSS / (N - k)^2 */
            assert_close(q, "gcv", cut.gcv, q->n * cut.errors.train_mse * q->n / ((double)(q->n - k) * (q->n - k)));
        }
        tear_down(q);
    }
}

static void what_is_no_linear_filter_has_no_measures(void **state) {
    static const char *const names[] = {"no_residuals", "adversarial_test", "adversarial_train", "gradient_descent_run",
                                        "normal_equations"};
    problem *q = set_up(9, 8);
    for (int i = 0; i < 5; i++) {
        const found f = evaluate(q, names[i], 1);
        assert_true(isnan(f.gcv) && isnan(f.loo));
    }
    q->s.ut = NULL;
    const found f = evaluate(q, "none", NAN);
    assert_true(isfinite(f.gcv) && isnan(f.loo));
    tear_down(q);
}

/* ---- chosen parameters ------------------------------------------------------------------------------------------- */

/* No penalty on a fine grid, and no step, does better by what the choice goes by. */
static void choices_are_the_best_there_are(void **state) {
    const double rounding = 1 + 1e-9;
    for (int i = 0; i < N_SHAPES; i++) {
        problem *q = set_up(shapes[i][0], shapes[i][1]);
        const double best = evaluate(q, "ridge_best", NAN).errors.test_mse, gcv = evaluate(q, "ridge_gcv", NAN).gcv;
        const double loo = evaluate(q, "ridge_loo", NAN).loo, unit = q->s.sigma[0] * q->s.sigma[0];
        const double steps = evaluate(q, "gradient_descent_best", NAN).errors.test_mse;
        for (int k = -60; k <= 30; k++) {
            const found ridge = evaluate(q, "ridge", unit * pow(10, 0.1 * k));
            assert_true(best <= ridge.errors.test_mse * rounding);
            assert_true(gcv <= ridge.gcv * rounding && loo <= ridge.loo * rounding);
        }
        for (double t = 1; t < 1e6; t = nearbyint(1.3 * t + 1))
            assert_true(steps <= evaluate(q, "gradient_descent", t).errors.test_mse * rounding);
        tear_down(q);
    }
}

/* Independent normal features, and the penalty P v / |beta*|^2 that is best there: every row makes the expected error
 * smaller, through the threshold, where that of least squares rises (Nakkiran, Venkat, Kakade and Ma 2021,
 * arXiv:2003.01897, theorem 1). Training sets are nested; four standard errors. */
static void the_best_ridge_falls_with_every_row(void **state) {
    enum { P = 8, MOST = 17, REPEATS = 1500 };
    static double fall[MOST], square[MOST], rise;
    problem *q = set_up(MOST, P);
    const double penalty = P * population.residual_variance / dot(q->beta_star, q->beta_star, P);
    const rl_key key = rl_key_make(7, "monotone");
    rl_dense_producer *producer;
    assert_int_equal(rl_dense_producer_create(&producer, MOST, P), RL_OK);
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        double before = 0, free_before = 0;
        for (int i = 0; i < MOST; i++) {
            double noise;
            rl_philox_normal_row(key, RL_STREAM_FEATURES, (uint32_t)repeat, (uint32_t)i, 0, P, q->x + i * P);
            noise = rl_philox_normal(key, RL_STREAM_NOISE, (uint32_t)repeat, (uint32_t)i, 0);
            q->y[i] = dot(q->x + i * P, q->beta_star, P) + sqrt(population.residual_variance) * noise;
        }
        for (int n = 1; n <= MOST; n++) {
            q->train.n_train = n;
            assert_int_equal(rl_dense_producer_spectrum(producer, &q->train, &q->factor, &q->s), RL_OK);
            const double now = evaluate(q, "ridge", penalty).errors.population_mse;
            const double free_now = evaluate(q, "none", NAN).errors.population_mse;
            if (n > 1) fall[n - 1] += before - now, square[n - 1] += (before - now) * (before - now);
            if (n == P - 1) rise += free_now - free_before;
            before = now, free_before = free_now;
        }
    }
    for (int n = 1; n < MOST; n++) {
        const double mean = fall[n] / REPEATS, error = sqrt((square[n] / REPEATS - mean * mean) / REPEATS);
        if (!(mean > -4 * error)) fail_msg("from N = %d to %d the error rises by %g", n, n + 1, -mean);
    }
    assert_true(rise > 0);
    rl_dense_producer_destroy(producer);
    tear_down(q);
}

/* ---- bagging ----------------------------------------------------------------------------------------------------- */

static void bag(problem *q, int k, int bags, uint32_t repeat, double *beta, rl_errors *errors) {
    rl_variant v = variant_of("bagging", k);
    double residual[MAX_N + MAX_P];
    const rl_rows_problem rows = {.train = &q->train,
                                  .spectrum = &q->s,
                                  .test = &q->factor,
                                  .key = rl_key_make(3, "bags"),
                                  .repeat = repeat,
                                  .room = q->room};
    v.options.values[rl_options_find(&v.options, "bags")].number = bags;
    assert_true(rl_room_on_rows(1, &v, q->n, q->p) <= ROOM);
    rl_evaluate_rows(&rows, &population, 1, &v, beta, residual, errors);
    rl_options_destroy(&v.options);
}

/* The mean of the solutions on all subsets of k of n rows, by their numbers in binary. */
static void mean_over_subsets(const problem *q, int k, double *mean) {
    int count = 0;
    for (int j = 0; j < q->p; j++) mean[j] = 0;
    for (unsigned subset = 0; subset < 1u << q->n; subset++) {
        double x[MAX_N * MAX_P], y[MAX_N], beta[MAX_P];
        int n = 0;
        for (int i = 0; i < q->n; i++) {
            if ((subset >> i & 1) == 0) continue;
            memcpy(x + n * q->p, q->x + i * q->p, sizeof *x * (size_t)q->p);
            y[n++] = q->y[i];
            if (n > k) break;
        }
        if (n != k) continue;
        jacobi_svd svd = jacobi(x, k, q->p);
        jacobi_solve(&svd, y, svd.k, beta);
        for (int j = 0; j < q->p; j++) mean[j] += beta[j];
        count++;
        jacobi_free(&svd);
    }
    for (int j = 0; j < q->p; j++) mean[j] /= count;
}

static void few_subsets_are_all_taken(void **state) {
    static const int cases[][3] = {{12, 8, 3}, {12, 8, 8}, {12, 5, 7}, {6, 9, 4}, {5, 9, 5}, {4, 3, 1}, {3, 6, 9}};
    for (int i = 0; i < 7; i++) {
        problem *q = set_up(cases[i][0], cases[i][1]);
        double beta[MAX_P], expected[MAX_P], size = 0;
        rl_errors errors;
        const int k = cases[i][2] < q->n ? cases[i][2] : q->n;
        mean_over_subsets(q, k, expected);
        bag(q, cases[i][2], 1000, 0, beta, &errors);
        for (int j = 0; j < q->p; j++) size = fmax(size, fabs(expected[j]));
        for (int j = 0; j < q->p; j++)
            if (!(fabs(beta[j] - expected[j]) <= 1e-9 * size))
                fail_msg("%d of %d x %d: parameter %d is %.17g, expected %.17g", k, q->n, q->p, j, beta[j],
                         expected[j]);
        assert_close(q, "test error", errors.test_mse,
                     mean_square_error(q->test_x, q->test_y, expected, 0, N_TEST, q->p));
        tear_down(q);
    }
}

/* Random subsets are others in another repeat, the same again, and on average all of them. */
static void many_subsets_are_drawn(void **state) {
    problem *q = set_up(12, 8);
    double beta[MAX_P], again[MAX_P], other[MAX_P], expected[MAX_P], off = 0, spread = 0;
    rl_errors errors;
    bag(q, 5, 50, 0, beta, &errors), bag(q, 5, 50, 0, again, &errors), bag(q, 5, 50, 1, other, &errors);
    assert_memory_equal(beta, again, sizeof *beta * 8);
    assert_true(beta[0] != other[0]);
    mean_over_subsets(q, 5, expected);
    bag(q, 5, 791, 0, again, &errors); /* there are 792 */
    for (int j = 0; j < 8; j++) {
        off += pow(again[j] - expected[j], 2);
        spread += pow(beta[j] - expected[j], 2) + pow(other[j] - expected[j], 2);
    }
    assert_true(spread > 0 && off < spread / 2); /* 50 / 791 of it, about */
    tear_down(q);
}

/* Two paths to one number: the mean over many subsets, and ridge by the spectrum. They agree in the limit of many rows
 * and features alone (see bagging_limit.c); off it, by a part of the order of 1 / P and of 1 / bags. */
static void many_bags_are_ridge(void **state) {
    enum { P = 60, N = 48, K = 30, REPEATS = 12 };
    double bags = 0, limit = 0, none = 0;
    problem *q = set_up(N, P);
    const rl_key key = rl_key_make(9, "limit");
    for (uint32_t repeat = 0; repeat < REPEATS; repeat++) {
        double beta[MAX_P];
        rl_errors errors;
        for (uint32_t i = 0; i < N; i++) {
            rl_philox_normal_row(key, RL_STREAM_FEATURES, repeat, i, 0, P, q->x + i * P);
            q->y[i] = dot(q->x + i * P, q->beta_star, P) + 3 * rl_philox_normal(key, RL_STREAM_NOISE, repeat, i, 0);
        }
        assert_int_equal(rl_dense_producer_spectrum(q->producer, &q->train, &q->factor, &q->s), RL_OK);
        bag(q, K, 200, repeat, beta, &errors);
        bags += errors.population_mse / REPEATS;
        limit += evaluate(q, "bagging_limit", K).errors.population_mse / REPEATS;
        none += evaluate(q, "none", NAN).errors.population_mse / REPEATS;
    }
    if (!(fabs(bags / limit - 1) < 0.04 && none > 1.2 * limit))
        fail_msg("%g by 200 subsets, %g in the limit, %g without", bags, limit, none);
    tear_down(q);
}

/* sum of sigma^2 / (sigma^2 + lambda) = k, and least squares where k is all. */
static void the_limit_has_as_many_degrees_of_freedom(void **state) {
    for (int i = 0; i < N_SHAPES; i++) {
        problem *q = set_up(shapes[i][0], shapes[i][1]);
        for (int k = 1; k < q->s.rank; k++) {
            rl_variant v = variant_of("bagging_limit", k);
            double beta[MAX_P] = {0}, residual[MAX_P] = {0}, degrees = 0;
            rl_fit fit = {.beta = beta, .residual = residual};
            v.ablation->fit(&q->s, &v, &fit);
            for (int r = 0; r < q->s.rank; r++) degrees += q->s.sigma[r] * beta[r] / q->s.c[RL_TARGET_Y][r];
            if (!(fabs(degrees - k) < 1e-12 * k * condition(q))) fail_msg("%.17g degrees, expected %d", degrees, k);
            rl_options_destroy(&v.options);
        }
        assert_true(evaluate(q, "bagging_limit", 48).errors.test_mse == evaluate(q, "ridge", 0).errors.test_mse);
        tear_down(q);
    }
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_are_those_of_hat_matrices_and_refits),
        cmocka_unit_test(truncations_are_measured_as_they_predict),
        cmocka_unit_test(what_is_no_linear_filter_has_no_measures),
        cmocka_unit_test(choices_are_the_best_there_are),
        cmocka_unit_test(the_best_ridge_falls_with_every_row),
        cmocka_unit_test(few_subsets_are_all_taken),
        cmocka_unit_test(many_subsets_are_drawn),
        cmocka_unit_test(many_bags_are_ridge),
        cmocka_unit_test(the_limit_has_as_many_degrees_of_freedom),
    };
    return cmocka_run_group_tests_name("cures", tests, NULL, NULL);
}
