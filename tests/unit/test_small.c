/* Linear algebra whose bits are the same on every processor: against GSL, exact eigenvalues, and what decompositions
 * are defined by, in units of eps x the size of the matrix. */
#include "unit.h"

#include <float.h>
#include <gsl/gsl_eigen.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_sort_vector.h>
#include <math.h>
#include <string.h>

#include "../../src/small.h"
#include "ridgeless/core.h"

enum { MOST = 150 };
static const double pi = 3.14159265358979323846;

static double at(const double *a, int n, int i, int j) {
    return a[(size_t)j * (size_t)n + (size_t)i];
}

/* Numbers between -1 and 1 that follow from a seed (Park and Miller 1988). */
static void fill(int n, uint64_t seed, double *numbers) {
    for (int i = 0; i < n; i++) {
        seed = seed * 48271 % 2147483647;
        numbers[i] = 2.0 * (double)seed / 2147483647 - 1;
    }
}

static double largest(int n, const double *a) {
    double most = 0;
    for (int i = 0; i < n; i++) most = fmax(most, fabs(a[i]));
    return most;
}

/* Columns of unit length, at right angles. */
static void check_orthogonal(int n, const double *q) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double dot = 0;
            for (int k = 0; k < n; k++) dot += at(q, n, k, i) * at(q, n, k, j);
            assert_true(fabs(dot - (i == j)) <= 20 * n * DBL_EPSILON);
        }
}

/* Returns the eigenvalues, which are checked with their vectors. */
static const double *check_symmetric(int n, const double *a) {
    static double values[MOST], q[MOST * MOST], room[2 * MOST];
    const double size = n * largest(n * n, a);
    memcpy(q, a, (size_t)n * (size_t)n * sizeof *a);
    assert_true(rl_symmetric_decompose(n, q, values, room));
    check_orthogonal(n, q);
    for (int j = 0; j < n; j++) {
        assert_true(j == 0 || values[j] >= values[j - 1]);
        for (int i = 0; i < n; i++) {
            double rest = -values[j] * at(q, n, i, j);
            for (int k = 0; k < n; k++) rest += at(a, n, i, k) * at(q, n, k, j);
            assert_true(fabs(rest) <= 20 * DBL_EPSILON * size);
        }
    }
    return values;
}

static void make_symmetric(int n, double *a) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) a[(size_t)j * (size_t)n + (size_t)i] = at(a, n, j, i);
}

static void eigenvalues_are_those_of_gsl(void **state) {
    static double a[MOST * MOST];
    const int sizes[] = {1, 2, 3, 4, 7, 20, 33, 64, MOST};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int power = -300; power <= 300; power += 300) {
            const int n = sizes[s];
            gsl_matrix *copy = gsl_matrix_alloc((size_t)n, (size_t)n);
            gsl_vector *expected = gsl_vector_alloc((size_t)n);
            gsl_eigen_symm_workspace *work = gsl_eigen_symm_alloc((size_t)n);
            fill(n * n, 1 + (uint64_t)n, a);
            make_symmetric(n, a);
            memcpy(copy->data, a, (size_t)n * (size_t)n * sizeof *a);
            gsl_eigen_symm(copy, expected, work);
            gsl_sort_vector(expected);
            for (int i = 0; i < n * n; i++) a[i] = ldexp(a[i], power * 3);
            const double *values = check_symmetric(n, a);
            for (int j = 0; j < n; j++)
                assert_true(fabs(ldexp(values[j], -power * 3) - gsl_vector_get(expected, (size_t)j)) <=
                            20 * n * DBL_EPSILON);
            gsl_eigen_symm_free(work);
            gsl_vector_free(expected);
            gsl_matrix_free(copy);
        }
}

/* The second difference has the eigenvalues 2 - 2 cos(pi k / (n + 1)). */
static void eigenvalues_of_second_differences_are_exact(void **state) {
    static double a[MOST * MOST];
    const int n = MOST;
    memset(a, 0, sizeof a);
    for (int i = 0; i < n; i++) {
        a[i * n + i] = 2;
        if (i > 0) a[i * n + i - 1] = a[(i - 1) * n + i] = -1;
    }
    const double *values = check_symmetric(n, a);
    for (int k = 1; k <= n; k++) assert_true(fabs(values[k - 1] - 2 + 2 * cos(pi * k / (n + 1))) <= 20 * DBL_EPSILON);
}

/* Eigenvalues that are the same, or zero; and a matrix that needs nothing. */
static void degenerate_matrices_have_eigenvectors(void **state) {
    static double a[MOST * MOST], x[MOST];
    const int n = 40;
    memset(a, 0, sizeof a);
    const double *values = check_symmetric(n, a);
    assert_true(values[0] == 0 && values[n - 1] == 0);
    for (int i = 0; i < n; i++) a[i * n + i] = i % 2 == 0 ? 7 : 1e-9;
    values = check_symmetric(n, a);
    assert_true(values[0] == 1e-9 && values[n - 1] == 7);
    fill(n, 5, x);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) a[j * n + i] = x[i] * x[j];
    check_symmetric(n, a);
    for (int i = 0; i < n; i++) a[i * n + i] += 3;
    check_symmetric(n, a);
}

/* core = U diag(sigma) V^T, graded by columns as features of very different scale are. */
static void singular_values_are_those_of_gsl(void **state) {
    static double core[RL_SMALL_FEATURES * RL_SMALL_FEATURES], u[RL_SMALL_FEATURES * RL_SMALL_FEATURES];
    double a[RL_SMALL_FEATURES * RL_SMALL_FEATURES], sigma[RL_SMALL_FEATURES];
    for (int n = 1; n <= RL_SMALL_FEATURES; n++)
        for (int zeros = 0; zeros < 2 && zeros < n; zeros++) {
            gsl_matrix *copy = gsl_matrix_alloc((size_t)n, (size_t)n), *v = gsl_matrix_alloc((size_t)n, (size_t)n);
            gsl_vector *expected = gsl_vector_alloc((size_t)n);
            fill(n * n, 77 + (uint64_t)n, a);
            for (int i = 0; i < n * zeros; i++) a[i] = 0;
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++) gsl_matrix_set(copy, (size_t)i, (size_t)j, at(a, n, i, j));
            gsl_linalg_SV_decomp_jacobi(copy, v, expected);
            memcpy(core, a, (size_t)n * (size_t)n * sizeof *a);
            rl_small_decompose(n, core, sigma, u);
            for (int r = 0; r < n - zeros; r++)
                assert_true(fabs(sigma[r] - gsl_vector_get(expected, (size_t)r)) <= 20 * n * DBL_EPSILON);
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++) {
                    double sum = 0;
                    for (int r = 0; r < n - zeros; r++) sum += at(u, n, i, r) * at(core, n, r, j);
                    assert_true(fabs(sum - at(a, n, i, j)) <= 20 * n * DBL_EPSILON);
                }
            gsl_matrix_free(copy);
            gsl_matrix_free(v);
            gsl_vector_free(expected);
        }
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eigenvalues_are_those_of_gsl),
        cmocka_unit_test(eigenvalues_of_second_differences_are_exact),
        cmocka_unit_test(degenerate_matrices_have_eigenvectors),
        cmocka_unit_test(singular_values_are_those_of_gsl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
