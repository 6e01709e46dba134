/* distributed, the parts that work on one rank: bidiagonal to diagonal, and reflectors. Singular vectors are
 * made of identity matrices and multiplied back; singular values are held against dbdsqr with vectors, which has the
 * same criteria, and dlasq1, which has others (Fernando and Parlett 1994) and is as accurate for tiny ones. Products
 * with narrow matrices are held against sums by their definition. */
#include "unit.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/distributed/spectrum/bidiagonal.h"
#include "../../src/distributed/spectrum/iteration.h"
#include "../../src/distributed/spectrum/narrow.h"
#include "../../src/distributed/spectrum/reflectors.h"
#include "../../src/distributed/spectrum/rotations.h"
#include "ridgeless/random.h"

void dbdsqr_(const char *uplo, const int *n, const int *ncvt, const int *nru, const int *ncc, double *d, double *e,
             double *vt, const int *ldvt, double *u, const int *ldu, double *c, const int *ldc, double *work, int *info,
             size_t);
void dlasq1_(const int *n, double *d, double *e, double *work, int *info);

/* LAPACK's and this program's criteria allow relative changes of 100 roundings; sums of n of them are far smaller. */
static const double EPS = DBL_EPSILON / 2, CRITERION = 100;

static const rl_key key = {{0x2468ace0, 0x13579bdf}};

static double normal(uint32_t matrix, int row, int column) {
    return rl_philox_normal(key, RL_STREAM_FEATURES, matrix, (uint32_t)row, (uint32_t)column);
}

static double *numbers(size_t n) {
    double *values = NULL;
    assert_int_equal(RL_ALLOC(values, n), RL_OK);
    return values;
}

static double *copy_of(const double *x, int n) {
    double *copy = numbers((size_t)n);
    memcpy(copy, x, (size_t)n * sizeof *copy);
    return copy;
}

/* ---- a decomposition with all its vectors ------------------------------------------------------------------------ */

/* A = Q D P^T, n x n. */
typedef struct vectors {
    int n, ld;     /* of p and q: at least n */
    double *p, *q; /* column-major */
} vectors;

static vectors identities(int n) {
    vectors v = {.n = n, .ld = rl_whole_lanes(n)};
    const size_t length = (size_t)n * (size_t)v.ld;
    v.p = numbers(length), v.q = numbers(length);
    for (size_t i = 0; i < (size_t)n; i++) v.p[i * (size_t)v.ld + i] = v.q[i * (size_t)v.ld + i] = 1;
    return v;
}

static void free_vectors(vectors *v) {
    rl_free(v->p);
    rl_free(v->q);
}

/* One side as the operand's rows, the other one as its columns, which are the rows of Q^T or of P^T. */
typedef struct turning {
    rl_operands operands;
    double *columns; /* [n, n] */
} turning;

static turning turn_identities(const vectors *v, bool rows_left) {
    const size_t n = (size_t)v->n;
    turning t = {.columns = numbers(n * n)};
    for (size_t i = 0; i < n; i++) t.columns[i * n + i] = 1;
    t.operands = (rl_operands){.rows_left = rows_left,
                               .rows = rows_left ? v->q : v->p,
                               .n_rows = v->n,
                               .ld_rows = v->ld,
                               .columns = t.columns,
                               .n_columns = v->n};
    return t;
}

static void take_columns(turning *t, vectors *v) {
    double *to = t->operands.rows_left ? v->p : v->q;
    for (size_t r = 0; r < (size_t)v->n; r++)
        for (size_t i = 0; i < (size_t)v->n; i++) to[r * (size_t)v->ld + i] = t->columns[i * (size_t)v->n + r];
    rl_free(t->columns);
}

/* The largest element of Q^T Q - I. */
static double orthogonality(const double *q, int n, int ld) {
    double worst = 0;
    for (int a = 0; a < n; a++)
        for (int b = a; b < n; b++) {
            double sum = a == b ? -1 : 0;
            for (int i = 0; i < n; i++)
                sum += q[(size_t)a * (size_t)ld + (size_t)i] * q[(size_t)b * (size_t)ld + (size_t)i];
            worst = fmax(worst, fabs(sum));
        }
    return worst;
}

/* The largest elements of B P - Q S and of B^T Q - P S over the norm: both, so that zero singular values are paired
 * too. */
static double residual(int n, const double *d, const double *e, const double *sigma, const vectors *v) {
    double worst = 0;
    for (int r = 0; r < n; r++) {
        const double *p = v->p + (size_t)r * (size_t)v->ld, *q = v->q + (size_t)r * (size_t)v->ld;
        for (int i = 0; i < n; i++) {
            const double right = d[i] * p[i] + (i + 1 < n ? e[i] * p[i + 1] : 0);
            const double left = d[i] * q[i] + (i > 0 ? e[i - 1] * q[i - 1] : 0);
            worst = fmax(worst, fmax(fabs(right - sigma[r] * q[i]), fabs(left - sigma[r] * p[i])));
        }
    }
    return sigma[0] > 0 ? worst / sigma[0] : worst;
}

static void assert_descending(const double *sigma, int n) {
    for (int i = 0; i < n; i++) assert_true(sigma[i] >= (i + 1 < n ? sigma[i + 1] : 0));
}

static void decompose(int n, const double *d, const double *e, bool rows_left, double *sigma, vectors *v) {
    double *off_diagonal = copy_of(e, n);
    bool converged = false;
    turning t = turn_identities(v, rows_left);
    memcpy(sigma, d, (size_t)n * sizeof *sigma);
    assert_int_equal(rl_bidiagonal_diagonalize(n, sigma, off_diagonal, &t.operands, &converged), RL_OK);
    assert_true(converged);
    take_columns(&t, v);
    rl_free(off_diagonal);
}

/* ---- singular values by others ----------------------------------------------------------------------------------- */

static double *by_dbdsqr(int n, const double *d, const double *e) {
    double *sigma = copy_of(d, n), *off_diagonal = copy_of(e, n), *work = numbers(4 * (size_t)n);
    double *vt = numbers((size_t)n);
    const int one = 1, none = 0;
    int info;
    dbdsqr_("U", &n, &one, &none, &none, sigma, off_diagonal, vt, &n, NULL, &one, NULL, &one, work, &info, 1);
    assert_int_equal(info, 0);
    rl_free(off_diagonal);
    rl_free(work);
    rl_free(vt);
    return sigma;
}

static double *by_dlasq1(int n, const double *d, const double *e) {
    double *sigma = copy_of(d, n), *off_diagonal = copy_of(e, n), *work = numbers(4 * (size_t)n);
    int info;
    dlasq1_(&n, sigma, off_diagonal, work, &info);
    assert_int_equal(info, 0);
    rl_free(off_diagonal);
    rl_free(work);
    return sigma;
}

/* The largest relative difference. */
static double difference(const double *sigma, const double *expected, int n) {
    double worst = 0;
    for (int i = 0; i < n; i++)
        if (sigma[i] != expected[i]) worst = fmax(worst, fabs(sigma[i] / expected[i] - 1));
    return worst;
}

static bool within(const char *what, int n, double value, double bound) {
    if (value <= bound) return true;
    print_error("n = %d: %s is %.3g roundings, expected at most %.3g\n", n, what, value / EPS, bound / EPS);
    return false;
}

/* ---- matrices ---------------------------------------------------------------------------------------------------- */

enum { MOST = 512 };
typedef struct bidiagonal {
    int n;
    double d[MOST], e[MOST];
} bidiagonal;

static bidiagonal random_bidiagonal(int n, uint32_t which) {
    bidiagonal b = {.n = n};
    for (int i = 0; i < n; i++) b.d[i] = normal(which, i, 0), b.e[i] = normal(which, i, 1);
    return b;
}

/* What a matrix of independent normal numbers is brought to: sums of squares on the diagonal and above it. */
static bidiagonal reduced_bidiagonal(int n) {
    bidiagonal b = random_bidiagonal(n, (uint32_t)n);
    for (int i = 0; i < n; i++) b.d[i] += sqrt(n - 1 - i), b.e[i] += sqrt(n - 1 - i);
    return b;
}

/* Row i is smaller than the one above by a factor 10^step, or the one above smaller than it. */
static bidiagonal graded_bidiagonal(int n, double step, bool upwards, double above) {
    bidiagonal b = random_bidiagonal(n, 7);
    for (int i = 0; i < n; i++) {
        const double grade = pow(10, -step * (upwards ? n - 1 - i : i));
        b.d[i] *= grade;
        b.e[i] *= grade * above;
    }
    return b;
}

/* ---- checks ------------------------------------------------------------------------------------------------------ */

/* All vectors, once with each side as rows: the singular values' bits must not depend on what is turned. */
static void assert_decomposed(const bidiagonal *b, double *sigma) {
    const int n = b->n;
    const double bound = 20 * sqrt(n) * EPS;
    double first[MOST];
    for (int rows_left = 0; rows_left < 2; rows_left++) {
        vectors v = identities(n);
        decompose(n, b->d, b->e, rows_left != 0, sigma, &v);
        assert_descending(sigma, n);
        assert_true(within("V^T V - I", n, orthogonality(v.p, n, v.ld), bound));
        assert_true(within("U^T U - I", n, orthogonality(v.q, n, v.ld), bound));
        assert_true(within("B V - U S", n, residual(n, b->d, b->e, sigma, &v), bound));
        free_vectors(&v);
        if (rows_left) assert_memory_equal(sigma, first, (size_t)n * sizeof *sigma);
        memcpy(first, sigma, (size_t)n * sizeof *sigma);
    }
}

/* dbdsqr's own distance from dlasq1 is several criteria. */
static void check(const bidiagonal *b) {
    double sigma[MOST];
    assert_decomposed(b, sigma);
    double *lapack = by_dbdsqr(b->n, b->d, b->e), *dqds = by_dlasq1(b->n, b->d, b->e);
    assert_true(within("sigma against dlasq1", b->n, difference(sigma, dqds, b->n), 2 * CRITERION * EPS));
    assert_true(within("sigma against dbdsqr", b->n, difference(sigma, lapack, b->n), 10 * CRITERION * EPS));
    rl_free(lapack);
    rl_free(dqds);
}

static void random_matrices_of_all_sizes(void **state) {
    for (int n = 1; n <= 200; n += n < 70 ? 1 : 13) {
        const bidiagonal b = random_bidiagonal(n, (uint32_t)n), reduced = reduced_bidiagonal(n);
        check(&b);
        check(&reduced);
    }
    const bidiagonal large = reduced_bidiagonal(500);
    check(&large);
}

/* Down to 1e-236 beside 1: the singular values are those of dlasq1, relatively. */
static void tiny_singular_values_are_accurate(void **state) {
    const double steps[] = {0.1, 0.3, 1, 2, 4}, above[] = {0.3, 3, 1e-3};
    for (int s = 0; s < 5; s++)
        for (int upwards = 0; upwards < 2; upwards++)
            for (int a = 0; a < 3; a++) {
                const bidiagonal b = graded_bidiagonal(60, steps[s], upwards != 0, above[a]);
                check(&b);
            }
}

/* Large and small rows in no order, and pieces of both directions behind each other. */
static void mixed_grades(void **state) {
    bidiagonal b = random_bidiagonal(90, 11);
    for (int i = 0; i < b.n; i++) {
        const double grade = pow(10, 8 * normal(12, i, 0));
        b.d[i] *= grade;
        b.e[i] *= grade;
    }
    check(&b);
    for (int i = 0; i < b.n; i++) {
        const double grade = pow(10, -(i % 30 < 15 ? i % 30 : 30 - i % 30));
        b.d[i] = normal(13, i, 0) * grade;
        b.e[i] = i % 30 == 29 ? 0 : normal(13, i, 1) * grade;
    }
    check(&b);
}

/* d = e = 1: sigma_k = 2 cos(k pi / (2 n + 1)). */
static void ones_have_cosines(void **state) {
    for (int n = 1; n <= 300; n = 2 * n + 1) {
        bidiagonal b = {.n = n};
        double sigma[MOST], expected[MOST];
        for (int i = 0; i < n; i++) b.d[i] = b.e[i] = 1;
        for (int k = 1; k <= n; k++) expected[k - 1] = 2 * sin((n + 0.5 - k) * M_PI / (2 * n + 1));
        check(&b);
        assert_decomposed(&b, sigma);
        assert_true(within("sigma", n, difference(sigma, expected, n), 2 * CRITERION * EPS));
    }
}

/* ---- zeros, repetitions ------------------------------------------------------------------------------------------ */

static int count_zeros(const double *sigma, int n) {
    int zeros = 0;
    for (int i = 0; i < n; i++) zeros += sigma[i] == 0;
    return zeros;
}

/* Between two zeros of the diagonal lies a regular block, with its diagonal above: however many they are, one singular
 * value is zero, exactly, and its vectors are vectors like the others. */
static void zeros_on_the_diagonal(void **state) {
    const int places[][3] = {{0, 0, 0}, {39, 39, 39}, {17, 17, 17}, {0, 20, 39}, {5, 6, 7}, {37, 38, 39}, {0, 1, 2}};
    for (size_t k = 0; k < sizeof places / sizeof *places; k++)
        for (uint32_t which = 20; which < 24; which++) {
            bidiagonal b = random_bidiagonal(40, which);
            double sigma[MOST];
            for (int j = 0; j < 3; j++) b.d[places[k][j]] = 0;
            assert_decomposed(&b, sigma);
            assert_int_equal(count_zeros(sigma, b.n), 1);
            check(&b);
        }
}

static void zeros_above_the_diagonal(void **state) {
    for (int every = 1; every <= 7; every++) {
        bidiagonal b = random_bidiagonal(60, 30);
        for (int i = every - 1; i < b.n; i += every) b.e[i] = 0;
        check(&b);
    }
}

static void all_zero(void **state) {
    for (int n = 1; n <= 20; n++) {
        bidiagonal b = {.n = n};
        double sigma[MOST];
        assert_decomposed(&b, sigma);
        assert_int_equal(count_zeros(sigma, n), n);
        for (int i = 0; i < n; i++) b.e[i] = 1; /* one zero: nothing on the diagonal, the identity above it */
        assert_decomposed(&b, sigma);
        assert_int_equal(count_zeros(sigma, n), 1);
        for (int i = 0; i + 1 < n; i++) assert_true(sigma[i] == 1);
    }
}

/* Equal singular values of an identity with signs, and those of one block over and over. */
static void equal_singular_values(void **state) {
    bidiagonal b = {.n = 33};
    double sigma[MOST];
    for (int i = 0; i < b.n; i++) b.d[i] = i % 3 == 0 ? -1 : 1;
    assert_decomposed(&b, sigma);
    for (int i = 0; i < b.n; i++) assert_true(sigma[i] == 1);
    b.n = 60;
    for (int i = 0; i < b.n; i++) b.d[i] = normal(40, i % 6, 0), b.e[i] = i % 6 == 5 ? 0 : normal(40, i % 6, 1);
    check(&b);
    b.n = 64; /* nearly equal, and coupled */
    for (int i = 0; i < b.n; i++) b.d[i] = 1 + 1e-14 * normal(41, i, 0), b.e[i] = 1e-14 * normal(41, i, 1);
    check(&b);
    for (int i = 0; i < b.n; i++) b.e[i] = 1e-9 * normal(41, i, 1);
    check(&b);
}

/* Rounding noise where exact zeros should be, as of a matrix that lacks most of its rank. */
static void deficient(void **state) {
    bidiagonal b = reduced_bidiagonal(120);
    for (int i = 50; i < b.n; i++) b.d[i] *= 1e-15, b.e[i - 1] *= 1e-15;
    check(&b);
}

/* ---- long blocks, of which singular values are taken off early ----------------------------------------------------
 */

/* One matrix of each kind: with zeros, in pieces, nearly in pieces, with equal and nearly equal singular values, graded
 * down, up, and both ways, deficient, all ones, and far from square. */
enum { LONG_KINDS = 12 };
static bidiagonal long_bidiagonal(int kind, int n) {
    bidiagonal b = kind < 4 ? random_bidiagonal(n, 60) : reduced_bidiagonal(n);
    for (int i = 0; i < n; i++) {
        const double down = pow(10, -3.0 * i / n), up = pow(10, -3.0 * (n - i) / n);
        double *const d = &b.d[i], *const e = &b.e[i];
        if (kind == 0 && i % 37 == 5) *d = 0;
        if (kind == 1 && i % 110 == 109) *e = 0;
        if (kind == 2 && i % 30 == 29) *e = 1e-13;
        if (kind == 3) *d = normal(61, i % 10, 0), *e = i % 10 == 9 ? 1e-10 : normal(61, i % 10, 1);
        if (kind == 4) *d = 1 + 1e-14 * normal(62, i, 0), *e = 1e-12 * normal(62, i, 1);
        if (kind == 5) *d *= down, *e *= down;
        if (kind == 6) *d *= up, *e *= up;
        if (kind == 7) *d *= fmax(up, down), *e *= fmax(up, down);
        if (kind == 8 && i > n / 3) *d *= 1e-15, *e *= 1e-15;
        if (kind == 9) *d = *e = 1;
        if (kind == 10) *d = sqrt(3 * n - i), *e = sqrt(n - 1 - i);
        if (kind == 11) *d = -1, *e = i % 2 == 0 ? 0.5 : -0.5;
    }
    return b;
}

/* All vectors, and each singular value to some roundings of the largest. */
static void long_blocks(void **state) {
    static const int sizes[] = {97, 131, 200, 331};
    for (int kind = 0; kind < LONG_KINDS; kind++)
        for (int k = 0; k < 4; k++) {
            const int n = sizes[k];
            const bidiagonal b = long_bidiagonal(kind, n);
            double sigma[MOST], worst = 0;
            assert_decomposed(&b, sigma);
            double *others[] = {by_dlasq1(n, b.d, b.e), by_dbdsqr(n, b.d, b.e)};
            for (int i = 0; i < n; i++)
                worst = fmax(worst, fmax(fabs(sigma[i] - others[0][i]), fabs(sigma[i] - others[1][i])));
            if (!within("sigma", n, worst / sigma[0], 2 * CRITERION * EPS)) fail_msg("matrix of kind %d", kind);
            rl_free(others[0]);
            rl_free(others[1]);
        }
}

/* The singular values' bits are those of registers of 4 and of 8 doubles; of 2, without fused multiply-adds, to
 * roundings. */
static void registers_change_no_bit(void **state) {
    const bidiagonal b = reduced_bidiagonal(300);
    double sigma[3][MOST];
    for (int k = 0; k < 3; k++) {
        bidiagonal c = b;
        const rl_operands nothing = {.ld_rows = RL_LANES, .max_lanes = 2 << k};
        bool converged = false;
        assert_int_equal(rl_bidiagonal_diagonalize(c.n, c.d, c.e, &nothing, &converged), RL_OK);
        assert_true(converged);
        memcpy(sigma[k], c.d, sizeof sigma[k]);
    }
    assert_memory_equal(sigma[1], sigma[2], (size_t)b.n * sizeof(double));
    for (int i = 0; i < b.n; i++) assert_true(fabs(sigma[0][i] - sigma[1][i]) <= CRITERION * EPS * sigma[1][0]);
}

static void list_many(rl_arena *arena, void *object) {
    rl_iteration *it = object;
    RL_TAKE(arena, it->d, it->n);
    RL_TAKE(arena, it->e, it->n);
    RL_TAKE(arena, it->columns, RL_LANES * it->n);
    RL_TAKE(arena, it->spare, 2 * it->n);
    for (int i = 0; i < 2; i++) rl_sweeps_list(&it->sweeps[i], arena);
}

/* RL_SWEEPS sweeps, together or one by one, of a matrix and of the identity beside it. */
static void run_sweeps(const bidiagonal *b, bool together, int lanes, bidiagonal *after, double *turned) {
    const rl_operands operands = {.rows = turned, .n_rows = RL_LANES, .ld_rows = RL_LANES, .max_lanes = lanes};
    rl_iteration it = {.n = b->n, .hi = b->n - 1, .operands = &operands, .sweeps = {{.n = b->n}, {.n = b->n}}};
    double shifts[RL_SWEEPS];
    assert_int_equal(rl_arrays_create(&it, list_many), RL_OK);
    memcpy(it.d, b->d, (size_t)b->n * sizeof(double));
    memcpy(it.e, b->e, (size_t)b->n * sizeof(double));
    memset(turned, 0, (size_t)(RL_LANES * b->n) * sizeof(double));
    for (int i = 0; i < RL_LANES; i++) turned[i * 7 * RL_LANES + i] = 1, shifts[i] = 0.3 * i;
    if (together) rl_chase_many(&it, shifts);
    for (int k = 0; k < RL_SWEEPS && !together; k++) {
        const rl_chase chase = rl_chase_begin(&it, 0, it.hi, 0, it.hi);
        rl_chase_shifted(&it, &chase, shifts[k]);
    }
    rl_iteration_apply(&it);
    memcpy(after->d, it.d, (size_t)b->n * sizeof(double));
    memcpy(after->e, it.e, (size_t)b->n * sizeof(double));
    rl_free(it.d);
}

/* Sweeps side by side are sweeps one by one, to roundings; where numbers are too small for them, to the last bit. */
static void many_sweeps_are_single_ones(void **state) {
    enum { N = 140 };
    for (int tiny = 0; tiny < 2; tiny++)
        for (int lanes = 2; lanes <= 8; lanes *= 2) {
            bidiagonal b = {.n = N}, together = b, alone = b;
            double turned[2][N * RL_LANES], worst = 0;
            for (int i = 0; i < N; i++) b.d[i] = 5 + normal(63, i, 0), b.e[i] = 1 + 0.3 * normal(63, i, 1);
            for (int i = 60; i < 80 && tiny; i++) b.d[i] *= 0x1p-500, b.e[i] *= 0x1p-500;
            run_sweeps(&b, true, lanes, &together, turned[0]);
            run_sweeps(&b, false, lanes, &alone, turned[1]);
            for (int i = 0; i < N; i++) {
                worst = fmax(worst, fabs(together.d[i] - alone.d[i]));
                worst = fmax(worst, fabs(together.e[i] - alone.e[i]));
            }
            for (int i = 0; i < N * RL_LANES; i++) worst = fmax(worst, fabs(turned[0][i] - turned[1][i]));
            assert_true(within("a sweep", N, worst, tiny ? 0 : 1e6 * EPS));
        }
}

/* ---- scales, what is not finite ---------------------------------------------------------------------------------- */

static void powers_of_two_change_no_bit(void **state) {
    const bidiagonal plain = reduced_bidiagonal(50);
    const int powers[] = {-900, -1, 3, 900, 1015};
    double sigma[MOST], scaled[MOST];
    assert_decomposed(&plain, sigma);
    for (int k = 0; k < 5; k++) {
        bidiagonal b = plain;
        for (int i = 0; i < b.n; i++) b.d[i] = ldexp(b.d[i], powers[k]), b.e[i] = ldexp(b.e[i], powers[k]);
        vectors v = identities(b.n);
        decompose(b.n, b.d, b.e, false, scaled, &v);
        free_vectors(&v);
        for (int i = 0; i < b.n; i++) assert_true(scaled[i] == ldexp(sigma[i], powers[k]));
    }
}

static void smallest_numbers(void **state) {
    bidiagonal b = {.n = 9};
    double sigma[MOST];
    for (int i = 0; i < b.n; i++) b.d[i] = b.e[i] = DBL_TRUE_MIN;
    vectors v = identities(b.n);
    decompose(b.n, b.d, b.e, false, sigma, &v);
    assert_true(within("V^T V - I", b.n, orthogonality(v.p, b.n, v.ld), 20 * sqrt(b.n) * EPS));
    for (int k = 1; k <= b.n; k++) /* rounded to the numbers that there are */
        assert_true(fabs(sigma[k - 1] / DBL_TRUE_MIN - 2 * sin((b.n + 0.5 - k) * M_PI / (2 * b.n + 1))) <= 0.5001);
    free_vectors(&v);
}

/* Callers refuse these; should one get in, the iteration still ends. */
static void not_a_number_ends(void **state) {
    const double poisons[] = {NAN, INFINITY, -INFINITY};
    for (int k = 0; k < 3; k++)
        for (int place = 0; place < 40; place++) {
            bidiagonal b = random_bidiagonal(20, 50);
            const rl_operands nothing = {.ld_rows = RL_LANES};
            bool converged = true;
            (place < 20 ? b.d : b.e)[place % 20] = poisons[k];
            assert_int_equal(rl_bidiagonal_diagonalize(b.n, b.d, b.e, &nothing, &converged), RL_OK);
            if (isnan(poisons[k]) && place != 39) assert_false(converged); /* e has 19 elements */
        }
}

/* ---- what is turned ---------------------------------------------------------------------------------------------- */

/* Rows are turned each for itself: the same bits in company and alone, whatever the number of lanes; none at all is
 * fine. */
static void rows_are_independent(void **state) {
    enum { N = 70, ROWS = 50 };
    const int counts[] = {0, 1, 2, 15, 16, 17, 31, 32, 33, ROWS};
    const bidiagonal b = reduced_bidiagonal(N);
    double whole[N * 64], part[N * 64], sigma[N], sigma_again[N];
    for (int rows_left = 0; rows_left < 2; rows_left++)
        for (int k = sizeof counts / sizeof *counts - 1; k >= 0; k--) {
            const int ld = rl_whole_lanes(counts[k]) > 0 ? rl_whole_lanes(counts[k]) : RL_LANES;
            double *x = counts[k] == ROWS ? whole : part, *s = counts[k] == ROWS ? sigma : sigma_again;
            bidiagonal c = b;
            bool converged = false;
            for (int j = 0; j < N; j++)
                for (int i = 0; i < ld; i++) x[j * ld + i] = normal(60, i, j);
            const rl_operands operands = {.rows_left = rows_left != 0, .rows = x, .n_rows = counts[k], .ld_rows = ld};
            assert_int_equal(rl_bidiagonal_diagonalize(N, c.d, c.e, &operands, &converged), RL_OK);
            assert_true(converged);
            memcpy(s, c.d, sizeof sigma);
            assert_memory_equal(s, sigma, sizeof sigma);
            for (int j = 0; j < N; j++)
                assert_memory_equal(x + j * ld, whole + j * rl_whole_lanes(ROWS), (size_t)counts[k] * sizeof *x);
        }
}

/* Rows near the end of the range, beside others: the same bits but for the exponent, though columns are turned divided
 * by their scales. */
static void large_rows_are_turned(void **state) {
    enum { N = MOST, ROWS = 2, EXPONENT = 1015 };
    const bidiagonal b = reduced_bidiagonal(N);
    double *const turned[] = {numbers(N * RL_LANES), numbers(N * RL_LANES)};
    for (int large = 0; large < 2; large++) {
        bidiagonal c = b;
        bool converged = false;
        double *const x = turned[large], columns[2 * N];
        for (int i = 0; i < N; i++) {
            x[i * RL_LANES] = ldexp(normal(61, i, 0), large ? EXPONENT : 0);
            x[i * RL_LANES + 1] = normal(61, i, 1);
            columns[i] = x[i * RL_LANES], columns[N + i] = x[i * RL_LANES + 1];
        }
        const rl_operands operands = {
            .rows = x, .n_rows = ROWS, .ld_rows = RL_LANES, .columns = columns, .n_columns = ROWS};
        assert_int_equal(rl_bidiagonal_diagonalize(N, c.d, c.e, &operands, &converged), RL_OK);
        assert_true(converged);
        for (int i = 0; i < N; i++) x[i * RL_LANES + 2] = columns[i], x[i * RL_LANES + 3] = columns[N + i];
    }
    for (int i = 0; i < N; i++)
        for (int row = 0; row < 2 * ROWS; row++) {
            const double before = turned[0][i * RL_LANES + row];
            assert_true(turned[1][i * RL_LANES + row] == (row % 2 == 0 ? ldexp(before, EXPONENT) : before));
        }
    for (int i = 0; i < 2; i++) rl_free(turned[i]);
}

static void list_sweeps(rl_arena *arena, void *sweeps) {
    rl_sweeps_list(sweeps, arena);
}

enum { TURNED_COLUMNS = 300, TURNED_ROWS = 20, TURNED_LD = 32, TURNED = TURNED_COLUMNS * TURNED_LD };

static void turn_columns(double *x, double *y, double angle) {
    const double s = sin(angle), t = s / (1 + cos(angle));
    for (int row = 0; row < TURNED_ROWS; row++) {
        x[row] = x[row] + t * y[row];
        y[row] = y[row] - s * x[row];
        x[row] = x[row] + t * y[row];
    }
}

static void apply_sweeps(rl_sweeps *sweeps, bool mirrored, double *x, int lanes) {
    rl_sweeps_apply(sweeps, mirrored, x, TURNED_ROWS, TURNED_LD, lanes);
    rl_sweeps_clear(sweeps);
}

/* How sweeps are collected: one by one, or some of them many at once, which are turned with scales. */
typedef struct collecting {
    bool mirrored, many;
    int lanes;
} collecting;

/* Sweep k of the test, long or short. */
static void turn_by_sweep(rl_sweeps *sweeps, int k, const collecting *how, double *together, double *alone) {
    enum { N = TURNED_COLUMNS };
    const int a = (int)(fabs(normal(71, k, 0)) * 100) % (N - 1), z = (int)(fabs(normal(71, k, 1)) * 300) % N;
    const int first = k % 5 == 0 ? a : 0, end = k % 5 == 0 ? a + 1 : (k % 7 == 0 ? z : N - 1 - k % 3);
    const int lo = k % 10 == 0 ? 0 : first, hi = k % 10 == 0 ? N - 1 : end,
              at_once = how->many && k % 11 == 0 ? RL_SWEEPS : 1;
    rl_sweep_group *group = NULL;
    for (int j = 0; j < at_once; j++) {
        rl_sweep sweep = {.frames = NULL};
        for (int trial = 0; trial < 2 && sweep.frames == NULL; trial++) {
            if (trial > 0) apply_sweeps(sweeps, how->mirrored, together, how->lanes);
            if (at_once == 1)
                sweep = rl_sweeps_add(sweeps, lo, hi, first, end);
            else if (j > 0 || (group = rl_sweeps_add_group(sweeps, first, end)) != NULL)
                sweep = rl_sweep_of(group, j);
        }
        for (int i = first; i < end; i++) {
            const double angle = M_PI_2 * sin(normal(72, k + 1000 * j, i));
            double *x = alone + (how->mirrored ? N - 1 - i : i) * TURNED_LD;
            double *y = how->mirrored ? x - TURNED_LD : x + TURNED_LD;
            rl_sweep_set(&sweep, i, fabs(cos(angle)), sin(angle));
            turn_columns(x, y, angle);
        }
    }
}

static void collect_and_turn(const collecting *how, double *together, double *alone) {
    rl_sweeps sweeps = {.n = TURNED_COLUMNS};
    assert_int_equal(rl_arrays_create(&sweeps, list_sweeps), RL_OK);
    for (int i = 0; i < TURNED; i++) together[i] = alone[i] = normal(70, i, 0);
    for (int sweep = 0; sweep < 200; sweep++) turn_by_sweep(&sweeps, sweep, how, together, alone);
    apply_sweeps(&sweeps, how->mirrored, together, how->lanes);
    rl_free(sweeps.groups);
}

/* Sweeps of all kinds applied together and one by one, mirrored and not: to the last bit, but where there are scales,
 * and with the kernels for registers of 4 and of 8 doubles, which round less often, nearly so; these agree to the last
 * bit. */
static void sweeps_are_applied_in_order(void **state) {
    static double together[3][TURNED], alone[TURNED];
    for (int way = 0; way < 4; way++) {
        for (int k = 0; k < 3; k++) {
            const collecting how = {way % 2 != 0, way / 2 != 0, 2 << k};
            collect_and_turn(&how, together[k], alone);
        }
        for (int i = 0; i < TURNED; i++) {
            if (i % TURNED_LD >= TURNED_ROWS) continue;
            assert_true(fabs(together[0][i] - alone[i]) <= (way < 2 ? 0 : 1000 * EPS));
            assert_true(fabs(together[1][i] - alone[i]) <= 1000 * EPS);
            assert_true(together[2][i] == together[1][i]);
        }
    }
}

/* After right angles nothing is left of a column but what its scale cannot give back. */
static void right_angles_are_not_scaled(void **state) {
    for (int angles = 0; angles <= RL_SWEEPS; angles += RL_SWEEPS) {
        rl_sweeps sweeps = {.n = TURNED_COLUMNS};
        assert_int_equal(rl_arrays_create(&sweeps, list_sweeps), RL_OK);
        rl_sweep_group *const group = rl_sweeps_add_group(&sweeps, 0, TURNED_COLUMNS - 1);
        for (int k = 0; k < RL_SWEEPS; k++) {
            const rl_sweep sweep = rl_sweep_of(group, k);
            for (int i = 0; i < TURNED_COLUMNS - 1; i++)
                rl_sweep_set(&sweep, i, k < angles ? 0 : 0.6, k < angles ? 1 : 0.8);
        }
        assert_int_equal(rl_sweeps_are_scaled_well(group), angles == 0);
        rl_free(sweeps.groups);
    }
}

/* Each sweep rounds, and thousands of sweeps add up what their roundings have in common: on average the differences
 * from dlasq1, which goes another way, are a few roundings. A hundredth of one in each reciprocal square root would
 * make 50. */
static void roundings_have_both_signs(void **state) {
    enum { N = 2000 };
    double *const d = numbers(N), *const e = numbers(N), mean = 0;
    for (int i = 0; i < N; i++) d[i] = sqrt(N - i) + normal(70, i, 0), e[i] = sqrt(N - 1 - i) + normal(70, i, 1);
    double *const expected = by_dlasq1(N, d, e);
    const rl_operands nothing = {.rows = d, .columns = d, .ld_rows = RL_LANES};
    bool converged = false;
    assert_int_equal(rl_bidiagonal_diagonalize(N, d, e, &nothing, &converged), RL_OK);
    assert_true(converged);
    for (int i = 0; i < N; i++) mean += (d[i] / expected[i] - 1) / N;
    assert_true(within("the mean difference", N, fabs(mean), 10 * EPS));
    double *const arrays[] = {d, e, expected};
    for (int i = 0; i < 3; i++) rl_free(arrays[i]);
}

/* ---- reflectors -------------------------------------------------------------------------------------------------- */

/* Against the definition, at sizes whose squares are no doubles too. */
static void reflectors_reflect(void **state) {
    const double scales[] = {1, 1e-200, 1e200, 0};
    for (int s = 0; s < 4; s++)
        for (int length = 1; length <= 70; length++) {
            double x[70], v[70], first, product = 0;
            for (int i = 0; i < length; i++) v[i] = x[i] = scales[s] * normal(90, i, length);
            const double tau = rl_reflector_make(length, v, &first);
            double squares = 0;
            for (int i = 0; i < length; i++) squares += v[i] * v[i];
            for (int i = 0; i < length; i++) product += v[i] * x[i];
            assert_true(v[0] == 1);
            assert_true(fabs(tau * (tau * squares - 2)) <= 30 * EPS); /* orthogonal */
            for (int i = 0; i < length; i++)
                assert_true(fabs(x[i] - tau * product * v[i] - (i == 0 ? first : 0)) <= 30 * EPS * fabs(first));
        }
}

/* ---- narrow products --------------------------------------------------------------------------------------------- */

/* Of rows and columns that fill tiles, leave some over, or fill none; k and factors for the kernels and for BLAS. */
typedef struct narrow_case {
    int m, n, k, second_k, factors;
} narrow_case;
static const narrow_case narrow_cases[] = {
    {240, 128, 64, 0, 64}, {241, 129, 64, 64, 64}, {505, 270, 32, 5, 64}, {767, 59, 64, 64, 32},
    {77, 3, 64, 0, 64},    {5, 200, 64, 1, 64},    {100, 75, 7, 64, 64},  {60, 140, 64, 0, 5},
    {48, 16, 1, 1, 1},     {0, 9, 8, 0, 8},        {9, 0, 8, 8, 8},
};

/* The largest difference of x [m, n], ld, from sums of up to `terms` products of numbers of size 1, in roundings. */
static double worst_of(int m, int n, int terms, const double *x, int ld, const double *expected) {
    double worst = 0;
    for (int j = 0; j < n; j++)
        for (int i = 0; i < m; i++)
            worst = fmax(worst, fabs(x[(size_t)j * (size_t)ld + (size_t)i] - expected[j * m + i]));
    return worst / (EPS * (1 + terms));
}

static double *random_numbers(uint32_t matrix, int rows, int columns) {
    double *x = numbers((size_t)rows * (size_t)columns + 1);
    for (int j = 0; j < columns; j++)
        for (int i = 0; i < rows; i++) x[j * rows + i] = normal(matrix, i, j);
    return x;
}

/* changed [m, n] = C less both terms, as far as it has them. */
static void subtract_terms(const rl_narrow *p, double *changed) {
    for (int j = 0; j < p->n; j++)
        for (int i = 0; i < p->m; i++) {
            double sum = p->c[j * p->ld + i];
            for (int t = 0; t < RL_NARROW_TERMS; t++) {
                const int k = p->terms[t].k;
                for (int l = 0; l < k; l++) sum -= p->terms[t].left[i * k + l] * p->terms[t].right[j * k + l];
            }
            changed[j * p->m + i] = sum;
        }
}

/* With room for some rows after the last one, which stay what they are, or with none. */
static void check_pass(const narrow_case *t, int lanes, int room, bool subtracts, bool multiplies) {
    const int m = t->m, n = t->n, ld = m + room, k = t->k, l = t->second_k;
    double *const c = random_numbers(90, ld, n), *const left = random_numbers(91, k + l, m);
    double *const right = random_numbers(92, k + l, n), *const factor = random_numbers(93, t->factors, n);
    double *const packed = numbers((size_t)(k + l) * RL_NARROW_ROWS), *const product =
                                                                          random_numbers(94, ld, t->factors);
    double *const changed = numbers((size_t)(m * n) + 1), *const multiplied = numbers((size_t)(m * t->factors) + 1);
    rl_narrow p = {.m = m, .n = n, .ld = ld, .c = c, .packed = packed, .factors = t->factors, .ld_product = ld};
    if (subtracts) p.terms[0] = (rl_narrow_term){k, left, right};
    if (subtracts) p.terms[1] = (rl_narrow_term){l, left + k * m, right + k * n};
    if (multiplies) p.factor = factor, p.product = product;
    subtract_terms(&p, changed);
    for (int j = 0; j < n; j++)
        for (int i = 0; i < m; i++)
            for (int f = 0; f < t->factors; f++)
                multiplied[f * m + i] += changed[j * m + i] * factor[j * t->factors + f];
    double *const before = random_numbers(90, ld, n);
    rl_narrow_pass(&p, lanes);
    assert_true(worst_of(m, n, k + l, c, ld, changed) < 32);
    if (multiplies) assert_true(worst_of(m, t->factors, 8 * (k + l + n), product, ld, multiplied) < 32);
    for (int j = 0; j < n; j++)
        for (int i = m; i < ld; i++) assert_true(c[j * ld + i] == before[j * ld + i]);
    double *const arrays[] = {c, left, right, factor, packed, product, changed, multiplied, before};
    for (int i = 0; i < 9; i++) rl_free(arrays[i]);
}

static void check_left(const narrow_case *t, int lanes) {
    const int m = t->m, n = t->n, k = t->k, ld = m + 3;
    double *const c = random_numbers(95, ld, n), *const left = random_numbers(96, k, m);
    double *const out = random_numbers(97, k, n), *const expected = numbers((size_t)(k * n) + 1);
    for (int j = 0; j < n; j++)
        for (int i = 0; i < m; i++)
            for (int l = 0; l < k; l++) expected[j * k + l] += left[i * k + l] * c[j * ld + i];
    rl_narrow_left(m, n, k, left, c, ld, out, lanes);
    assert_true(worst_of(k, n, m, out, k, expected) < 32);
    double *const arrays[] = {c, left, out, expected};
    for (int i = 0; i < 4; i++) rl_free(arrays[i]);
}

/* With the kernels for registers of 8 and of 4 doubles, as far as this processor has them, and by BLAS alone. */
static void narrow_products_are_products(void **state) {
    for (size_t i = 0; i < sizeof narrow_cases / sizeof *narrow_cases; i++)
        for (int lanes = 2; lanes <= 8; lanes *= 2) {
            for (int room = 0; room <= 7; room += 7) {
                check_pass(&narrow_cases[i], lanes, room, true, false);
                check_pass(&narrow_cases[i], lanes, room, false, true);
                check_pass(&narrow_cases[i], lanes, room, true, true);
            }
            check_left(&narrow_cases[i], lanes);
        }
}

/* OpenBLAS can be told to use one kernel on all processors with AVX2, and then ranks of both kinds agree. */
static void narrow_products_have_the_bits_of_any_registers(void **state) {
    enum { M = 505, N = 270, K = 64, N_C = M * N, N_PRODUCT = M * K, N_OUT = K * N };
    double *const left = random_numbers(91, K, M), *const right = random_numbers(92, K, N);
    double *const packed = numbers(2 * (size_t)K * RL_NARROW_ROWS), *made[2];
    for (int wide = 0; wide < 2; wide++) {
        double *const c = made[wide] = numbers(N_C + N_PRODUCT + N_OUT);
        for (int i = 0; i < N_C; i++) c[i] = normal(98, i, 0);
        const rl_narrow p = {M, N, M, c, {{K, left, right}, {K, left, right}}, packed, K, right, c + N_C, M};
        rl_narrow_pass(&p, wide ? 8 : 4);
        rl_narrow_left(M, N, K, left, c, M, c + N_C + N_PRODUCT, wide ? 8 : 4);
    }
    assert_memory_equal(made[0], made[1], (N_C + N_PRODUCT + N_OUT) * sizeof(double));
    double *const arrays[] = {left, right, packed, made[0], made[1]};
    for (int i = 0; i < 5; i++) rl_free(arrays[i]);
}

/* x [rows, columns], ld, becomes x (I - tau v v^T). */
static void reflect_right(int rows, int columns, double *x, int ld, const double *v, double tau) {
    for (int i = 0; i < rows; i++) {
        double sum = 0;
        for (int j = 0; j < columns; j++) sum += x[j * ld + i] * v[j];
        for (int j = 0; j < columns; j++) x[j * ld + i] -= tau * sum * v[j];
    }
}

/* Both blocks of a step, with numbers around them that stay, wherever in its lines the first row lies; `expected` is
 * made one reflector after the other. */
typedef struct block_case {
    int rows, columns, lead;
} block_case;
enum { BLOCK_WIDTH = 72, BLOCK_LD = 104, BLOCK_ABOVE = 16, BLOCK_ELEMENTS = BLOCK_LD * (BLOCK_WIDTH + 1) };

static void check_block(const block_case *t, bool diagonal) {
    double *const block = random_numbers(99, BLOCK_ELEMENTS, 1), *const before = copy_of(block, BLOCK_ELEMENTS);
    double *const room = numbers(rl_block_room(BLOCK_WIDTH)), *const expected = copy_of(block, BLOCK_ELEMENTS);
    double given[BLOCK_WIDTH], made[BLOCK_WIDTH], first;
    const int place = BLOCK_ABOVE + t->lead - (int)((uintptr_t)block / sizeof *block % RL_ROWS_TOGETHER);
    double *const x = expected + place;
    const rl_block b = {t->rows, t->columns, block + place, BLOCK_LD, 0};
    const int length = diagonal ? t->columns : t->rows, other = diagonal ? t->rows : t->columns;
    for (int i = 0; i < length; i++) given[i] = normal(100, i, 0);
    const double tau = rl_reflector_make(length, given, &first);
    if (diagonal) reflect_right(t->rows, t->columns, x, BLOCK_LD, given, tau);
    if (!diagonal) rl_reflect_left(t->rows, t->columns, x, BLOCK_LD, given, tau);
    const double tau_made = (diagonal ? rl_block_reflect_diagonal : rl_block_reflect_above)(&b, given, tau, made, room);
    if (diagonal) rl_reflect_left(t->rows, t->columns, x, BLOCK_LD, made, tau_made);
    if (!diagonal) reflect_right(t->rows, t->columns, x, BLOCK_LD, made, tau_made);
    for (int i = 1; i < other; i++) assert_true((diagonal ? block[place + i] : block[place + i * BLOCK_LD]) == 0);
    for (int i = 0; i < BLOCK_ELEMENTS; i++) {
        const int row = (i - place + BLOCK_LD) % BLOCK_LD, column = (i - place + BLOCK_LD) / BLOCK_LD - 1;
        const bool inside = row < t->rows && column >= 0 && column < t->columns;
        if (inside) assert_true(fabs(block[i] - expected[i]) <= 100 * EPS);
        if (!inside) assert_true(block[i] == before[i]);
    }
    double *const arrays[] = {block, before, room, expected};
    for (int i = 0; i < 4; i++) rl_free(arrays[i]);
}

static void blocks_reflect_from_both_sides(void **state) {
    for (int rows = 1; rows <= 70; rows += rows < 20 ? 1 : 11)
        for (int columns = 1; columns <= 70; columns += columns < 10 ? 1 : 12)
            for (int lead = 0; lead < RL_ROWS_TOGETHER; lead += 1 + rows % 3) {
                const block_case t = {rows, columns, lead};
                check_block(&t, false);
                if (rows == columns) check_block(&t, true);
            }
}

/* Ranks whose processors have registers of 4 and of 8 doubles agree. */
static void reflected_blocks_have_the_bits_of_any_registers(void **state) {
    enum { COLUMNS = 21, STRIDE = 88, LENGTH = STRIDE * COLUMNS };
    double *const given = random_numbers(101, STRIDE, 1), *const packed = random_numbers(102, STRIDE, 2);
    double *const room = numbers(rl_block_room(STRIDE)), *made[2], others[STRIDE];
    for (int rows = 1; rows + RL_ROWS_TOGETHER <= STRIDE; rows++) {
        for (int wide = 0; wide < 2; wide++) {
            made[wide] = random_numbers(103, STRIDE, COLUMNS + 2);
            const rl_block b = {rows, COLUMNS, made[wide] + RL_ROWS_TOGETHER, STRIDE, wide ? 8 : 4};
            rl_block_reflect_above(&b, given, 0.5, others, room);
            rl_block_reflect_diagonal(&b, given, 0.5, others, room);
            rl_reflectors_apply(rows / 16 * 16, COLUMNS, made[wide], STRIDE, packed, wide ? 8 : 4);
        }
        assert_memory_equal(made[0], made[1], LENGTH * sizeof(double));
        rl_free(made[0]);
        rl_free(made[1]);
    }
    double *const arrays[] = {given, packed, room};
    for (int i = 0; i < 3; i++) rl_free(arrays[i]);
}

/* Some reflectors at once, and one by one; the last of them may end at the edge. */
static void reflectors_at_once_reflect(void **state) {
    enum { WIDTH = 9, ROWS = 48, MOST_COLUMNS = WIDTH + RL_REFLECTORS - 1 };
    double v[RL_REFLECTORS * WIDTH] = {0}, tau[RL_REFLECTORS] = {0}, packed[200], first;
    double together[ROWS * MOST_COLUMNS], alone[ROWS * MOST_COLUMNS];
    assert_true(rl_reflectors_length(MOST_COLUMNS) <= 200);
    for (int columns = 2; columns <= MOST_COLUMNS; columns++)
        for (int rows = 0; rows <= ROWS; rows += 16) {
            for (int i = 0; i < ROWS * columns; i++) together[i] = alone[i] = normal(91, i, columns);
            for (int k = 0; k < RL_REFLECTORS; k++) {
                const int length = columns - k < WIDTH ? columns - k : WIDTH;
                tau[k] = 0;
                if (length < 1) continue;
                for (int j = 0; j < length; j++) v[k * WIDTH + j] = normal(92, j, k);
                tau[k] = rl_reflector_make(length, v + k * WIDTH, &first);
                reflect_right(rows, length, alone + k * ROWS, ROWS, v + k * WIDTH, tau[k]);
            }
            rl_reflectors_pack(columns, WIDTH, v, tau, packed);
            rl_reflectors_apply(rows, columns, together, ROWS, packed, 0);
            for (int i = 0; i < ROWS * columns; i++) assert_true(fabs(together[i] - alone[i]) <= 100 * EPS);
        }
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_matrices_of_all_sizes),
        cmocka_unit_test(tiny_singular_values_are_accurate),
        cmocka_unit_test(mixed_grades),
        cmocka_unit_test(ones_have_cosines),
        cmocka_unit_test(zeros_on_the_diagonal),
        cmocka_unit_test(zeros_above_the_diagonal),
        cmocka_unit_test(all_zero),
        cmocka_unit_test(equal_singular_values),
        cmocka_unit_test(deficient),
        cmocka_unit_test(long_blocks),
        cmocka_unit_test(registers_change_no_bit),
        cmocka_unit_test(many_sweeps_are_single_ones),
        cmocka_unit_test(powers_of_two_change_no_bit),
        cmocka_unit_test(smallest_numbers),
        cmocka_unit_test(not_a_number_ends),
        cmocka_unit_test(rows_are_independent),
        cmocka_unit_test(large_rows_are_turned),
        cmocka_unit_test(sweeps_are_applied_in_order),
        cmocka_unit_test(right_angles_are_not_scaled),
        cmocka_unit_test(roundings_have_both_signs),
        cmocka_unit_test(reflectors_reflect),
        cmocka_unit_test(blocks_reflect_from_both_sides),
        cmocka_unit_test(reflected_blocks_have_the_bits_of_any_registers),
        cmocka_unit_test(reflectors_at_once_reflect),
        cmocka_unit_test(narrow_products_are_products),
        cmocka_unit_test(narrow_products_have_the_bits_of_any_registers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
