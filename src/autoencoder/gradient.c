/* Loss and gradient of the training examples: sums over all outputs, corrected where inputs are not zero. */
#include <assert.h>
#include <string.h>

#include "../numbers.h"
#include "outputs.h"
#include "ridgeless/autoencoder.h"

int rl_parameter_stride(int n_features) {
    return (n_features + RL_LANES - 1) / RL_LANES * RL_LANES;
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

/* The output before ReLU: that of rl_outputs_sum but for rounding. */
static double output_before(const rl_outputs *o, const double *h, size_t j) {
    double z = o->parameters[(size_t)o->n_hidden * o->stride + j];
    for (int k = 0; k < o->n_hidden; k++) z += o->parameters[(size_t)k * o->stride + j] * h[k];
    return z;
}

/* Corrects the sums of one row, which took every input for zero: the loss as p^2, and half its derivative as p. Where
 * the input is x, the loss is (p - x)^2 = p^2 + x^2 - 2 p x, and half its derivative p - x where z > 0. Adds the
 * difference to the gradient and returns that of the loss. */
static double correct_row(const rl_outputs *o, const rl_sparse_rows *rows, int row) {
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
static void pass_back(const rl_outputs *o, const rl_sparse_rows *rows, int row) {
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
    RL_TAKE(arena, b->outputs, RL_BLOCK_ROWS * RL_BLOCK_FEATURES);
    if (b->precision == RL_PRECISION_FLOAT) RL_TAKE(arena, b->floats, rl_outputs_floats(b->n_hidden));
}

void rl_autoencoder_gradient(const double *parameters, const rl_sparse_rows *rows,
                             const rl_autoencoder_buffers *buffers, double *loss, double *gradient) {
    const size_t stride = (size_t)rl_parameter_stride(rows->n_columns), m = (size_t)buffers->n_hidden;
    assert(rows->n_rows <= buffers->n_rows);
    const rl_outputs o = {.n_hidden = buffers->n_hidden,
                          .n_rows = rows->n_rows,
                          .stride = stride,
                          .parameters = parameters,
                          .hidden = buffers->hidden,
                          .gradient = gradient,
                          .hidden_gradient = buffers->hidden_gradient,
                          .block = buffers->outputs,
                          .floats = buffers->floats,
                          .max_lanes = buffers->max_lanes};
    make_hidden(buffers->n_hidden, stride, parameters, rows, buffers->hidden);
    if (gradient != NULL) {
        memset(gradient, 0, (m + 1) * stride * sizeof *gradient);
        memset(buffers->hidden_gradient, 0, (size_t)rows->n_rows * m * sizeof *gradient);
    }
    rl_outputs_sum(&o, loss);
    for (int i = 0; i < rows->n_rows; i++) *loss += correct_row(&o, rows, i);
    if (gradient == NULL) return;
    for (int i = 0; i < rows->n_rows; i++) pass_back(&o, rows, i);
    for (size_t i = 0; i < (m + 1) * stride; i++) gradient[i] *= 2;
}
