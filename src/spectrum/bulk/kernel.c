/* Arithmetic on lanes: triangles, one-sided Jacobi, errors.
 *
 * Compiled once for every width of registers, by options and LANES: target_clones comes too late for vector types. */
#include <math.h>
#if LANES == 8
#include <immintrin.h>
#endif

#include "../../clones.h"
#include "../../fused.h"
#include "kernel.h"

typedef double number __attribute__((vector_size(8 * LANES), may_alias));
typedef int64_t mask __attribute__((vector_size(8 * LANES), may_alias));
typedef uint64_t word __attribute__((vector_size(8 * LANES), may_alias));

enum { MAX_ROWS = 2 * RL_BULK_FEATURES, MAX_PAIRS = MAX_ROWS / 2, MAX_ORDER = RL_BULK_FEATURES + 2, MAX_SWEEPS = 30 };

/* Squares of cosines and angles whose products are less than rounding. */
#define SMALL 0x1p-54

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
            r[i] = rl_fused(c, u, s * v);
            x[i] = rl_fused(c, v, -(s * u));
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
            r[i] = rl_fused(-t, x[i], r[i]) * inverse;
            x[i] = rl_fused(-t, r[i], c * x[i]);
        }
    }
    *(number *)remaining = rest;
}

/* ---- one-sided Jacobi -------------------------------------------------------------------------------------------- */

RL_INLINED number square_of(const number *row, int n) {
    number sum = row[0] * row[0];
    for (int j = 1; j < n; j++) sum = rl_fused(row[j], row[j], sum);
    return sum;
}

/* In four sums, for speed. */
RL_INLINED number product(const number *a, const number *b, int n) {
    number sum[4] = {{0}};
    int j = 0;
    for (; j + 3 < n; j += 4)
        for (int k = 0; k < 4; k++) sum[k] = rl_fused(a[j + k], b[j + k], sum[k]);
    for (; j < n; j++) sum[0] = rl_fused(a[j], b[j], sum[0]);
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Disjoint pairs p < q of rows, all of which are treated at once. Step by step for all of them, as each step of a pair
 * waits for the one before it. */
typedef struct pair_round {
    int n;
    int p[MAX_PAIRS], q[MAX_PAIRS];
    bool moves[MAX_PAIRS];
    number g[MAX_PAIRS], inverse[MAX_PAIRS], t[MAX_PAIRS], along[MAX_PAIRS], across[MAX_PAIRS];
    mask swap[MAX_PAIRS];
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

/* x with its sign changed where y is negative. */
RL_INLINED number signed_by(number x, number y) {
    return (number)((mask)x ^ ((mask)y & INT64_MIN));
}

/* Neither square root nor division has a pipeline of its own: tangents and cosines come from products by Newton's
 * steps. */

/* One over the square root, to 2^-34: from the halved exponent (3 % off). */
RL_INLINED number inverse_root(number x) {
    const number half = 0.5 * x;
    number y = (number)(0x5fe6eb50c7b537a9 - (mask)((word)x >> 1));
    for (int i = 0; i < 3; i++) y *= rl_fused(-half, y * y, all(1.5));
    return y;
}

/* 1 / x of 1 <= x <= 2, to 2^-32: from the best line (6 % off). */
RL_INLINED number inverse_of(number x) {
    number y = rl_fused(all(-8.0 / 17), x, all(24.0 / 17));
    for (int i = 0; i < 3; i++) y *= rl_fused(-x, y, all(2));
    return y;
}

/* The cosine of an angle of tangent |t| <= 1, to a rounding: from the best parabola for 1 / sqrt(1 + t^2) (0.3 % off).
 * The last step adds a correction that is exact for small t: else small angles, of which there are very many, would
 * lengthen rows by a rounding error that is always the same. */
RL_INLINED number cosine_of(number t) {
    const number square = t * t, x = square + 1, half = 0.5 * x;
    number y = rl_fused(x, rl_fused(x, all(0.14768602), all(-0.73050517)), all(1.5796289));
    for (int i = 0; i < 2; i++) y *= rl_fused(-half, y * y, all(1.5));
    return rl_fused(0.5 * y, rl_fused(-square * y, y, (1 - y) * (1 + y)), y);
}

/* The tangent t = 2 g / (d +- sqrt(d^2 + 4 g^2)), d = b - a, of the rotation that makes a pair orthogonal: 0 where it
 * is so but for rounding, in rows that are nothing else, and in lanes that are not active. Whether the rows are to
 * change places, so that the longer one is first. Where what is returned is not set, neither the pair was far from
 * orthogonal, nor was the angle large, nor do the rows change places. */
RL_INLINED mask set_angle(pair_round *now, int h, mask active, number tolerance, number negligible,
                          const number *norms) {
    const number a = norms[now->p[h]], b = norms[now->q[h]], g = now->g[h], square = g * g, both = a * b, d = b - a;
    const mask rotates = active & (square > tolerance * both) & (a > negligible) & (b > negligible);
    const number r = now->inverse[h], t = signed_by(2 * g, d) * r * inverse_of(rl_fused(signed_by(d, d), r, all(1)));
    now->swap[h] = active & (b > a);
    now->t[h] = choose(rotates, t, all(0));
    now->moves[h] = any(rotates | now->swap[h]);
    return now->swap[h] | (rotates & ((square > SMALL * both) | (t * t > SMALL)));
}

RL_INLINED void set_rotation(pair_round *now, int h, number *norms) {
    const number a = norms[now->p[h]], b = norms[now->q[h]], t = now->t[h], c = cosine_of(t), s = c * t;
    const number shift = t * now->g[h];
    const mask swap = now->swap[h];
    now->along[h] = choose(swap, s, c);
    now->across[h] = choose(swap, c, -s);
    norms[now->p[h]] = choose(swap, b + shift, a - shift);
    norms[now->q[h]] = choose(swap, a - shift, b + shift);
}

RL_INLINED void rotate_pair(const pair_round *now, int h, int width, number *rows) {
    number *const a = rows + now->p[h] * width, *const b = rows + now->q[h] * width;
    const number along = now->along[h], across = now->across[h];
    for (int i = 0; i < width; i++) {
        const number x = a[i], y = b[i];
        a[i] = rl_fused(along, x, across * y);
        b[i] = rl_fused(along, y, -(across * x));
    }
}

/* One round of pairs; what set_angle returns of any of them. */
RL_INLINED mask treat_pairs(pair_round *now, int features, mask active, number longest, number *rows, number *norms) {
    const int width = features + RL_N_TARGETS;
    const number tolerance = all(features * 0x1p-104), negligible = longest * 0x1p-104;
    mask rough = {0};
    for (int h = 0; h < now->n; h++) now->g[h] = product(rows + now->p[h] * width, rows + now->q[h] * width, features);
    for (int h = 0; h < now->n; h++) {
        const number d = norms[now->q[h]] - norms[now->p[h]], g = now->g[h];
        now->inverse[h] = inverse_root(rl_fused(d, d, 4 * (g * g)));
    }
    for (int h = 0; h < now->n; h++) rough |= set_angle(now, h, active, tolerance, negligible, norms);
    for (int h = 0; h < now->n; h++)
        if (now->moves[h]) set_rotation(now, h, norms);
    for (int h = 0; h < now->n; h++)
        if (now->moves[h]) rotate_pair(now, h, width, rows);
    return rough;
}

/* Every pair once, but those among the first n_orthogonal rows; the active lanes that are not settled by it. They are
 * where all pairs were nearly orthogonal and all angles small: what that leaves is of second order, less than rounding.
 */
static mask sweep_pairs(int n_rows, int n_orthogonal, int features, mask active, number *rows, number *norms) {
    const int width = features + RL_N_TARGETS;
    pair_round now;
    mask rough = {0};
    number longest = {0};
    for (int i = 0; i < n_rows; i++) {
        norms[i] = choose(active, square_of(rows + i * width, features), norms[i]);
        longest = choose(norms[i] > longest, norms[i], longest);
    }
    for (int i = n_orthogonal > 1 ? n_orthogonal : 1; i <= 2 * n_rows - 3; i++) {
        pair_up(i, n_rows, n_orthogonal, &now);
        rough |= treat_pairs(&now, features, active, longest, rows, norms);
    }
    return rough;
}

/* One row more than features, and those before it orthogonal: Givens rotations with one after the other take from it
 * what lies along them, and nothing of its features is left where they span all. With S_p = 1 + the sum of t_q^2 over q
 * < p, t_q = x . row_q / |row_q|^2, rotation p has the cosine sqrt(S_p / S_p+1) and the sine t_p / sqrt(S_p+1). Where
 * the row is gone it has length 0; whether that is so in all lanes. */
static bool spread_last_row(int features, number *rows, number *norms) {
    const int width = features + RL_N_TARGETS;
    number *const x = rows + features * width, length = square_of(x, features), t[RL_BULK_FEATURES];
    number squares = all(1), before = all(1);
    for (int p = 0; p < features; p++) t[p] = product(rows + p * width, x, features);
    for (int p = 0; p < features; p++) t[p] = choose(norms[p] > norms[0] * 0x1p-104, t[p] / norms[p], all(0));
    for (int p = 0; p < features; p++) {
        squares = rl_fused(t[p], t[p], squares);
        const number after = root(squares), inverse = 1 / after, c = before * inverse, s = t[p] * inverse;
        number *const row = rows + p * width;
        for (int i = 0; i < width; i++) {
            const number u = row[i], v = x[i];
            row[i] = rl_fused(c, u, s * v);
            x[i] = rl_fused(c, v, -(s * u));
        }
        before = after;
    }
    const mask stays = ~(square_of(x, features) <= 0x1p-98 * (length + norms[0]));
    for (int i = 0; i < features; i++) x[i] = choose(stays, x[i], all(0));
    norms[features] = all(0);
    return !any(stays);
}

static void orthogonalize_rows(int n_rows, int n_orthogonal, int features, double *rows, double *norms,
                               double *settled) {
    mask active = all(0) == 0;
    if (n_orthogonal == features && n_rows == features + 1)
        n_rows -= spread_last_row(features, (number *)rows, (number *)norms);
    else if (n_orthogonal > 0)
        sweep_pairs(n_rows, n_orthogonal, features, active, (number *)rows, (number *)norms);
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
        for (int j = i > 1 ? i : 1; j <= p; j++) ideal = rl_fused(-r[j], all(s->beta_star[j - 1]), ideal);
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
    for (int j = 0; j < p; j++) along = rl_fused(row[j], all(s->beta_star[j]), along);
    const number kept = along * inverse, direction = 1 / sigma;
    for (int i = 0; i < order; i++) {
        const number *const r = packed + rl_bulk_row(order, i);
        number z = {0};
        for (int j = i > 1 ? i : 1; j <= p; j++) z = rl_fused(r[j], row[j - 1], z);
        rest->test[RL_TARGET_Y][i] = rl_fused(z, fit, rest->test[RL_TARGET_Y][i]);
        rest->test[RL_TARGET_IDEAL][i] = rl_fused(z, ideal, rest->test[RL_TARGET_IDEAL][i]);
        rest->lost_rows[i] = rl_fused(z, kept, rest->lost_rows[i]);
        z *= direction;
        z_sq = rl_fused(z, z, z_sq);
        if (s->z != NULL) store_number(s->z, mode * order + i, z);
    }
    for (int j = 0; j < p; j++) {
        rest->lost[j] = rl_fused(row[j], kept, rest->lost[j]);
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
