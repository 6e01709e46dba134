/* The outputs and their sums, which are most of the work: b makes the outputs dense, so that there is one per (example,
 * feature), however sparse the inputs are. With few hidden dimensions each output is made, used and forgotten in vector
 * registers. That goes block by block of features: the weights and sums of a block stay in the first cache while all
 * examples pass by, some of them at a time. With many hidden dimensions, matrix products make blocks of outputs. */
#include "outputs.h"

#include <cblas.h>
#include <string.h>

#include "../clones.h"
#include "../numbers.h"

enum { MOST_IN_REGISTERS = 8, MOST_ROWS = 4 };

/* A vector of the source, whatever the width of the machine's: sums go lane by lane, in an order that fixes the bits.
 */
typedef double vector __attribute__((vector_size(sizeof(double) * RL_LANES)));
typedef int64_t mask __attribute__((vector_size(sizeof(int64_t) * RL_LANES)));

RL_INLINED void make_positive(vector *z) {
    *z = (vector)((mask)*z & (*z > 0));
}

RL_INLINED double add_lanes(const vector *v) {
    double lane[RL_LANES];
    memcpy(lane, v, sizeof lane);
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/* ---- in registers ------------------------------------------------------------------------------------------------ */

/* Some rows, and the features of a block. How many rows there are is a constant in every call, as m is. */
typedef struct tile {
    size_t stride;
    int width;
    const double *weights, *hidden;
    double *sums, *hidden_sums;
} tile;

static inline vector *vector_at(double *row, int j) {
    return (vector *)(void *)(row + j);
}

static inline const vector *weights_at(const double *row, int j) {
    return (const vector *)(const void *)(row + j);
}

RL_INLINED void tile_gradient(const int m, const int rows, const tile *t, double *squares) {
    vector hidden_sums[MOST_ROWS][MOST_IN_REGISTERS], square = {0};
    memset(hidden_sums, 0, sizeof hidden_sums);
    for (int j = 0; j < t->width; j += RL_LANES) {
        vector w[MOST_IN_REGISTERS], sum[MOST_IN_REGISTERS], b_sum = *vector_at(t->sums + (size_t)m * t->stride, j);
        for (int k = 0; k < m; k++) {
            w[k] = *weights_at(t->weights + (size_t)k * t->stride, j);
            sum[k] = *vector_at(t->sums + (size_t)k * t->stride, j);
        }
        for (int r = 0; r < rows; r++) {
            const double *h = t->hidden + r * m;
            vector p = *weights_at(t->weights + (size_t)m * t->stride, j);
            for (int k = 0; k < m; k++) p += w[k] * h[k];
            make_positive(&p);
            b_sum += p;
            square += p * p;
            for (int k = 0; k < m; k++) {
                sum[k] += p * h[k];
                hidden_sums[r][k] += p * w[k];
            }
        }
        for (int k = 0; k < m; k++) *vector_at(t->sums + (size_t)k * t->stride, j) = sum[k];
        *vector_at(t->sums + (size_t)m * t->stride, j) = b_sum;
    }
    for (int r = 0; r < rows; r++)
        for (int k = 0; k < m; k++) t->hidden_sums[r * m + k] += add_lanes(&hidden_sums[r][k]);
    *squares += add_lanes(&square);
}

RL_INLINED void tile_squares(const int m, const int rows, const tile *t, double *squares) {
    vector square = {0};
    for (int j = 0; j < t->width; j += RL_LANES)
        for (int r = 0; r < rows; r++) {
            vector p = *weights_at(t->weights + (size_t)m * t->stride, j);
            for (int k = 0; k < m; k++) p += *weights_at(t->weights + (size_t)k * t->stride, j) * t->hidden[r * m + k];
            make_positive(&p);
            square += p * p;
        }
    *squares += add_lanes(&square);
}

RL_INLINED void one_tile(const int m, const int rows, const rl_outputs *o, size_t feature, int row, double *squares) {
    const size_t remaining = o->stride - feature, at = (size_t)row * (size_t)m;
    tile t = {.stride = o->stride,
              .width = (int)rl_smaller(remaining, RL_BLOCK_FEATURES),
              .weights = o->parameters + feature,
              .hidden = o->hidden + at};
    if (o->gradient == NULL) {
        tile_squares(m, rows, &t, squares);
        return;
    }
    t.sums = o->gradient + feature;
    t.hidden_sums = o->hidden_gradient + at;
    tile_gradient(m, rows, &t, squares);
}

RL_INLINED void all_tiles(const int m, const int together, const rl_outputs *o, double *squares) {
    for (size_t feature = 0; feature < o->stride; feature += RL_BLOCK_FEATURES) {
        int row = 0;
        for (; row + together <= o->n_rows; row += together) one_tile(m, together, o, feature, row, squares);
        for (; row < o->n_rows; row++) one_tile(m, 1, o, feature, row, squares);
    }
}

/* One function for each number of hidden dimensions: as many rows at once as registers allow. */
#define IN_REGISTERS(m, together)                                          \
    RL_CLONES static void sums_##m(const rl_outputs *o, double *squares) { \
        all_tiles(m, together, o, squares);                                \
    }
IN_REGISTERS(1, 4)
IN_REGISTERS(2, 4)
IN_REGISTERS(3, 4)
IN_REGISTERS(4, 2)
IN_REGISTERS(5, 2)
IN_REGISTERS(6, 2)
IN_REGISTERS(7, 2)
IN_REGISTERS(8, 2)

/* ---- by matrix products ------------------------------------------------------------------------------------------ */

/* `block` [rows, width] holds W^T h and becomes the outputs p. */
RL_CLONES static void finish_block(int rows, int width, const double *b, double *block, double *b_sum,
                                   double *squares) {
    vector square = {0};
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < width; j += RL_LANES) {
            vector *p = vector_at(block + (size_t)r * RL_BLOCK_FEATURES, j);
            *p += *weights_at(b, j);
            make_positive(p);
            square += *p * *p;
            if (b_sum != NULL) *vector_at(b_sum, j) += *p;
        }
    *squares += add_lanes(&square);
}

static void one_block(const rl_outputs *o, size_t feature, int row, double *squares) {
    const size_t remaining = o->stride - feature;
    const int m = o->n_hidden, stride = (int)o->stride;
    const int width = (int)rl_smaller(remaining, RL_BLOCK_FEATURES);
    const int rows = rl_smaller(o->n_rows - row, RL_BLOCK_ROWS);
    const double *weights = o->parameters + feature, *hidden = o->hidden + (size_t)row * (size_t)m;
    const size_t b = (size_t)m * o->stride;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, width, m, 1, hidden, m, weights, stride, 0, o->block,
                RL_BLOCK_FEATURES);
    double *const sums = o->gradient == NULL ? NULL : o->gradient + feature;
    finish_block(rows, width, weights + b, o->block, sums == NULL ? NULL : sums + b, squares);
    if (sums == NULL) return;
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, width, rows, 1, hidden, m, o->block, RL_BLOCK_FEATURES, 1,
                sums, stride);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, m, width, 1, o->block, RL_BLOCK_FEATURES, weights,
                stride, 1, o->hidden_gradient + (size_t)row * (size_t)m, m);
}

static void sums_by_products(const rl_outputs *o, double *squares) {
    for (size_t feature = 0; feature < o->stride; feature += RL_BLOCK_FEATURES)
        for (int row = 0; row < o->n_rows; row += RL_BLOCK_ROWS) one_block(o, feature, row, squares);
}

void rl_outputs_sums(const rl_outputs *o, double *squares) {
    static void (*const in_registers[MOST_IN_REGISTERS])(const rl_outputs *, double *) = {
        sums_1, sums_2, sums_3, sums_4, sums_5, sums_6, sums_7, sums_8};
    *squares = 0;
    if (o->n_hidden <= MOST_IN_REGISTERS)
        in_registers[o->n_hidden - 1](o, squares);
    else
        sums_by_products(o, squares);
}
