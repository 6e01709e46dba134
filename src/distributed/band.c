#include "band.h"

#include <string.h>

#include "../lapack.h"

/* LAPACK's reflectors, and the rank-one update of BLAS, which only this file needs. */
void dlarfg_(const int *n, double *alpha, double *x, const int *incx, double *tau);
void dlarft_(const char *direct, const char *storev, const int *n, const int *k, const double *v, const int *ldv,
             const double *tau, double *t, const int *ldt, size_t, size_t);
void dlarfb_(const char *side, const char *trans, const char *direct, const char *storev, const int *m, const int *n,
             const int *k, const double *v, const int *ldv, const double *t, const int *ldt, double *c, const int *ldc,
             double *work, const int *ldwork, size_t, size_t, size_t, size_t);
void dger_(const int *m, const int *n, const double *alpha, const double *x, const int *incx, const double *y,
           const int *incy, double *a, const int *lda);

/* Sweeps whose reflectors are collected before they are applied to the rows, as blocks of as many reflectors. */
enum { BATCH = 16 };

typedef struct chase {
    const rl_band *band;
    const rl_operands *operands;
    int first, count; /* sweeps [first, first + count) are under way: one for each row that is made bidiagonal */
    /* The reflectors that the rows wait for: step k of sweep first + j is column j of V_k [ld_v, BATCH], whose row i
     * stands for row and column first + 1 + k width + i of the band. Unit lower trapezoidal. */
    int ld_v;
    double *v;
    double *tau;     /* [steps, BATCH] */
    double *other;   /* [width]: the reflector of the side that the rows do not wait for */
    double *product; /* [2 width]: a block times a reflector */
    double *t;       /* [BATCH, BATCH] */
    double *work;    /* [n_rows, BATCH] */
} chase;

static int smaller(int a, int b) {
    return a < b ? a : b;
}

rl_status rl_band_create(rl_band *band, int n, int width) {
    /* A column holds 2 width - 1 elements above the diagonal and width - 1 below it. */
    *band = (rl_band){.n = n, .width = width, .stride = 3 * width - 2};
    band->length = (size_t)n * ((size_t)band->stride + 1);
    return RL_ALLOC(band->a, band->length);
}

void rl_band_destroy(rl_band *band) {
    rl_free(band->a);
    *band = (rl_band){0};
}

double *rl_band_at(const rl_band *band, int row, int column) {
    return band->a + (2 * band->width - 1 + row) + (size_t)column * (size_t)band->stride;
}

/* Steps of a sweep: its blocks begin at columns sweep + 1 + k width, and the last has at least two columns. */
static int count_steps(const rl_band *band, int sweep) {
    return sweep > band->n - 3 ? 0 : (band->n - 3 - sweep) / band->width + 1;
}

/* The reflector I - tau v v^T that keeps the first of `length` elements `stride` apart and makes zeros of the others.
 * Stores it in v [length], v[0] = 1. */
static double make_reflector(int length, double *x, int stride, double *v) {
    double tau;
    dlarfg_(&length, x, x + stride, &stride, &tau);
    v[0] = 1;
    for (int i = 1; i < length; i++) {
        v[i] = x[(size_t)i * (size_t)stride];
        x[(size_t)i * (size_t)stride] = 0;
    }
    return tau;
}

/* block [rows, columns] := block (I - tau v v^T) */
static void apply_from_right(const chase *c, int rows, int columns, double *block, const double *v, double tau) {
    const int one = 1, ld = c->band->stride;
    const double unit = 1, zero = 0, minus_tau = -tau;
    if (rows == 0) return;
    dgemv_("N", &rows, &columns, &unit, block, &ld, v, &one, &zero, c->product, &one, 1);
    dger_(&rows, &columns, &minus_tau, c->product, &one, v, &one, block, &ld);
}

/* block [rows, columns] := (I - tau v v^T) block */
static void apply_from_left(const chase *c, int rows, int columns, double *block, const double *v, double tau) {
    const int one = 1, ld = c->band->stride;
    const double unit = 1, zero = 0, minus_tau = -tau;
    if (columns == 0) return;
    dgemv_("T", &rows, &columns, &unit, block, &ld, v, &one, &zero, c->product, &one, 1);
    dger_(&rows, &columns, &minus_tau, v, &one, c->product, &one, block, &ld);
}

static void turn_columns(const rl_operands *operands, int n, int begin, int length, const double *v, double tau) {
    for (int t = 0; t < operands->n_columns; t++) {
        double *column = operands->columns + (size_t)t * (size_t)n + begin, product = 0;
        for (int i = 0; i < length; i++) product += v[i] * column[i];
        for (int i = 0; i < length; i++) column[i] -= tau * product * v[i];
    }
}

/* Step k of sweep first + j: from the right the row's elements beyond its second one (in later steps, what the step
 * before has spilled beyond the band) are made zero, from the left those below the diagonal in the block's first
 * column. */
static void step(const chase *c, int j, int k) {
    const rl_band *band = c->band;
    const rl_operands *operands = c->operands;
    const int sweep = c->first + j, begin = sweep + 1 + k * band->width, end = smaller(begin + band->width, band->n);
    const int row = k == 0 ? sweep : begin - band->width, length = end - begin;
    const int reach = smaller(end + band->width, band->n);
    double *const waiting = c->v + ((size_t)k * BATCH + (size_t)j) * (size_t)c->ld_v + j;
    double *const right = operands->rows_left ? c->other : waiting;
    double *const left = operands->rows_left ? waiting : c->other;

    const double tau_right = make_reflector(length, rl_band_at(band, row, begin), band->stride, right);
    apply_from_right(c, end - row - 1, length, rl_band_at(band, row + 1, begin), right, tau_right);
    if (operands->rows_left) turn_columns(operands, band->n, begin, length, right, tau_right);

    const double tau_left = make_reflector(length, rl_band_at(band, begin, begin), 1, left);
    apply_from_left(c, length, reach - begin - 1, rl_band_at(band, begin, begin + 1), left, tau_left);
    if (!operands->rows_left) turn_columns(operands, band->n, begin, length, left, tau_left);

    c->tau[k * BATCH + j] = operands->rows_left ? tau_left : tau_right;
}

/* The batch's sweeps follow each other at two steps' distance: as close as the next sweep's step k, which needs the
 * one before to be through with step k + 2, allows. So the band passes through the cache once a batch. */
static void run_sweeps(const chase *c) {
    const int fronts = count_steps(c->band, c->first) + 2 * (c->count - 1);
    for (int front = 0; front < fronts; front++)
        for (int j = 0; j < c->count; j++) {
            const int k = front - 2 * j;
            if (k >= 0 && k < count_steps(c->band, c->first + j)) step(c, j, k);
        }
}

/* The reflectors of all sweeps at step k make one block reflector. Steps further down come first: the next sweep's step
 * k overlaps step k + 1, never the other way round. */
static void turn_rows(const chase *c) {
    const rl_operands *operands = c->operands;
    const int batch = BATCH;
    for (int k = count_steps(c->band, c->first) - 1; k >= 0; k--) {
        const int begin = c->first + 1 + k * c->band->width, length = smaller(c->ld_v, c->band->n - begin);
        const int reflectors = smaller(c->count, length);
        const double *v = c->v + (size_t)k * BATCH * (size_t)c->ld_v, *tau = c->tau + (size_t)k * BATCH;
        dlarft_("F", "C", &length, &reflectors, v, &c->ld_v, tau, c->t, &batch, 1, 1);
        dlarfb_("R", "N", "F", "C", &operands->n_rows, &length, &reflectors, v, &c->ld_v, c->t, &batch,
                operands->rows + (size_t)begin * (size_t)operands->ld_rows, &operands->ld_rows, c->work,
                &operands->n_rows, 1, 1, 1, 1);
    }
}

static rl_status create(chase *c, const rl_band *band, const rl_operands *operands) {
    const size_t width = (size_t)band->width, steps = (size_t)count_steps(band, 0);
    *c = (chase){.band = band, .operands = operands, .ld_v = band->width + BATCH - 1};
    RL_TRY(RL_ALLOC(c->v, steps * BATCH * (size_t)c->ld_v));
    RL_TRY(RL_ALLOC(c->tau, steps * BATCH));
    RL_TRY(RL_ALLOC(c->other, width));
    RL_TRY(RL_ALLOC(c->product, 2 * width));
    RL_TRY(RL_ALLOC(c->t, BATCH * BATCH));
    return RL_ALLOC(c->work, (size_t)operands->n_rows * BATCH);
}

static void destroy(chase *c) {
    double *const arrays[] = {c->v, c->tau, c->other, c->product, c->t, c->work};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) rl_free(arrays[i]);
}

rl_status rl_band_to_bidiagonal(rl_band *band, const rl_operands *operands, double *d, double *e) {
    chase c;
    const rl_status status = create(&c, band, operands);
    for (; status == RL_OK && band->width > 1 && c.first < band->n - 2; c.first += BATCH) {
        const size_t steps = (size_t)count_steps(band, c.first);
        c.count = smaller(BATCH, band->n - 2 - c.first);
        memset(c.v, 0, sizeof *c.v * steps * BATCH * (size_t)c.ld_v);
        memset(c.tau, 0, sizeof *c.tau * steps * BATCH);
        run_sweeps(&c);
        if (operands->n_rows > 0) turn_rows(&c);
    }
    for (int i = 0; i < band->n; i++) {
        d[i] = *rl_band_at(band, i, i);
        if (i + 1 < band->n) e[i] = *rl_band_at(band, i, i + 1);
    }
    destroy(&c);
    return status;
}
