/* Householder reflectors of the band stage: loops that compilers make vector instructions of. */
#include "reflectors.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../../clones.h"
#include "../../registers.h"

/* LAPACK's, safe from overflow and underflow. */
void dlarfg_(const int *n, double *alpha, double *x, const int *incx, double *tau);

/* Loops of LANES passes become vector instructions. Sums go the way the source says, lane by lane: the same bits with
 * vectors of any width. */
enum { LANES = 16, TOGETHER = 4 };

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

/* ---- a step of a sweep ------------------------------------------------------------------------------------------- */

/* A block with the rows around it that make whole pieces of it, `lead` of them above; and numbers for each of these
 * rows: a vector from the left, a product with one from the right; and a product for each column. */
typedef struct frame {
    rl_block whole;
    int lead, lanes;
    double *v, *q, *p;
} frame;

static size_t whole_pieces(size_t rows) {
    return (rows + RL_ROWS_TOGETHER - 1) / RL_ROWS_TOGETHER * RL_ROWS_TOGETHER;
}

static size_t frame_rows(int width) {
    return whole_pieces((size_t)width + RL_ROWS_TOGETHER - 1);
}

size_t rl_block_room(int width) {
    return 2 * frame_rows(width) + (size_t)width;
}

static frame frame_of(const rl_block *b, double *room) {
    const int lead = (int)((uintptr_t)b->a / sizeof(double) % RL_ROWS_TOGETHER);
    frame f = {
        *b, lead, rl_fused_lanes(b->max_lanes), room, room + frame_rows(b->rows), room + 2 * frame_rows(b->rows)};
    f.whole.a -= lead;
    f.whole.rows = (int)whole_pieces((size_t)(lead + b->rows));
    return f;
}

/* Zeros around x [rows]: what they are multiplied with stays what it is. */
static void set_rows(const frame *f, int rows, const double *x, double *to) {
    memset(to, 0, (size_t)f->whole.rows * sizeof *to);
    memcpy(to + f->lead, x, (size_t)rows * sizeof *to);
}

/* q = tau (block u - factor v), zero around the block. */
RL_CLONES static void find_right(const frame *f, int rows, const double *u, double tau, double factor) {
    RL_KERNEL_FOR(rl_block_right, f->lanes)(&f->whole, u, f->q);
    for (int i = 0; i < f->lead; i++) f->q[i] = 0;
    for (int i = f->lead + rows; i < f->whole.rows; i++) f->q[i] = 0;
    for (int i = f->lead; i < f->lead + rows; i++) f->q[i] = tau * (f->q[i] - factor * f->v[i]);
}

/* p = tau (block^T v - factor u). */
RL_CLONES static void find_left(const frame *f, const double *u, double tau, double factor) {
    RL_KERNEL_FOR(rl_block_left, f->lanes)(&f->whole, f->v, f->p);
    for (int j = 0; j < f->whole.columns; j++) f->p[j] = tau * (f->p[j] - factor * u[j]);
}

static void subtract_both(const frame *f, const double *u) {
    const rl_product left = {f->v, f->p}, right = {f->q, u};
    RL_KERNEL_FOR(rl_block_subtract, f->lanes)(&f->whole, &left, &right);
}

RL_CLONES static double inner_product_of(int n, const double *x, const double *y) {
    return inner_product(n, x, y);
}

double rl_block_reflect_above(const rl_block *b, const double *v, double tau_v, double *u, double *room) {
    const frame f = frame_of(b, room);
    double first;
    set_rows(&f, b->rows, v, f.v);
    memset(u, 0, (size_t)b->columns * sizeof *u);
    find_left(&f, u, tau_v, 0);
    for (int j = 0; j < b->columns; j++) u[j] = b->a[j * b->stride] - f.p[j];
    const double tau_u = rl_reflector_make(b->columns, u, &first);
    find_right(&f, b->rows, u, tau_u, inner_product_of(b->columns, f.p, u));
    subtract_both(&f, u);
    for (int j = 0; j < b->columns; j++) b->a[j * b->stride] = j == 0 ? first : 0;
    return tau_u;
}

double rl_block_reflect_diagonal(const rl_block *b, const double *u, double tau_u, double *v, double *room) {
    const frame f = frame_of(b, room);
    double first;
    memset(f.v, 0, (size_t)f.whole.rows * sizeof *f.v);
    find_right(&f, b->rows, u, tau_u, 0);
    for (int i = 0; i < b->rows; i++) v[i] = b->a[i] - f.q[f.lead + i];
    const double tau_v = rl_reflector_make(b->rows, v, &first);
    set_rows(&f, b->rows, v, f.v);
    find_left(&f, u, tau_v, inner_product_of(f.whole.rows, f.v, f.q));
    subtract_both(&f, u);
    for (int i = 0; i < b->rows; i++) b->a[i] = i == 0 ? first : 0;
    return tau_v;
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

void rl_reflectors_apply(int rows, int columns, double *block, int ld, const double *packed, int max_lanes) {
    RL_KERNEL_FOR(rl_reflectors_apply, rl_fused_lanes(max_lanes))(rows, columns, block, ld, packed);
}
