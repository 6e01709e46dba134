/* Arithmetic on lanes: triangles, one-sided Jacobi, errors.
 *
 * Compiled once for every width of registers, by options and LANES: target_clones comes too late for vector types. */
#include <math.h>
#if LANES == 8
#include <immintrin.h>
#endif

#include "../../clones.h"
#include "kernel.h"

typedef double number __attribute__((vector_size(8 * LANES), may_alias));
typedef int64_t mask __attribute__((vector_size(8 * LANES), may_alias));

enum { MAX_ROWS = 2 * RL_BULK_FEATURES, MAX_PAIRS = MAX_ROWS / 2, MAX_ORDER = RL_BULK_FEATURES + 2, MAX_SWEEPS = 30 };

/* Squares of cosines and angles whose products are less than rounding. */
#define SMALL 0x1p-58

RL_INLINED number all(double value) {
    return (number){0} + value;
}

/* One instruction where there is one, which compilers do not find. */
RL_INLINED number choose(mask where, number yes, number no) {
#if LANES == 8
    enum { YES_WHERE_SET = 0xCA }; /* the table of truth of (where, yes, no) */
    return (number)_mm512_ternarylogic_epi64((__m512i)where, (__m512i)yes, (__m512i)no, YES_WHERE_SET);
#else
    return (number)(((mask)yes & where) | ((mask)no & ~where));
#endif
}

RL_INLINED number root(number a) {
    number r;
    for (int l = 0; l < LANES; l++) r[l] = sqrt(a[l]);
    return r;
}

RL_INLINED bool any(mask where) {
#if LANES == 8
    return _mm512_test_epi64_mask((__m512i)where, (__m512i)where) != 0;
#else
    int64_t some = 0;
    for (int l = 0; l < LANES; l++) some |= where[l];
    return some != 0;
#endif
}

/* ---- triangles --------------------------------------------------------------------------------------------------- */

/* Givens rotations. */
static void append_row(int order, double *triangle, double *row) {
    number *const x = (number *)row, *const packed = (number *)triangle;
    for (int j = 0; j < order; j++) {
        number *const r = packed + rl_bulk_row(order, j);
        const number a = r[j], b = x[j], length = root(a * a + b * b);
        const mask none = length == 0;
        const number inverse = 1 / choose(none, all(1), length);
        const number c = choose(none, all(1), a * inverse), s = b * inverse;
        for (int i = j; i < order; i++) {
            const number u = r[i], v = x[i];
            r[i] = c * u + s * v;
            x[i] = c * v - s * u;
        }
    }
}

/* Hyperbolic rotations in the mixed form, which is as stable as the problem is (Bojanczyk, Brent, van Dooren and de
 * Hoog 1987, "A note on downdating the Cholesky factorization"). */
static void remove_row(int order, double *triangle, double *row, double *remaining) {
    number *const x = (number *)row, *const packed = (number *)triangle;
    number rest = *(number *)remaining;
    for (int j = 0; j < order; j++) {
        number *const r = packed + rl_bulk_row(order, j);
        const number t = choose(x[j] == 0, all(0), x[j] / r[j]), square = (1 - t) * (1 + t);
        const number c = root(square), inverse = 1 / c;
        rest *= square;
        r[j] *= c;
        for (int i = j + 1; i < order; i++) {
            r[i] = (r[i] - t * x[i]) * inverse;
            x[i] = c * x[i] - t * r[i];
        }
    }
    *(number *)remaining = rest;
}

/* ---- one-sided Jacobi -------------------------------------------------------------------------------------------- */

RL_INLINED number square_of(const number *row, int n) {
    number sum = row[0] * row[0];
    for (int j = 1; j < n; j++) sum += row[j] * row[j];
    return sum;
}

/* In four sums, for speed. */
RL_INLINED number product(const number *a, const number *b, int n) {
    number sum[4] = {{0}};
    int j = 0;
    for (; j + 3 < n; j += 4)
        for (int k = 0; k < 4; k++) sum[k] += a[j + k] * b[j + k];
    for (; j < n; j++) sum[0] += a[j] * b[j];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Disjoint pairs p < q of rows, all of which are treated at once. */
typedef struct pair_round {
    int n;
    int p[MAX_PAIRS], q[MAX_PAIRS];
    bool moves[MAX_PAIRS];
    number g[MAX_PAIRS], a_of_a[MAX_PAIRS], b_of_a[MAX_PAIRS], a_of_b[MAX_PAIRS], b_of_b[MAX_PAIRS];
} pair_round;

/* Pairs of one antidiagonal p + q: one after the other they have every pair after those before it in row order, the
 * order (0, 1), (0, 2), ..., (1, 2), ... that converges in fewer sweeps than round robin does. Not those among the
 * first n_orthogonal rows. */
static void pair_up(int antidiagonal, int n_rows, int n_orthogonal, pair_round *now) {
    now->n = 0;
    for (int p = antidiagonal < n_rows ? 0 : antidiagonal - n_rows + 1; p < antidiagonal - p; p++) {
        if (antidiagonal - p < n_orthogonal) break;
        now->p[now->n] = p;
        now->q[now->n++] = antidiagonal - p;
    }
}

/* The rotation that makes a pair orthogonal, the longer row first; where the pair is so but for rounding, none, or an
 * exchange. Rows that are nothing but rounding stay as they are, and so do lanes that are not active. Where what is
 * returned is not set, neither the pair was far from orthogonal, nor was the angle large, nor did the rows change
 * places. */
RL_INLINED mask rotation(pair_round *now, int h, mask active, number tolerance, number negligible, number *norms) {
    const number a = norms[now->p[h]], b = norms[now->q[h]], g = now->g[h], square = g * g, both = a * b;
    const mask rotates = active & (square > tolerance * both) & (a > negligible) & (b > negligible),
               swap = active & (b > a);
    now->moves[h] = any(rotates | swap);
    if (!now->moves[h]) return swap;
    const number g_safe = choose(rotates, g, all(1)), d = b - a, length = root(d * d + 4 * g_safe * g_safe);
    const number t = choose(rotates, 2 * g_safe / (d + choose(d < 0, -length, length)), all(0));
    /* c = 1 / sqrt(1 + t^2) by what it is less than 1: else small angles, of which there are very many, would lengthen
     * rows by a rounding error that is always the same. */
    const number secant = root(1 + t * t), c = 1 - t * t * (1 / (secant * (1 + secant))), s = c * t;
    const number shift = choose(rotates, t * g, all(0));
    now->a_of_a[h] = choose(swap, s, c);
    now->b_of_a[h] = choose(swap, c, -s);
    now->a_of_b[h] = choose(swap, c, s);
    now->b_of_b[h] = choose(swap, -s, c);
    norms[now->p[h]] = choose(swap, b + shift, a - shift);
    norms[now->q[h]] = choose(swap, a - shift, b + shift);
    return swap | (rotates & ((square > SMALL * both) | (t * t > SMALL)));
}

RL_INLINED void rotate_pair(const pair_round *now, int h, int width, number *rows) {
    number *const a = rows + now->p[h] * width, *const b = rows + now->q[h] * width;
    const number aa = now->a_of_a[h], ba = now->b_of_a[h], ab = now->a_of_b[h], bb = now->b_of_b[h];
    for (int i = 0; i < width; i++) {
        const number x = a[i], y = b[i];
        a[i] = aa * x + ba * y;
        b[i] = ab * x + bb * y;
    }
}

/* Every pair once, but those among the first n_orthogonal rows; the active lanes that are not settled by it. They are
 * where all pairs were nearly orthogonal and all angles small: what that leaves is of second order, less than rounding.
 */
static mask sweep_pairs(int n_rows, int n_orthogonal, int features, mask active, number *rows, number *norms) {
    const int width = features + RL_N_TARGETS;
    const number tolerance = all(features * 0x1p-104);
    pair_round now;
    mask rough = {0};
    number longest = {0};
    for (int i = 0; i < n_rows; i++) {
        norms[i] = choose(active, square_of(rows + i * width, features), norms[i]);
        longest = choose(norms[i] > longest, norms[i], longest);
    }
    for (int i = n_orthogonal > 1 ? n_orthogonal : 1; i <= 2 * n_rows - 3; i++) {
        pair_up(i, n_rows, n_orthogonal, &now);
        for (int h = 0; h < now.n; h++) now.g[h] = product(rows + now.p[h] * width, rows + now.q[h] * width, features);
        for (int h = 0; h < now.n; h++) rough |= rotation(&now, h, active, tolerance, longest * 0x1p-104, norms);
        for (int h = 0; h < now.n; h++)
            if (now.moves[h]) rotate_pair(&now, h, width, rows);
    }
    return rough;
}

static void orthogonalize_rows(int n_rows, int n_orthogonal, int features, double *rows, double *norms,
                               double *settled) {
    mask active = all(0) == 0;
    if (n_orthogonal > 0) sweep_pairs(n_rows, n_orthogonal, features, active, (number *)rows, (number *)norms);
    for (int i = 0; i < MAX_SWEEPS && any(active); i++)
        active = sweep_pairs(n_rows, 0, features, active, (number *)rows, (number *)norms);
    *(number *)settled = choose(active, all(0), all(1));
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

/* Residuals of a fit while modes are added to it: for each target in the rows of the test factor and in the features;
 * and the part of beta* that the modes do not reach. */
typedef struct residuals {
    number test[RL_N_FITTED_TARGETS][MAX_ORDER], population[RL_N_FITTED_TARGETS][RL_BULK_FEATURES];
    number lost[RL_BULK_FEATURES], lost_rows[MAX_ORDER];
} residuals;

RL_INLINED void store_number(double *array, int i, number value) {
    ((number *)array)[i] = value + 0.0; /* no zero below zero, whose sign may depend on other lanes */
}

/* Nothing is fitted yet: minus the targets. */
static void begin_residuals(const rl_bulk_step *s, residuals *rest) {
    const int p = s->features, order = p + 2;
    const number *const packed = (const number *)s->triangle;
    for (int i = 0; i < order; i++) {
        const number *const r = packed + rl_bulk_row(order, i);
        number ideal = {0};
        for (int j = i > 1 ? i : 1; j <= p; j++) ideal -= r[j] * s->beta_star[j - 1];
        rest->test[RL_TARGET_Y][i] = -r[p + 1];
        rest->test[RL_TARGET_IDEAL][i] = rest->lost_rows[i] = ideal;
    }
    for (int j = 0; j < p; j++) {
        rest->lost[j] = all(-s->beta_star[j]);
        for (int t = 0; s->scale != NULL && t < RL_N_FITTED_TARGETS; t++)
            rest->population[t][j] = all(-s->scale[j] * s->beta_star[j]);
    }
}

static void note_squares(const rl_bulk_step *s, const residuals *rest, int n_fitted) {
    for (int t = 0; t < RL_N_FITTED_TARGETS; t++) {
        store_number(s->test_sq[t], n_fitted, square_of(rest->test[t], s->features + 2));
        if (s->scale != NULL) store_number(s->population_sq[t], n_fitted, square_of(rest->population[t], s->features));
    }
}

static void add_mode(const rl_bulk_step *s, int mode, residuals *rest) {
    const int p = s->features, order = p + 2;
    const number *const row = (const number *)s->rows + mode * (p + RL_N_TARGETS);
    const number *const packed = (const number *)s->triangle;
    const number inverse = 1 / ((const number *)s->norms)[mode], sigma = root(((const number *)s->norms)[mode]);
    const number fit = row[p + RL_TARGET_Y] * inverse, ideal = row[p + RL_TARGET_IDEAL] * inverse;
    number along = {0}, z_sq = {0};
    for (int j = 0; j < p; j++) along += row[j] * s->beta_star[j];
    const number kept = along * inverse, direction = 1 / sigma;
    for (int i = 0; i < order; i++) {
        const number *const r = packed + rl_bulk_row(order, i);
        number z = {0};
        for (int j = i > 1 ? i : 1; j <= p; j++) z += r[j] * row[j - 1];
        rest->test[RL_TARGET_Y][i] += z * fit;
        rest->test[RL_TARGET_IDEAL][i] += z * ideal;
        rest->lost_rows[i] += z * kept;
        z *= direction;
        z_sq += z * z;
        if (s->z != NULL) store_number(s->z, mode * order + i, z);
    }
    for (int j = 0; j < p; j++) {
        rest->lost[j] += row[j] * kept;
        if (s->scale == NULL) continue;
        rest->population[RL_TARGET_Y][j] += s->scale[j] * (row[j] * fit);
        rest->population[RL_TARGET_IDEAL][j] += s->scale[j] * (row[j] * ideal);
    }
    store_number(s->sigma, mode, sigma);
    store_number(s->b_star, mode, along * direction);
    store_number(s->z_sq, mode, z_sq);
}

static void evaluate_step(const rl_bulk_step *s) {
    residuals rest;
    begin_residuals(s, &rest);
    note_squares(s, &rest, 0);
    for (int mode = 0; mode < s->n_modes; mode++) {
        add_mode(s, mode, &rest);
        note_squares(s, &rest, mode + 1);
    }
    store_number(s->lost, 0, square_of(rest.lost, s->features));
    store_number(s->lost, 1, square_of(rest.lost_rows, s->features + 2));
    store_number(s->lost, 2, rest.lost_rows[0]);
}

const rl_bulk_kernel KERNEL = {LANES, remove_row, append_row, orthogonalize_rows, evaluate_step};
