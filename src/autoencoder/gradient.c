/* Loss and gradient of the training examples: sums over all outputs, corrected where inputs are not zero.
 *
 * The outputs and their sums are most of the work: b makes the outputs dense, so that there is one per (example,
 * feature), however sparse the inputs are. With few hidden dimensions each output is made, used and forgotten in vector
 * registers. That goes block by block of features: the weights and sums of a block stay in the first cache while all
 * examples pass by, some of them at a time. With many hidden dimensions, matrix products make blocks of outputs. */
#include <assert.h>
#include <cblas.h>
#include <string.h>

#include "../clones.h"
#include "../numbers.h"
#include "ridgeless/autoencoder.h"

enum { LANES = 8, BLOCK_FEATURES = 256, BLOCK_ROWS = 64, MOST_IN_REGISTERS = 8, MOST_ROWS = 4 };

/* What outputs and their sums are made of. */
typedef struct outputs {
    int n_hidden, n_rows;
    size_t stride;
    const double *parameters, *hidden;
    double *gradient; /* NULL: not wanted */
    double *hidden_gradient, *block;
} outputs;

/* A vector of the source, whatever the width of the machine's: sums go lane by lane, in an order that fixes the bits.
 */
typedef double vector __attribute__((vector_size(sizeof(double) * LANES)));
typedef int64_t mask __attribute__((vector_size(sizeof(int64_t) * LANES)));

RL_INLINED void make_positive(vector *z) {
    *z = (vector)((mask)*z & (*z > 0));
}

RL_INLINED double add_lanes(const vector *v) {
    double lane[LANES];
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
    for (int j = 0; j < t->width; j += LANES) {
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
    for (int j = 0; j < t->width; j += LANES)
        for (int r = 0; r < rows; r++) {
            vector p = *weights_at(t->weights + (size_t)m * t->stride, j);
            for (int k = 0; k < m; k++) p += *weights_at(t->weights + (size_t)k * t->stride, j) * t->hidden[r * m + k];
            make_positive(&p);
            square += p * p;
        }
    *squares += add_lanes(&square);
}

RL_INLINED void one_tile(const int m, const int rows, const outputs *o, size_t feature, int row, double *squares) {
    const size_t remaining = o->stride - feature, at = (size_t)row * (size_t)m;
    tile t = {.stride = o->stride,
              .width = (int)rl_smaller(remaining, BLOCK_FEATURES),
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

RL_INLINED void all_tiles(const int m, const int together, const outputs *o, double *squares) {
    for (size_t feature = 0; feature < o->stride; feature += BLOCK_FEATURES) {
        int row = 0;
        for (; row + together <= o->n_rows; row += together) one_tile(m, together, o, feature, row, squares);
        for (; row < o->n_rows; row++) one_tile(m, 1, o, feature, row, squares);
    }
}

/* One function for each number of hidden dimensions: as many rows at once as registers allow. */
#define IN_REGISTERS(m, together)                                       \
    RL_CLONES static void sums_##m(const outputs *o, double *squares) { \
        all_tiles(m, together, o, squares);                             \
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
        for (int j = 0; j < width; j += LANES) {
            vector *p = vector_at(block + (size_t)r * BLOCK_FEATURES, j);
            *p += *weights_at(b, j);
            make_positive(p);
            square += *p * *p;
            if (b_sum != NULL) *vector_at(b_sum, j) += *p;
        }
    *squares += add_lanes(&square);
}

static void one_block(const outputs *o, size_t feature, int row, double *squares) {
    const size_t remaining = o->stride - feature;
    const int m = o->n_hidden, stride = (int)o->stride;
    const int width = (int)rl_smaller(remaining, BLOCK_FEATURES);
    const int rows = rl_smaller(o->n_rows - row, BLOCK_ROWS);
    const double *weights = o->parameters + feature, *hidden = o->hidden + (size_t)row * (size_t)m;
    const size_t b = (size_t)m * o->stride;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, width, m, 1, hidden, m, weights, stride, 0, o->block,
                BLOCK_FEATURES);
    double *const sums = o->gradient == NULL ? NULL : o->gradient + feature;
    finish_block(rows, width, weights + b, o->block, sums == NULL ? NULL : sums + b, squares);
    if (sums == NULL) return;
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, width, rows, 1, hidden, m, o->block, BLOCK_FEATURES, 1,
                sums, stride);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, m, width, 1, o->block, BLOCK_FEATURES, weights, stride,
                1, o->hidden_gradient + (size_t)row * (size_t)m, m);
}

static void sums_by_products(const outputs *o, double *squares) {
    for (size_t feature = 0; feature < o->stride; feature += BLOCK_FEATURES)
        for (int row = 0; row < o->n_rows; row += BLOCK_ROWS) one_block(o, feature, row, squares);
}

/* Makes the outputs p = ReLU(z), z = b + W^T h, of hidden[n_rows, n_hidden], and sums over them as if every input were
 * zero. *squares: the sum of p^2. Where there is a gradient, adds the sum over the rows of p h_k to row k of W there
 * and that of p to b, and W p of each row to hidden_gradient[n_rows, n_hidden]. */
static void sum_outputs(const outputs *o, double *squares) {
    static void (*const in_registers[MOST_IN_REGISTERS])(const outputs *, double *) = {sums_1, sums_2, sums_3, sums_4,
                                                                                       sums_5, sums_6, sums_7, sums_8};
    *squares = 0;
    if (o->n_hidden <= MOST_IN_REGISTERS)
        in_registers[o->n_hidden - 1](o, squares);
    else
        sums_by_products(o, squares);
}

/* ---- loss and gradient ------------------------------------------------------------------------------------------- */

int rl_parameter_stride(int n_features) {
    return (n_features + LANES - 1) / LANES * LANES;
}

/* hidden[n_rows, m] = W x, by the entries of x that are not zero. */
static void make_hidden(int m, size_t stride, const double *parameters, const rl_sparse_rows *rows, double *hidden) {
    for (int i = 0; i < rows->n_rows; i++) {
        double *h = hidden + (size_t)i * (size_t)m;
        for (int k = 0; k < m; k++) {
            const double *w = parameters + (size_t)k * stride;
            double sum = 0;
            for (int64_t e = rows->start[i]; e < rows->start[i + 1]; e++) sum += w[rows->column[e]] * rows->value[e];
            h[k] = sum;
        }
    }
}

/* The output before ReLU: that of sum_outputs but for rounding. */
static double output_before(const outputs *o, const double *h, size_t j) {
    double z = o->parameters[(size_t)o->n_hidden * o->stride + j];
    for (int k = 0; k < o->n_hidden; k++) z += o->parameters[(size_t)k * o->stride + j] * h[k];
    return z;
}

/* Corrects the sums of one row, which took every input for zero: the loss as p^2, and half its derivative as p. Where
 * the input is x, the loss is (p - x)^2 = p^2 + x^2 - 2 p x, and half its derivative p - x where z > 0. Adds the
 * difference to the gradient and returns that of the loss. */
static double correct_row(const outputs *o, const rl_sparse_rows *rows, int row) {
    const double *h = o->hidden + (size_t)row * (size_t)o->n_hidden;
    double loss = 0;
    for (int64_t e = rows->start[row]; e < rows->start[row + 1]; e++) {
        const size_t j = (size_t)rows->column[e];
        const double x = rows->value[e], z = output_before(o, h, j);
        loss += z > 0 ? x * x - 2 * z * x : x * x;
        if (o->gradient == NULL || !(z > 0)) continue;
        double *h_gradient = o->hidden_gradient + (size_t)row * (size_t)o->n_hidden;
        for (int k = 0; k < o->n_hidden; k++) {
            o->gradient[(size_t)k * o->stride + j] -= x * h[k];
            h_gradient[k] -= x * o->parameters[(size_t)k * o->stride + j];
        }
        o->gradient[(size_t)o->n_hidden * o->stride + j] -= x;
    }
    return loss;
}

/* Adds the derivative by W that comes through h = W x. */
static void pass_back(const outputs *o, const rl_sparse_rows *rows, int row) {
    const double *h_gradient = o->hidden_gradient + (size_t)row * (size_t)o->n_hidden;
    for (int k = 0; k < o->n_hidden; k++) {
        double *gradient = o->gradient + (size_t)k * o->stride;
        for (int64_t e = rows->start[row]; e < rows->start[row + 1]; e++)
            gradient[rows->column[e]] += h_gradient[k] * rows->value[e];
    }
}

void rl_autoencoder_list_buffers(rl_arena *arena, void *buffers) {
    rl_autoencoder_buffers *const b = buffers;
    RL_TAKE_REALS(arena, (size_t)b->n_rows * (size_t)b->n_hidden, &b->hidden, &b->hidden_gradient);
    RL_TAKE(arena, b->outputs, BLOCK_ROWS * BLOCK_FEATURES);
}

void rl_autoencoder_gradient(const double *parameters, const rl_sparse_rows *rows,
                             const rl_autoencoder_buffers *buffers, double *loss, double *gradient) {
    const size_t stride = (size_t)rl_parameter_stride(rows->n_columns), m = (size_t)buffers->n_hidden;
    assert(rows->n_rows <= buffers->n_rows);
    const outputs o = {.n_hidden = buffers->n_hidden,
                       .n_rows = rows->n_rows,
                       .stride = stride,
                       .parameters = parameters,
                       .hidden = buffers->hidden,
                       .gradient = gradient,
                       .hidden_gradient = buffers->hidden_gradient,
                       .block = buffers->outputs};
    make_hidden(buffers->n_hidden, stride, parameters, rows, buffers->hidden);
    if (gradient != NULL) {
        memset(gradient, 0, (m + 1) * stride * sizeof *gradient);
        memset(buffers->hidden_gradient, 0, (size_t)rows->n_rows * m * sizeof *gradient);
    }
    sum_outputs(&o, loss);
    for (int i = 0; i < rows->n_rows; i++) *loss += correct_row(&o, rows, i);
    if (gradient == NULL) return;
    for (int i = 0; i < rows->n_rows; i++) pass_back(&o, rows, i);
    for (size_t i = 0; i < (m + 1) * stride; i++) gradient[i] *= 2;
}
