/* A band matrix to bidiagonal form on one rank: bulges are chased down the band, many sweeps at a time. */
#include "band.h"

#include <math.h>
#include <stddef.h>

#include "../../clones.h"
#include "../../numbers.h"
#include "ridgeless/arena.h"

/* ---- reflectors: loops that compilers make vector instructions of --------------------------------------------- */

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

RL_CLONES void rl_reflect_left(int rows, int columns, double *block, int ld, const double *v, double tau) {
    for (int j = 0; j < columns; j++) {
        double *restrict column = block + (size_t)j * (size_t)ld;
        const double product = tau * inner_product(rows, v, column);
        int i = 0;
        for (; i + LANES <= rows; i += LANES)
            for (int lane = 0; lane < LANES; lane++) column[i + lane] -= product * v[i + lane];
        for (; i < rows; i++) column[i] -= product * v[i];
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

/* ---- the chase ------------------------------------------------------------------------------------------------ */

/* Sweeps whose reflectors are collected before they are applied to the rows, and rows that they are applied to at a
 * time: the columns that one step of all these sweeps touches stay in the cache. */
enum { BATCH = 32, STRIP = 32, RUN = 8 };

typedef struct chase {
    const rl_band *band;
    const rl_operands *operands;
    int first, count; /* sweeps [first, first + count) are under way: one for each row that is made bidiagonal */
    double *v;        /* [steps, BATCH, width]: the reflectors that the rows wait for; step k of sweep first + j */
    double *tau;      /* [steps, BATCH] */
    double *other;    /* [width]: the reflector of the side that the rows do not wait for */
} chase;

rl_band rl_band_of(int n, int width) {
    /* A column holds 2 width - 1 elements above the diagonal and width - 1 below it. */
    return (rl_band){.n = n, .width = width, .stride = 3 * width - 2};
}

void rl_band_list(rl_band *band, rl_arena *arena) {
    RL_TAKE(arena, band->a, (size_t)band->n * ((size_t)band->stride + 1));
}

double *rl_band_at(const rl_band *band, int row, int column) {
    return band->a + (2 * band->width - 1 + row) + (size_t)column * (size_t)band->stride;
}

/* Steps of a sweep: its blocks begin at columns sweep + 1 + k width, and the last has at least two columns. */
static int count_steps(const rl_band *band, int sweep) {
    return sweep > band->n - 3 ? 0 : (band->n - 3 - sweep) / band->width + 1;
}

static void copy_strided(int length, const double *x, int stride, double *to) {
    for (int i = 0; i < length; i++) to[i] = x[(size_t)i * (size_t)stride];
}

static void set_reflected(int length, double *x, int stride, double first) {
    for (int i = 0; i < length; i++) x[(size_t)i * (size_t)stride] = i == 0 ? first : 0;
}

/* Step k of sweep first + j: from the right the row's elements beyond its second one (in later steps, what the step
 * before has spilled beyond the band) are made zero, from the left those below the diagonal in the block's first
 * column. */
static void chase_step(const chase *c, int j, int k) {
    const rl_band *band = c->band;
    const rl_operands *operands = c->operands;
    const int sweep = c->first + j, begin = sweep + 1 + k * band->width, end = rl_smaller(begin + band->width, band->n);
    const int row = k == 0 ? sweep : begin - band->width, length = end - begin;
    const int reach = rl_smaller(end + band->width, band->n);
    const size_t at = (size_t)k * BATCH + (size_t)j;
    double *const waiting = c->v + at * (size_t)band->width;
    double *const right = operands->rows_left ? c->other : waiting;
    double *const left = operands->rows_left ? waiting : c->other;
    double *const targets = operands->columns + begin;
    double first;

    double *x = rl_band_at(band, row, begin);
    copy_strided(length, x, band->stride, right);
    const double tau_right = rl_reflector_make(length, right, &first);
    rl_reflect_right(end - row, length, x, band->stride, right, tau_right); /* whole lanes, with the row itself */
    set_reflected(length, x, band->stride, first);
    if (operands->rows_left) rl_reflect_left(length, operands->n_columns, targets, band->n, right, tau_right);

    x = rl_band_at(band, begin, begin);
    copy_strided(length, x, 1, left);
    const double tau_left = rl_reflector_make(length, left, &first);
    rl_reflect_left(length, reach - begin - 1, x + band->stride, band->stride, left, tau_left);
    set_reflected(length, x, 1, first);
    if (!operands->rows_left) rl_reflect_left(length, operands->n_columns, targets, band->n, left, tau_left);

    c->tau[at] = operands->rows_left ? tau_left : tau_right;
}

/* The batch's sweeps follow each other at two steps' distance: as close as the next sweep's step k, which needs the
 * one before to be through with step k + 2, allows. Each takes RUN steps at a time, so that the next one finds most of
 * their blocks in the cache. */
static void run_sweeps(const chase *c) {
    const int end = count_steps(c->band, c->first) + 2 * (c->count - 1);
    for (int run = 0; run < end; run += RUN)
        for (int j = 0; j < c->count; j++) {
            const int stop = rl_smaller(run + RUN - 2 * j, count_steps(c->band, c->first + j));
            for (int k = run > 2 * j ? run - 2 * j : 0; k < stop; k++) chase_step(c, j, k);
        }
}

/* Steps further down come first: the next sweep's step k overlaps step k + 1, never the other way round. */
static void reflect_rows(const chase *c) {
    const rl_operands *o = c->operands;
    const int width = c->band->width, n = c->band->n, rows = rl_whole_lanes(o->n_rows);
    for (int k = count_steps(c->band, c->first) - 1; k >= 0; k--)
        for (int row = 0; row < rows; row += STRIP)
            for (int j = 0; j < c->count && k < count_steps(c->band, c->first + j); j++) {
                const int begin = c->first + j + 1 + k * width;
                const size_t at = (size_t)k * BATCH + (size_t)j;
                rl_reflect_right(rl_smaller(STRIP, rows - row), rl_smaller(width, n - begin),
                                 o->rows + (size_t)begin * (size_t)o->ld_rows + row, o->ld_rows,
                                 c->v + at * (size_t)width, c->tau[at]);
            }
}

static void list_chase(rl_arena *arena, void *object) {
    chase *c = object;
    const size_t reflectors = (size_t)count_steps(c->band, 0) * BATCH;
    RL_TAKE(arena, c->other, c->band->width);
    RL_TAKE(arena, c->v, reflectors * (size_t)c->band->width);
    RL_TAKE(arena, c->tau, reflectors);
}

size_t rl_band_work_bytes(const rl_band *band) {
    chase c = {.band = band};
    return rl_arrays_bytes(&c, list_chase);
}

rl_status rl_band_to_bidiagonal(rl_band *band, const rl_operands *operands, double *d, double *e) {
    chase c = {.band = band, .operands = operands};
    RL_TRY(rl_arrays_create(&c, list_chase));
    for (; band->width > 1 && c.first < band->n - 2; c.first += BATCH) {
        c.count = rl_smaller(BATCH, band->n - 2 - c.first);
        run_sweeps(&c);
        reflect_rows(&c);
    }
    for (int i = 0; i < band->n; i++) {
        d[i] = *rl_band_at(band, i, i);
        if (i + 1 < band->n) e[i] = *rl_band_at(band, i, i + 1);
    }
    rl_free(c.other);
    return RL_OK;
}
