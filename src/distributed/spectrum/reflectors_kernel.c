/* Blocks times reflectors, for registers of LANES doubles: LEFT, RIGHT, SUBTRACT and APPLY are the kernels' names. */
#include "../../clones.h"
#include "reflectors.h"

typedef double vec __attribute__((vector_size(LANES * sizeof(double)), aligned(8), may_alias));

enum {
    PARTS = RL_ROWS_TOGETHER / LANES, /* registers of one piece of a column */
    ACROSS = LANES == 8 ? 8 : 4,      /* columns whose inner products are summed side by side */
    SUMS = 8,                         /* registers of rows whose sums over the columns are */
    TALL = LANES == 8 ? 8 : 4,        /* registers of rows that are subtracted from, with two vectors in others */
    FEW = LANES == 8 ? 2 : 1,         /* registers of rows that several reflectors are applied to */
    MANY = 2 * FEW
};

#define UNROLLED _Pragma("GCC unroll 16")

RL_INLINED vec load(const double *x) {
    return *(const vec *)x;
}

RL_INLINED void store(double *x, vec value) {
    *(vec *)x = value;
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

/* The lanes of a piece, added up in one order for all registers. */
RL_INLINED double add_up(const vec sums[PARTS]) {
    double x[RL_ROWS_TOGETHER];
    UNROLLED for (int part = 0; part < PARTS; part++) store(x + part * LANES, sums[part]);
    UNROLLED for (int lane = 0; lane < 4; lane++) x[lane] += x[lane + 4];
    return (x[0] + x[2]) + (x[1] + x[3]);
}

RL_INLINED void multiply_left(int columns, const rl_block *b, const double *block, const double *v, double *out) {
    vec sums[ACROSS][PARTS];
    UNROLLED for (int j = 0; j < columns; j++) UNROLLED for (int x = 0; x < PARTS; x++) sums[j][x] = (vec){0};
    for (int i = 0; i < b->rows; i += RL_ROWS_TOGETHER) {
        vec piece[PARTS];
        UNROLLED for (int x = 0; x < PARTS; x++) piece[x] = load(v + i + x * LANES);
        UNROLLED for (int j = 0; j < columns; j++) UNROLLED for (int x = 0; x < PARTS; x++) sums[j][x] +=
            piece[x] * load(block + j * b->stride + i + x * LANES);
    }
    UNROLLED for (int j = 0; j < columns; j++) out[j] = add_up(sums[j]);
}

void LEFT(const rl_block *b, const double *v, double *out) {
    int j = 0;
    for (; j + ACROSS <= b->columns; j += ACROSS) multiply_left(ACROSS, b, b->a + j * b->stride, v, out + j);
    for (; j < b->columns; j++) multiply_left(1, b, b->a + j * b->stride, v, out + j);
}

/* Of so many registers of rows. */
RL_INLINED void multiply_right(int deep, int columns, const double *block, ptrdiff_t stride, const double *v,
                               double *out) {
    vec sums[SUMS + PARTS];
    UNROLLED for (int x = 0; x < deep; x++) sums[x] = (vec){0};
    for (int j = 0; j < columns; j++, block += stride)
        UNROLLED for (int x = 0; x < deep; x++) sums[x] += load(block + x * LANES) * v[j];
    UNROLLED for (int x = 0; x < deep; x++) store(out + x * LANES, sums[x]);
}

/* A piece that would be left over goes with those before it: its sum alone would wait for each addition. */
void RIGHT(const rl_block *b, const double *v, double *out) {
    enum { STEP = SUMS * LANES };
    int i = 0;
    for (; i + STEP <= b->rows; i += STEP) {
        if (i + STEP + RL_ROWS_TOGETHER == b->rows) {
            multiply_right(SUMS + PARTS, b->columns, b->a + i, b->stride, v, out + i);
            return;
        }
        multiply_right(SUMS, b->columns, b->a + i, b->stride, v, out + i);
    }
    for (; i < b->rows; i += RL_ROWS_TOGETHER) multiply_right(PARTS, b->columns, b->a + i, b->stride, v, out + i);
}

RL_INLINED void subtract(int deep, int columns, double *block, ptrdiff_t stride, const rl_product *one,
                         const rl_product *two, int row) {
    vec u[TALL], v[TALL];
    UNROLLED for (int x = 0; x < deep; x++) u[x] = load(one->rows + row + x * LANES);
    UNROLLED for (int x = 0; x < deep; x++) v[x] = load(two->rows + row + x * LANES);
    for (int j = 0; j < columns; j++, block += stride) {
        const double p = one->columns[j], q = two->columns[j];
        UNROLLED for (int x = 0; x < deep; x++) {
            vec a = load(block + x * LANES);
            a -= u[x] * p;
            a -= v[x] * q;
            store(block + x * LANES, a);
        }
    }
}

void SUBTRACT(const rl_block *b, const rl_product *one, const rl_product *two) {
    int i = 0;
    for (; i + TALL * LANES <= b->rows; i += TALL * LANES) subtract(TALL, b->columns, b->a + i, b->stride, one, two, i);
    for (; i < b->rows; i += RL_ROWS_TOGETHER) subtract(PARTS, b->columns, b->a + i, b->stride, one, two, i);
}

/* ---- some at once ------------------------------------------------------------------------------------------------ */

/* With A's products p_k = tau_k A H_0 ... H_(k-1) v_k, A becomes A - p_0 v_0^T - p_1 v_1^T - ... The rows below come
 * next, and are asked for. */
RL_INLINED void apply(int deep, int columns, double *block, ptrdiff_t stride, const double *packed) {
    const double *tau = packed + (ptrdiff_t)columns * RL_REFLECTORS, *product = tau + RL_REFLECTORS;
    vec p[RL_REFLECTORS][MANY];
    UNROLLED for (int k = 0; k < RL_REFLECTORS; k++) UNROLLED for (int x = 0; x < deep; x++) p[k][x] = (vec){0};
    for (int j = 0; j < columns; j++) {
        const double *a = block + j * stride, *w = packed + (ptrdiff_t)j * RL_REFLECTORS;
        UNROLLED for (int x = 0; x < deep; x++) {
            const vec column = load(a + x * LANES);
            UNROLLED for (int k = 0; k < RL_REFLECTORS; k++) p[k][x] += column * w[k];
        }
    }
    UNROLLED for (int k = 0; k < RL_REFLECTORS; k++) {
        UNROLLED for (int l = 0; l < k; l++, product++) UNROLLED for (int x = 0; x < deep; x++) p[k][x] -=
            p[l][x] * *product;
        UNROLLED for (int x = 0; x < deep; x++) p[k][x] *= tau[k];
    }
    for (int j = 0; j < columns; j++) {
        const double *w = packed + (ptrdiff_t)j * RL_REFLECTORS;
        double *a = block + j * stride;
        UNROLLED for (int x = 0; x < deep; x++) {
            __builtin_prefetch(a + (deep + x) * LANES, 0, 2);
            vec column = load(a + x * LANES);
            UNROLLED for (int k = 0; k < RL_REFLECTORS; k++) column -= p[k][x] * w[k];
            store(a + x * LANES, column);
        }
    }
}

void APPLY(int rows, int columns, double *block, ptrdiff_t stride, const double *packed) {
    int row = 0;
    for (; row + MANY * LANES <= rows; row += MANY * LANES) apply(MANY, columns, block + row, stride, packed);
    for (; row < rows; row += FEW * LANES) apply(FEW, columns, block + row, stride, packed);
}
