/* spectrum: the test factor and the dense producer, against direct sums and against one-sided Jacobi. Bounds are in
 * units of eps x condition. */
#include "unit.h"

#include <float.h>
#include <string.h>

#include "allocated.h"
#include "matrix.h"
#include "ridgeless/spectrum.h"

typedef struct test_case {
    const char *name;
    int n, p, n_test;
    double grade;  /* columns scaled by 10^(grade * j / p) */
    int deficient; /* this many columns repeat the first ones */
} test_case;

static const test_case cases[] = {
    {"tall", 40, 7, 100, 0, 0},        {"square", 20, 20, 100, 0, 0},        {"wide", 9, 23, 100, 0, 0},
    {"1 x 1", 1, 1, 5, 0, 0},          {"N = 1", 1, 12, 30, 0, 0},           {"P = 1", 17, 1, 30, 0, 0},
    {"prime", 31, 29, 53, 0, 0},       {"one test row", 8, 5, 1, 0, 0},      {"graded tall", 30, 10, 50, 9, 0},
    {"graded wide", 10, 30, 50, 9, 0}, {"one above", 21, 20, 64, 0, 0},      {"one below", 19, 20, 64, 0, 0},
    {"long tests", 12, 6, 9000, 0, 0}, {"deficient tall", 25, 10, 60, 0, 3}, {"deficient wide", 8, 12, 60, 0, 0},
};
enum { N_CASES = sizeof cases / sizeof *cases };

typedef struct problem {
    int n, p, n_test;
    double *x, *y, *beta_star, *test_x, *test_y;
    rl_test_factor factor;
    rl_dense_producer *producer;
    rl_spectrum s;
    jacobi_svd svd;
} problem;

static double *allocate(size_t n) {
    double *values = NULL;
    assert_int_equal(RL_ALLOC(values, n), RL_OK);
    return values;
}

static void shape(const test_case *c, double *x, int rows) {
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < c->p; j++) {
            double *row = x + (size_t)i * (size_t)c->p;
            row[j] *= pow(10, c->grade * j / c->p);
            if (j >= c->p - c->deficient) row[j] = row[j - (c->p - c->deficient)];
        }
}

static problem set_up(const test_case *c, int max_train) {
    const size_t n = (size_t)c->n, p = (size_t)c->p, t = (size_t)c->n_test;
    problem q = {.n = c->n, .p = c->p, .n_test = c->n_test};
    q.x = allocate(n * p), q.y = allocate(n), q.beta_star = allocate(p), q.test_x = allocate(t * p),
    q.test_y = allocate(t);
    fill_normal(q.x, c->n, c->p, 1), fill_normal(q.test_x, c->n_test, c->p, 2);
    fill_normal(q.y, c->n, 1, 3), fill_normal(q.test_y, c->n_test, 1, 4), fill_normal(q.beta_star, c->p, 1, 5);
    shape(c, q.x, c->n), shape(c, q.test_x, c->n_test);
    assert_allocates(rl_test_factor_create(&q.factor, c->p), rl_test_factor_bytes(c->p));
    assert_allocates(rl_test_factor_append(&q.factor, c->n_test, q.test_x, c->p, q.test_y), 0);
    assert_allocates(rl_dense_producer_create(&q.producer, max_train, c->p), rl_dense_producer_bytes(max_train, c->p));
    const rl_training_set train = {c->n, c->p, q.x, q.y, q.beta_star, NULL};
    assert_allocates(rl_dense_producer_spectrum(q.producer, &train, &q.factor, &q.s), 0);
    assert_int_equal(q.s.status, RL_CELL_DONE);
    q.svd = jacobi(q.x, c->n, c->p);
    return q;
}

static void tear_down(problem *q) {
    double *const arrays[] = {q->x, q->y, q->beta_star, q->test_x, q->test_y};
    for (int i = 0; i < 5; i++) rl_free(arrays[i]);
    rl_test_factor_destroy(&q->factor);
    rl_dense_producer_destroy(q->producer);
    jacobi_free(&q->svd);
}

static double condition(const problem *q) {
    return q->s.sigma[0] / q->s.sigma[q->s.rank - 1];
}

static void assert_near(const char *name, const char *what, double got, double expected, double bound) {
    if (!(fabs(got - expected) <= bound))
        fail_msg("%s: %s is %.17g, expected %.17g, off by %.2g, allowed %.2g", name, what, got, expected,
                 fabs(got - expected), bound);
}

/* Every combination of the columns [1 X y] has the norm that it has over the rows themselves. */
static void factor_keeps_norms_and_sums(void **state) {
    for (int i = 0; i < N_CASES; i++) {
        problem q = set_up(&cases[i], cases[i].n);
        const int order = q.factor.order;
        double combination[64], direct = 0, compressed = 0, scale = 0;
        fill_normal(combination, order, 1, 9);
        for (int t = 0; t < q.n_test; t++) {
            double e = combination[0] + combination[order - 1] * q.test_y[t];
            e += dot(q.test_x + (size_t)t * (size_t)q.p, combination + 1, q.p);
            direct += e * e;
        }
        for (int r = 0; r < order; r++) {
            double e = 0;
            for (int j = 0; j < order; j++) {
                const double entry = q.factor.r[(size_t)j * (size_t)order + (size_t)r];
                if (j < r) assert_true(entry == 0);
                e += entry * combination[j];
            }
            compressed += e * e;
        }
        for (int j = 0; j < order * order; j++) scale += q.factor.r[j] * q.factor.r[j];
        assert_int_equal(q.factor.n_rows, q.n_test);
        assert_near(cases[i].name, "norm", compressed, direct, 50 * DBL_EPSILON * (direct + scale));
        tear_down(&q);
    }
}

/* However the rows are cut into pieces on their way in. */
static void factor_takes_rows_in_pieces(void **state) {
    problem q = set_up(&cases[0], 40);
    rl_test_factor pieces;
    assert_int_equal(rl_test_factor_create(&pieces, q.p), RL_OK);
    for (int first = 0, count = 1; first < q.n_test; first += count, count = count % 7 + 1) {
        const int part = first + count <= q.n_test ? count : q.n_test - first;
        assert_int_equal(
            rl_test_factor_append(&pieces, part, q.test_x + (size_t)first * (size_t)q.p, q.p, q.test_y + first), RL_OK);
    }
    assert_int_equal(pieces.n_rows, q.n_test);
    for (int i = 0; i < pieces.order * pieces.order; i++) /* rows of a triangle are unique up to sign */
        assert_near("pieces", "entry", fabs(pieces.r[i]), fabs(q.factor.r[i]), 200 * DBL_EPSILON * sqrt(q.n_test));
    rl_test_factor_clear(&pieces);
    assert_int_equal(pieces.n_rows, 0);
    for (int i = 0; i < pieces.order * pieces.order; i++) assert_true(pieces.r[i] == 0);
    rl_test_factor_destroy(&pieces);
    tear_down(&q);
}

static void singular_values_agree_with_jacobi(void **state) {
    for (int i = 0; i < N_CASES; i++) {
        problem q = set_up(&cases[i], cases[i].n);
        assert_int_equal(q.s.n_modes, q.svd.k);
        assert_int_equal(q.s.rank, q.svd.k - cases[i].deficient);
        for (int r = 0; r < q.s.n_modes; r++)
            assert_near(cases[i].name, "sigma", q.s.sigma[r], gsl_vector_get(q.svd.s, (size_t)r),
                        20 * DBL_EPSILON * q.s.sigma[0]);
        tear_down(&q);
    }
}

/* |U^T y|^2 plus the part outside is |y|^2, for each target. */
static void targets_keep_their_length(void **state) {
    for (int i = 0; i < N_CASES; i++) {
        problem q = set_up(&cases[i], cases[i].n);
        for (int t = 0; t < RL_N_TARGETS; t++) {
            double length = 0;
            for (int j = 0; j < q.n; j++) {
                const double ideal = dot(q.x + (size_t)j * (size_t)q.p, q.beta_star, q.p);
                const double value = t == RL_TARGET_Y ? q.y[j] : t == RL_TARGET_IDEAL ? ideal : q.y[j] - ideal;
                length += value * value;
            }
            const double got = dot(q.s.c[t], q.s.c[t], q.s.n_modes) + q.s.outside_sq[t];
            assert_near(cases[i].name, "length", got, length, 100 * DBL_EPSILON * length);
        }
        if (q.n <= q.p) assert_true(q.s.outside_sq[RL_TARGET_Y] == 0);
        if (cases[i].deficient == 0) /* y* lies in the span of the columns */
            assert_true(q.s.outside_sq[RL_TARGET_IDEAL] <=
                        1e-24 * dot(q.s.c[RL_TARGET_IDEAL], q.s.c[RL_TARGET_IDEAL], q.s.n_modes));
        tear_down(&q);
    }
}

/* Predictions of the minimum-norm fit: their mean square error against y equals that of Jacobi's solution, row by row.
 */
static void predictions_agree_with_jacobi(void **state) {
    for (int i = 0; i < N_CASES; i++) {
        problem q = set_up(&cases[i], cases[i].n);
        double beta[64], sum = 0;
        jacobi_solve(&q.svd, q.y, q.s.rank, beta);
        for (int j = 0; j < q.s.m; j++) {
            double e = -q.s.z_target[RL_TARGET_Y][j];
            for (int r = 0; r < q.s.rank; r++)
                e += q.s.z[(size_t)r * (size_t)q.s.ldz + (size_t)j] * q.s.c[RL_TARGET_Y][r] / q.s.sigma[r];
            sum += e * e;
        }
        const double direct = mean_square_error(q.test_x, q.test_y, beta, 0, q.n_test, q.p);
        assert_near(cases[i].name, "test error", sum / q.n_test, direct, 100 * DBL_EPSILON * condition(&q) * direct);
        tear_down(&q);
    }
}

/* The paper's Eq. 1: the prediction error against y* is the sum over modes of (1 / sigma)(x . v)(u . E) plus the bias,
 * in every coordinate row, to rounding. */
static void three_factors_plus_bias_are_the_error(void **state) {
    for (int i = 0; i < N_CASES; i++) {
        problem q = set_up(&cases[i], cases[i].n);
        for (int j = 0; j < q.s.m; j++) {
            double error = -q.s.z_target[RL_TARGET_IDEAL][j], sum = -q.s.z_target[RL_TARGET_IDEAL][j],
                   scale = fabs(error);
            for (int r = 0; r < q.s.rank; r++) {
                const double z = q.s.z[(size_t)r * (size_t)q.s.ldz + (size_t)j];
                error += z * q.s.c[RL_TARGET_Y][r] / q.s.sigma[r];
                sum += z * q.s.c[RL_TARGET_RESIDUAL][r] / q.s.sigma[r] +
                       z * q.s.b_star[r]; /* the second part and -y*: the bias */
                scale += fabs(z) * (fabs(q.s.c[RL_TARGET_Y][r]) / q.s.sigma[r] + fabs(q.s.b_star[r]));
            }
            assert_near(cases[i].name, "Eq. 1", sum, error, 100 * DBL_EPSILON * condition(&q) * scale);
        }
        tear_down(&q);
    }
}

/* Mean and mean square of x . (V V^T - I) beta* over the test rows, and the length of (V V^T - I) beta*, from Jacobi's
 * V. */
static void bias_agrees_with_direct_sums(void **state) {
    for (int i = 0; i < N_CASES; i++) {
        problem q = set_up(&cases[i], cases[i].n);
        double lost[64], mean = 0, mse = 0;
        for (int j = 0; j < q.p; j++) lost[j] = -q.beta_star[j];
        for (int r = 0; r < q.s.rank; r++) {
            double b = 0;
            for (int j = 0; j < q.p; j++) b += gsl_matrix_get(q.svd.v, (size_t)j, (size_t)r) * q.beta_star[j];
            for (int j = 0; j < q.p; j++) lost[j] += b * gsl_matrix_get(q.svd.v, (size_t)j, (size_t)r);
        }
        for (int t = 0; t < q.n_test; t++) {
            const double e = dot(q.test_x + (size_t)t * (size_t)q.p, lost, q.p);
            mean += e / q.n_test;
            mse += e * e / q.n_test;
        }
        double size = 0; /* of the rounding errors: what the features can make of an error of eps in V V^T beta* */
        for (int j = 0; j < q.p; j++)
            size = fmax(
                size, fabs(q.factor.r[(size_t)(j + 1) * (size_t)q.factor.order]) + pow(10, cases[i].grade) * sqrt(q.p));
        const double bound = 1000 * DBL_EPSILON * size * sqrt(dot(q.beta_star, q.beta_star, q.p));
        assert_near(cases[i].name, "mean bias", q.s.test_bias, mean, bound);
        assert_near(cases[i].name, "mean square bias", q.s.test_bias_mse, mse, bound * (sqrt(mse) + bound));
        assert_near(cases[i].name, "lost length", q.s.b_outside_sq, q.s.rank == q.p ? 0 : dot(lost, lost, q.p),
                    1e-12 * (1 + dot(q.beta_star, q.beta_star, q.p)));
        if (q.s.rank == q.p) assert_true(q.s.test_bias_mse == 0 && q.s.b_outside_sq == 0);
        tear_down(&q);
    }
}

/* The sign convention: b_star = V^T beta* for a beta* that picks out the largest component of v_r is positive. */
static void largest_component_of_v_is_positive(void **state) {
    for (int i = 0; i < N_CASES; i++) {
        problem q = set_up(&cases[i], cases[i].n);
        if (cases[i].deficient > 0) { /* V is not unique there */
            tear_down(&q);
            continue;
        }
        for (int r = 0; r < q.s.n_modes; r++) {
            int largest = 0;
            for (int j = 1; j < q.p; j++)
                if (fabs(gsl_matrix_get(q.svd.v, (size_t)j, (size_t)r)) >
                    fabs(gsl_matrix_get(q.svd.v, (size_t)largest, (size_t)r)))
                    largest = j;
            const double sign = gsl_matrix_get(q.svd.v, (size_t)largest, (size_t)r) > 0 ? 1 : -1;
            double b = 0;
            for (int j = 0; j < q.p; j++) b += sign * gsl_matrix_get(q.svd.v, (size_t)j, (size_t)r) * q.beta_star[j];
            assert_near(cases[i].name, "V^T beta*", q.s.b_star[r], b,
                        1e-9 * sqrt(dot(q.beta_star, q.beta_star, q.p)) * (1 + 1e3 * (cases[i].grade > 0)));
        }
        tear_down(&q);
    }
}

/* Buffers larger than the training set change no bit: a study may be extended to larger N. */
static void buffers_do_not_change_bits(void **state) {
    for (int i = 0; i < N_CASES; i++) {
        problem small = set_up(&cases[i], cases[i].n), large = set_up(&cases[i], 4 * cases[i].n + 100);
        const size_t modes = sizeof(double) * (size_t)small.s.n_modes;
        assert_memory_equal(small.s.sigma, large.s.sigma, modes);
        assert_memory_equal(small.s.c[RL_TARGET_Y], large.s.c[RL_TARGET_Y], modes);
        assert_memory_equal(small.s.z, large.s.z, modes * (size_t)small.s.m);
        tear_down(&small);
        tear_down(&large);
    }
}

/* The pseudoinverse of zeros is zeros: beta = 0, every mode is a direction of nothing, the targets keep their length,
 * and the bias is -X_test beta*: here -(1 + 2 + 3) on the only test row. */
static void zeros_have_rank_zero(void **state) {
    double x[6] = {0}, y[2] = {1, 2}, beta[3] = {1, 1, 1}, test[3] = {1, 2, 3}, test_y[1] = {1};
    rl_test_factor factor;
    rl_dense_producer *producer;
    rl_spectrum s;
    assert_int_equal(rl_test_factor_create(&factor, 3), RL_OK);
    assert_int_equal(rl_test_factor_append(&factor, 1, test, 3, test_y), RL_OK);
    assert_int_equal(rl_dense_producer_create(&producer, 2, 3), RL_OK);
    const rl_training_set train = {2, 3, x, y, beta, NULL};
    assert_int_equal(rl_dense_producer_spectrum(producer, &train, &factor, &s), RL_OK);
    assert_int_equal(s.status, RL_CELL_DONE);
    assert_int_equal(s.rank, 0);
    assert_true(s.sigma[0] == 0 && s.sigma[1] == 0);
    const double *c = s.c[RL_TARGET_Y];
    assert_true(fabs(c[0] * c[0] + c[1] * c[1] - 5) <= 8 * DBL_EPSILON && s.outside_sq[RL_TARGET_Y] == 0);
    assert_true(fabs(s.test_bias + 6) <= 16 * DBL_EPSILON && fabs(s.test_bias_mse - 36) <= 64 * DBL_EPSILON);
    assert_true(s.b_outside_sq == 3);
    rl_dense_producer_destroy(producer);
    rl_test_factor_destroy(&factor);
}

/* Interlacing (svd.md's invariant; Golub and Van Loan, corollary 8.6.3): adding a row raises every singular value and
 * none past the next. */
static void singular_values_interlace(void **state) {
    const test_case c = {"interlacing", 30, 15, 10, 0, 0};
    double before[15] = {0};
    int known = 0;
    for (int n = 1; n <= c.n; n++) {
        test_case prefix = c;
        prefix.n = n;
        problem q = set_up(&prefix, c.n);
        for (int r = 0; r < q.s.n_modes; r++) {
            if (r < known) assert_true(q.s.sigma[r] >= before[r] * (1 - 1e-14));
            if (r > 0 && r - 1 < known) assert_true(q.s.sigma[r] <= before[r - 1] * (1 + 1e-14));
            before[r] = q.s.sigma[r];
        }
        known = q.s.n_modes;
        tear_down(&q);
    }
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factor_keeps_norms_and_sums),       cmocka_unit_test(factor_takes_rows_in_pieces),
        cmocka_unit_test(singular_values_agree_with_jacobi), cmocka_unit_test(targets_keep_their_length),
        cmocka_unit_test(predictions_agree_with_jacobi),     cmocka_unit_test(three_factors_plus_bias_are_the_error),
        cmocka_unit_test(bias_agrees_with_direct_sums),      cmocka_unit_test(largest_component_of_v_is_positive),
        cmocka_unit_test(buffers_do_not_change_bits),        cmocka_unit_test(zeros_have_rank_zero),
        cmocka_unit_test(singular_values_interlace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
