/* The secular equation: a diagonal matrix with one more row, against one-sided Jacobi, with poles far apart, graded and
 * as close as deflation leaves them; vectors orthogonal to working precision; the same bits from registers of any
 * width. */
#include "unit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "../../src/spectrum/updated/secular.h"
#include "matrix.h"

enum { MAX_ORDER = 61, N_KINDS = 4 };
static const int orders[] = {1, 2, 3, 7, 8, 9, 30, MAX_ORDER};

typedef struct problem {
    int n;
    double d[MAX_ORDER], square[MAX_ORDER], low[MAX_ORDER], z[MAX_ORDER];
} problem;

/* Even, graded, in clusters 1e-14 wide, and with a last pole of 0 and a row that all but misses every other pole. */
static problem make(int n, int kind) {
    problem p = {.n = n};
    fill_normal(p.z, 1, n, 5);
    for (int j = 0; j < n; j++) {
        const double even = 2 - (double)j / n;
        p.d[j] = kind == 1 ? pow(10, -9.0 * j / n) : kind == 2 ? 2 - j / 5 * 0.1 - j % 5 * 1e-14 : even;
        if (kind == 3 && j == n - 1) p.d[j] = 0;
        if (kind == 3 && j % 2 == 0) p.z[j] *= 1e-14;
        p.square[j] = p.d[j] * p.d[j];
        p.low[j] = fma(p.d[j], p.d[j], -p.square[j]);
    }
    return p;
}

static void compare_with_jacobi(const problem *p, const rl_secular *q, const double *v) {
    const int n = p->n;
    double m[(MAX_ORDER + 1) * MAX_ORDER] = {0};
    for (int j = 0; j < n; j++) {
        m[j * n + j] = p->d[j];
        m[n * n + j] = p->z[j];
    }
    jacobi_svd svd = jacobi(m, n + 1, n);
    for (int i = 0; i < n; i++) {
        assert_true(fabs(q->sigma[i] - gsl_vector_get(svd.s, (size_t)i)) <= 50 * DBL_EPSILON * q->sigma[0]);
        double image_sq = 0; /* |M v| */
        for (int row = 0; row <= n; row++) {
            const double part = dot(m + row * n, v + i * n, n);
            image_sq += part * part;
        }
        assert_true(fabs(sqrt(image_sq) - q->sigma[i]) <= 50 * DBL_EPSILON * q->sigma[0]);
        for (int k = 0; k <= i; k++) assert_true(fabs(dot(v + i * n, v + k * n, n) - (i == k)) <= 10 * n * DBL_EPSILON);
    }
    jacobi_free(&svd);
}

/* U^T keeps lengths: c and what is outside are the whole vector. */
static void project(const problem *p, const rl_secular *q, const double *v) {
    double above[MAX_ORDER], room[MAX_ORDER], c[MAX_ORDER], outside, last = 0.7;
    fill_normal(above, 1, p->n, 6);
    const bool complete = p->d[p->n - 1] == 0;
    if (complete) above[p->n - 1] = 0; /* there is no such row */
    rl_secular_project(q, v, p->n, above, last, room, c, &outside);
    const double whole = dot(above, above, p->n) + last * last;
    const double found = dot(c, c, p->n) + (complete ? 0 : outside * outside);
    assert_true(fabs(found - whole) <= 20 * p->n * DBL_EPSILON * whole);
}

static void vectors_are_those_of_the_matrix(void **state) {
    for (size_t k = 0; k < sizeof orders / sizeof *orders; k++)
        for (int kind = 0; kind < N_KINDS; kind++) {
            const problem p = make(orders[k], kind);
            double v[MAX_ORDER * MAX_ORDER];
            rl_secular q;
            q = rl_secular_sizes(p.n, 0);
            assert_int_equal(rl_arrays_create(&q, rl_secular_list_arrays), RL_OK);
            assert_true(q.kernel->solve(&q, p.n, p.square, p.low, p.z));
            for (int i = 0; i < p.n; i++)
                assert_true(q.sigma[i] > p.d[i] || q.root[i] + q.root_low[i] > p.square[i] ||
                            fabs(p.z[i]) < 1e-12); /* interlacing, but for rounding */
            q.kernel->fill_vectors(&q, v, p.n);
            compare_with_jacobi(&p, &q, v);
            project(&p, &q, v);
            rl_free(q.sigma);
        }
}

static void width_changes_no_bit(void **state) {
    for (int kind = 0; kind < N_KINDS; kind++) {
        const problem p = make(MAX_ORDER, kind);
        double v[3][MAX_ORDER * MAX_ORDER], sigma[3][MAX_ORDER];
        for (int w = 0; w < 3; w++) {
            rl_secular q;
            q = rl_secular_sizes(p.n, 2 << w);
            assert_int_equal(rl_arrays_create(&q, rl_secular_list_arrays), RL_OK);
            assert_true(q.kernel->solve(&q, p.n, p.square, p.low, p.z));
            q.kernel->fill_vectors(&q, v[w], p.n);
            memcpy(sigma[w], q.sigma, sizeof sigma[w]);
            rl_free(q.sigma);
        }
        for (int w = 1; w < 3; w++) {
            assert_memory_equal(v[w], v[0], sizeof v[0]);
            assert_memory_equal(sigma[w], sigma[0], sizeof sigma[0]);
        }
    }
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_those_of_the_matrix),
        cmocka_unit_test(width_changes_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
