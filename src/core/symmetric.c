/* Eigenvalues and eigenvectors of a symmetric matrix, with sums in an order of its own: by reflections to a tridiagonal
 * matrix, and by QL iteration with implicit shifts from there (Martin, Reinsch and Wilkinson 1968; Dubrulle, Martin and
 * Wilkinson 1968). */
#include <float.h>
#include <math.h>
#include <string.h>

#include "../small.h"

enum { MOST_ITERATIONS = 60 /* per eigenvalue; two or three are usual */ };

/* ---- to a tridiagonal matrix ------------------------------------------------------------------------------------- */

/* The reflection 1 - tau v v^T, tau returned, that leaves of x [n] its first number alone, *first; v takes its place.
 * 0: there is nothing to reflect. */
static double make_reflection(int n, double *x, double *first) {
    double rest = 0;
    for (int i = 1; i < n; i++) rest += x[i] * x[i];
    *first = x[0];
    if (rest == 0) return 0;
    *first = -copysign(sqrt(x[0] * x[0] + rest), x[0]);
    x[0] -= *first;
    return 2 / (x[0] * x[0] + rest);
}

/* A [n, n] = H A H, of which the lower half is read and written; room [n]. */
static void reflect_both_sides(int n, double *a, int lda, double tau, const double *v, double *room) {
    double dot = 0;
    memset(room, 0, (size_t)n * sizeof *room);
    for (int j = 0; j < n; j++) {
        const double *column = a + (size_t)j * (size_t)lda;
        double sum = column[j] * v[j];
        for (int i = j + 1; i < n; i++) {
            sum += column[i] * v[i];
            room[i] += column[i] * v[j];
        }
        room[j] += sum;
    }
    for (int i = 0; i < n; i++) dot += v[i] * room[i];
    for (int i = 0; i < n; i++) room[i] = tau * (room[i] - tau * dot / 2 * v[i]);
    for (int j = 0; j < n; j++)
        for (int i = j; i < n; i++) a[(size_t)j * (size_t)lda + (size_t)i] -= v[i] * room[j] + room[i] * v[j];
}

/* The matrix becomes the product of the reflections that made it tridiagonal. */
static void gather_reflections(int n, double *a, const double *tau) {
    for (int k = n - 1; k >= 0; k--) {
        double *const at = a + (size_t)k * (size_t)n, *const v = k > 0 ? at - n + k : at;
        for (int j = k + 1; j < n && k > 0; j++) {
            double *column = a + (size_t)j * (size_t)n, dot = 0;
            for (int i = k; i < n; i++) dot += v[i - k] * column[i];
            for (int i = k; i < n; i++) column[i] -= tau[k - 1] * dot * v[i - k];
        }
        for (int i = 0; i < n; i++) at[i] = 0;
        for (int i = k; i < n && k > 0; i++) at[i] = -tau[k - 1] * v[0] * v[i - k];
        at[k] += 1;
    }
}

/* ---- to a diagonal one ------------------------------------------------------------------------------------------- */

static void rotate_columns(int n, double *left, double *right, double c, double s) {
    for (int i = 0; i < n; i++) {
        const double a = left[i], b = right[i];
        left[i] = c * a - s * b;
        right[i] = s * a + c * b;
    }
}

/* One sweep of rotations from `end` up to `first`, within a block whose e are not zero. */
static void sweep(int n, int first, int end, double *d, double *e, double *vectors) {
    const double half = (d[first + 1] - d[first]) / (2 * e[first]);
    double g = d[end] - d[first] + e[first] / (half + copysign(sqrt(half * half + 1), half));
    double c = 1, s = 1, p = 0;
    for (int i = end - 1; i >= first; i--) {
        const double f = s * e[i], b = c * e[i], r = sqrt(f * f + g * g);
        e[i + 1] = r;
        if (r == 0) { /* the block has come apart */
            d[i + 1] -= p;
            e[end] = 0;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        const double q = (d[i] - g) * s + 2 * c * b;
        p = s * q;
        d[i + 1] = g + p;
        g = c * q - b;
        rotate_columns(n, vectors + (size_t)i * (size_t)n, vectors + (size_t)(i + 1) * (size_t)n, c, s);
    }
    d[first] -= p;
    e[first] = g;
    e[end] = 0;
}

static bool diagonalize(int n, double *d, double *e, double *vectors) {
    for (int first = 0; first < n; first++)
        for (int i = 0;; i++) {
            int end = first;
            while (end + 1 < n && fabs(e[end]) > DBL_EPSILON / 2 * (fabs(d[end]) + fabs(d[end + 1]))) end++;
            if (end == first) break;
            if (i == MOST_ITERATIONS) return false;
            sweep(n, first, end, d, e, vectors);
        }
    return true;
}

static void sort_ascending(int n, double *values, double *vectors) {
    for (int i = 0; i < n; i++) {
        int least = i;
        for (int j = i + 1; j < n; j++)
            if (values[j] < values[least]) least = j;
        if (least == i) continue;
        const double value = values[i];
        values[i] = values[least];
        values[least] = value;
        rotate_columns(n, vectors + (size_t)i * (size_t)n, vectors + (size_t)least * (size_t)n, 0, 1);
    }
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* The largest number of a matrix as a power of two, by which it can be divided without rounding. */
static int exponent_of(int n, const double *a) {
    double largest = 0;
    int exponent = 0;
    for (size_t i = 0; i < (size_t)n * (size_t)n; i++) largest = fmax(largest, fabs(a[i]));
    frexp(largest, &exponent);
    return exponent;
}

bool rl_symmetric_decompose(int n, double *a, double *values, double *room) {
    const int exponent = exponent_of(n, a);
    double *const tau = room, *const e = room + n;
    for (size_t i = 0; i < (size_t)n * (size_t)n; i++) a[i] = ldexp(a[i], -exponent);
    for (int k = 0; k + 1 < n; k++) {
        double *below = a + (size_t)k * (size_t)n + (size_t)k + 1, first;
        tau[k] = make_reflection(n - k - 1, below, &first);
        reflect_both_sides(n - k - 1, below + n, n, tau[k], below, values); /* where the diagonal is not yet */
        e[k] = first;
    }
    for (int k = 0; k < n; k++) values[k] = a[(size_t)k * (size_t)n + (size_t)k];
    e[n - 1] = 0;
    gather_reflections(n, a, tau);
    if (!diagonalize(n, values, e, a)) return false;
    sort_ascending(n, values, a);
    for (int k = 0; k < n; k++) values[k] = ldexp(values[k], exponent);
    return true;
}
