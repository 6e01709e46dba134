/* How accurate bidiagonal QR is for matrices so large that tens of thousands of sweeps pass over them.
 *    bidiagonal_errors N [dbdsqr]
 * Of the bidiagonal form of a matrix of N x N normal numbers, singular values by the program, by LAPACK's dlasq1 (which
 * goes another way, dqds) and, if asked for, by its dbdsqr with vectors, which goes the same way one sweep at a time.
 * Some of them are held against bisection by Sturm counts in extended precision: how many eigenvalues of the
 * tridiagonal matrix [0 B^T; B 0], ordered by pairs, are above a number (Demmel and Kahan 1990, section 7). Errors are
 * in roundings, 2^-53, of the largest singular value, but for their mean, which is of each one's own. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/distributed/spectrum/bidiagonal.h"
#include "ridgeless/arena.h"
#include "ridgeless/random.h"

void dlasq1_(const int *n, double *d, double *e, double *work, int *info);
void dbdsqr_(const char *uplo, const int *n, const int *ncvt, const int *nru, const int *ncc, double *d, double *e,
             double *vt, const int *ldvt, double *u, const int *ldu, double *c, const int *ldc, double *work, int *info,
             size_t);

typedef struct bidiagonal {
    int n;
    double *d, *e, *sigma, *off, *vector, *work; /* the last one [4 n] */
} bidiagonal;

static void list_arrays(rl_arena *arena, void *object) {
    bidiagonal *b = object;
    RL_TAKE_REALS(arena, b->n, &b->d, &b->e, &b->sigma, &b->off, &b->vector);
    RL_TAKE(arena, b->work, 4 * (size_t)b->n);
}

/* Diagonal and what is above it are lengths of normal vectors, ever shorter ones: nearly normal numbers. */
static void draw(bidiagonal *b) {
    const rl_key key = rl_key_make(1, "bidiagonal");
    for (int i = 0; i < b->n; i++) {
        const double left = b->n - i;
        b->d[i] = sqrt(left) + M_SQRT1_2 * rl_philox_normal(key, RL_STREAM_FEATURES, 0, (uint32_t)i, 0);
        b->e[i] = sqrt(left - 1) + M_SQRT1_2 * rl_philox_normal(key, RL_STREAM_FEATURES, 0, (uint32_t)i, 1);
    }
}

/* Singular values above x. */
static int count_above(const bidiagonal *b, long double x) {
    int above = 0;
    long double pivot = -x;
    for (int k = 1; k < 2 * b->n; k++) {
        const long double beside = k % 2 == 1 ? b->d[k / 2] : b->e[k / 2 - 1];
        pivot = -x - beside * beside / pivot;
        if (pivot == 0) pivot = -LDBL_MIN;
        above += pivot > 0;
    }
    return above;
}

/* The singular value with so many above it, near a number. */
static long double bisect(const bidiagonal *b, int above, double near) {
    enum { STEPS = 48 };
    long double low = near * (1 - 1e-9L), high = near * (1 + 1e-9L);
    while (count_above(b, low) <= above) low -= 1e-3L * near;
    while (count_above(b, high) > above) high += 1e-3L * near;
    for (int i = 0; i < STEPS; i++) {
        const long double middle = (low + high) / 2;
        *(count_above(b, middle) > above ? &low : &high) = middle;
    }
    return (low + high) / 2;
}

/* Some from the large end, where sweeps find little to do, others from all over, and the smallest. */
enum { LARGEST = 20, SPREAD = 40, CHECKED = LARGEST + SPREAD };
static int checked(int n, int k) {
    return k < LARGEST ? k : (int)((int64_t)(k - LARGEST + 1) * (n - 1) / SPREAD);
}

/* The relative error of the sum of squares, which is that of the matrix's elements. */
static double error_of_squares(const bidiagonal *b) {
    long double found = 0, given = 0;
    for (int i = 0; i < b->n; i++) found += (long double)b->sigma[i] * b->sigma[i];
    for (int i = 0; i < b->n; i++) given += (long double)b->d[i] * b->d[i];
    for (int i = 0; i < b->n - 1; i++) given += (long double)b->e[i] * b->e[i];
    return (double)(found / given - 1);
}

static void print_errors(const bidiagonal *b, const char *name, double seconds, const long double *exact) {
    double worst = 0, squares = 0, mean = 0;
    for (int k = 0; k < CHECKED; k++) {
        const double error = (double)(b->sigma[checked(b->n, k)] - exact[k]) * 0x1p53;
        worst = fmax(worst, fabs(error) / b->sigma[0]);
        squares += error * error / CHECKED;
        mean += error / (double)exact[k] / CHECKED;
    }
    printf("%-10s %10.2f %10.1f %10.1f %10.1f %10.1f\n", name, seconds, worst, sqrt(squares) / b->sigma[0], mean,
           error_of_squares(b) * 0x1p53);
    fflush(stdout);
}

static bool by_program(bidiagonal *b) {
    const rl_operands nothing = {.rows = b->work, .ld_rows = RL_LANES, .columns = b->work};
    bool converged = false;
    return rl_bidiagonal_diagonalize(b->n, b->sigma, b->off, &nothing, &converged) == RL_OK && converged;
}

static bool by_dlasq1(bidiagonal *b) {
    int info;
    dlasq1_(&b->n, b->sigma, b->off, b->work, &info);
    return info == 0;
}

static bool by_dbdsqr(bidiagonal *b) {
    const int one = 1, none = 0;
    int info;
    dbdsqr_("U", &b->n, &one, &none, &none, b->sigma, b->off, b->vector, &b->n, NULL, &one, NULL, &one, b->work, &info,
            1);
    return info == 0;
}

typedef struct method {
    const char *name;
    bool (*run)(bidiagonal *b);
} method;

static bool measure(bidiagonal *b, const method *m, long double *exact) {
    const size_t bytes = (size_t)b->n * sizeof(double);
    memcpy(b->sigma, b->d, bytes);
    memcpy(b->off, b->e, bytes);
    const double start = rl_seconds();
    if (!m->run(b)) return false;
    const double seconds = rl_seconds() - start;
    for (int k = 0; k < CHECKED && exact[k] == 0; k++)
        exact[k] = bisect(b, checked(b->n, k), b->sigma[checked(b->n, k)]);
    print_errors(b, m->name, seconds, exact);
    return true;
}

int main(int argc, char **argv) {
    static const method methods[] = {{"ridgeless", by_program}, {"dlasq1", by_dlasq1}, {"dbdsqr", by_dbdsqr}};
    const bool all = argc == 3 && strcmp(argv[2], "dbdsqr") == 0;
    bidiagonal b = {.n = argc > 1 ? atoi(argv[1]) : 0};
    long double exact[CHECKED] = {0};
    if (b.n < CHECKED || argc > 3 || (argc == 3 && !all)) {
        fprintf(stderr, "usage: bidiagonal_errors N [dbdsqr], N at least %d\n", CHECKED);
        return 2;
    }
    if (rl_arrays_create(&b, list_arrays) != RL_OK) return 1;
    draw(&b);
    printf("N = %d, %d singular values\n%-10s %10s %10s %10s %10s %10s\n", b.n, CHECKED, "", "seconds", "worst", "rms",
           "mean", "squares");
    bool ok = true;
    for (int i = 0; i < (all ? 3 : 2) && ok; i++) ok = measure(&b, &methods[i], exact);
    rl_free(b.d);
    return ok ? 0 : 1;
}
