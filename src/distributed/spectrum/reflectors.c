/* Householder reflectors of the band stage: loops that compilers make vector instructions of. */
#include "reflectors.h"

#include <math.h>
#include <stddef.h>

#include "../../clones.h"
#include "../../numbers.h"

/* LAPACK's, safe from overflow and underflow. */
void dlarfg_(const int *n, double *alpha, double *x, const int *incx, double *tau);

/* Loops of LANES passes become vector instructions. Sums go the way the source says, lane by lane: the same bits with
 * vectors of any width. */
enum { LANES = 16, CHUNK = 2 * LANES, TOGETHER = 4 };

/* Some rows, at most CHUNK: the constant in most calls, so that the loops over them have no remainder. */
RL_INLINED void reflect_lanes(int rows, int columns, double *block, size_t ld, const double *v, double tau) {
    double product[CHUNK] = {0};
    int j = 0;
    for (; j + TOGETHER <= columns; j += TOGETHER) {
        const double *a = block + (size_t)j * ld, *b = a + ld, *c = b + ld, *d = c + ld, *w = v + j;
        for (int i = 0; i < rows; i++) product[i] += (a[i] * w[0] + b[i] * w[1]) + (c[i] * w[2] + d[i] * w[3]);
    }
    for (; j < columns; j++)
        for (int i = 0; i < rows; i++) product[i] += block[(size_t)j * ld + (size_t)i] * v[j];
    for (j = 0; j < columns; j++) {
        double *restrict column = block + (size_t)j * ld;
        const double factor = tau * v[j];
        for (int i = 0; i < rows; i++) column[i] -= factor * product[i];
    }
}

RL_CLONES void rl_reflect_right(int rows, int columns, double *block, int ld, const double *v, double tau) {
    int row = 0;
    for (; row + CHUNK <= rows; row += CHUNK) reflect_lanes(CHUNK, columns, block + row, (size_t)ld, v, tau);
    if (row < rows) reflect_lanes(rows - row, columns, block + row, (size_t)ld, v, tau);
}

RL_INLINED double add_up_lanes(double sums[LANES]) {
    for (int lane = 0; lane < 8; lane++) sums[lane] += sums[lane + 8];
    for (int lane = 0; lane < 4; lane++) sums[lane] += sums[lane + 4];
    return (sums[0] + sums[2]) + (sums[1] + sums[3]);
}

RL_INLINED double inner_product(int n, const double *x, const double *y) {
    double sums[LANES] = {0};
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int lane = 0; lane < LANES; lane++) sums[lane] += x[i + lane] * y[i + lane];
    for (int lane = 0; i < n; i++, lane++) sums[lane] += x[i] * y[i];
    return add_up_lanes(sums);
}

/* Columns a, b, c and d, for each of which v is loaded once; each as it would be alone. */
RL_INLINED void reflect_four(int rows, double *restrict a, double *restrict b, double *restrict c, double *restrict d,
                             const double *restrict v, double tau) {
    double p[LANES] = {0}, q[LANES] = {0}, r[LANES] = {0}, s[LANES] = {0};
    int i = 0;
    for (; i + LANES <= rows; i += LANES)
        for (int lane = 0; lane < LANES; lane++) {
            p[lane] += v[i + lane] * a[i + lane];
            q[lane] += v[i + lane] * b[i + lane];
            r[lane] += v[i + lane] * c[i + lane];
            s[lane] += v[i + lane] * d[i + lane];
        }
    for (int lane = 0; i < rows; i++, lane++) {
        p[lane] += v[i] * a[i];
        q[lane] += v[i] * b[i];
        r[lane] += v[i] * c[i];
        s[lane] += v[i] * d[i];
    }
    const double pa = tau * add_up_lanes(p), pb = tau * add_up_lanes(q), pc = tau * add_up_lanes(r),
                 pd = tau * add_up_lanes(s);
    for (i = 0; i + LANES <= rows; i += LANES)
        for (int lane = 0; lane < LANES; lane++) {
            a[i + lane] -= pa * v[i + lane];
            b[i + lane] -= pb * v[i + lane];
            c[i + lane] -= pc * v[i + lane];
            d[i + lane] -= pd * v[i + lane];
        }
    for (; i < rows; i++) {
        a[i] -= pa * v[i];
        b[i] -= pb * v[i];
        c[i] -= pc * v[i];
        d[i] -= pd * v[i];
    }
}

RL_CLONES void rl_reflect_left(int rows, int columns, double *block, int ld, const double *v, double tau) {
    const size_t step = (size_t)ld;
    int j = 0;
    for (; j + TOGETHER <= columns; j += TOGETHER, block += TOGETHER * step)
        reflect_four(rows, block, block + step, block + 2 * step, block + 3 * step, v, tau);
    for (; j < columns; j++, block += step) {
        const double product = tau * inner_product(rows, v, block);
        for (int i = 0; i < rows; i++) block[i] -= product * v[i];
    }
}

RL_CLONES double rl_reflector_make(int length, double *v, double *first) {
    const double alpha = v[0], squares = inner_product(length - 1, v + 1, v + 1), all = alpha * alpha + squares;
    const int one = 1;
    double tau;
    if (squares > 0x1p-900 && all < 0x1p900) {
        *first = -copysign(sqrt(all), alpha);
        tau = (*first - alpha) / *first;
        for (int i = 1; i < length; i++) v[i] /= alpha - *first;
    } else {
        dlarfg_(&length, v, v + 1, &one, &tau);
        *first = v[0];
    }
    v[0] = 1;
    return tau;
}

/* ---- some at once ------------------------------------------------------------------------------------------------ */

enum { PAIRS = RL_REFLECTORS * (RL_REFLECTORS - 1) / 2 };

/* Elements column by column, those of all reflectors adjacent; then each tau; then the inner products of v and w for
 * each w with all v before it. */
size_t rl_reflectors_length(int columns) {
    return (size_t)columns * RL_REFLECTORS + RL_REFLECTORS + PAIRS;
}

void rl_reflectors_pack(int columns, int width, const double *v, const double *tau, double *packed) {
    double *const taus = packed + (size_t)columns * RL_REFLECTORS, *product = taus + RL_REFLECTORS;
    for (int k = 0; k < RL_REFLECTORS; k++) {
        for (int j = 0; j < columns; j++)
            packed[(size_t)j * RL_REFLECTORS + (size_t)k] = j < k || j >= k + width ? 0 : v[k * width + j - k];
        taus[k] = tau[k];
        for (int before = 0; before < k; before++) {
            double sum = 0;
            for (int j = k; j < columns && j < before + width; j++)
                sum += v[before * width + j - before] * v[k * width + j - k];
            *product++ = sum;
        }
    }
}

/* With A's products p_k = tau_k A H_0 ... H_(k-1) v_k, A becomes A - p_0 v_0^T - p_1 v_1^T - ... */
RL_INLINED void apply_to_lanes(int rows, int columns, double *block, size_t ld, const double *v) {
    const double *tau = v + (size_t)columns * RL_REFLECTORS, *c = tau + RL_REFLECTORS;
    double p[CHUNK] = {0}, q[CHUNK] = {0}, r[CHUNK] = {0}, s[CHUNK] = {0};
    for (int j = 0; j < columns; j++) {
        const double *a = block + (size_t)j * ld, *w = v + (size_t)j * RL_REFLECTORS;
        const double w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
        for (int i = 0; i < rows; i++) {
            p[i] += a[i] * w0;
            q[i] += a[i] * w1;
            r[i] += a[i] * w2;
            s[i] += a[i] * w3;
        }
    }
    for (int i = 0; i < rows; i++) {
        p[i] *= tau[0];
        q[i] = (q[i] - p[i] * c[0]) * tau[1];
        r[i] = (r[i] - (p[i] * c[1] + q[i] * c[2])) * tau[2];
        s[i] = (s[i] - ((p[i] * c[3] + q[i] * c[4]) + r[i] * c[5])) * tau[3];
    }
    for (int j = 0; j < columns; j++) {
        double *restrict a = block + (size_t)j * ld;
        const double *w = v + (size_t)j * RL_REFLECTORS;
        const double w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
        for (int i = 0; i < rows; i++) a[i] -= (p[i] * w0 + q[i] * w1) + (r[i] * w2 + s[i] * w3);
    }
}

RL_CLONES void rl_reflectors_apply(int rows, int columns, double *block, int ld, const double *packed) {
    int row = 0;
    for (; row + CHUNK <= rows; row += CHUNK) apply_to_lanes(CHUNK, columns, block + row, (size_t)ld, packed);
    if (row < rows) apply_to_lanes(LANES, columns, block + row, (size_t)ld, packed);
}
