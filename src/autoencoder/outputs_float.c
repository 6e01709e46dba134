/* Sums over all outputs by floats. Blocks of few rows have sums of floats, which are added to doubles. */
#include <cblas.h>
#include <string.h>

#include "../numbers.h"
#include "../registers.h"
#include "outputs.h"

/* A block's numbers as floats, in the outputs' own memory. */
typedef struct floats {
    float *weights, *sums;       /* [n_hidden + 1, RL_BLOCK_FEATURES] */
    float *hidden, *hidden_sums; /* [RL_BLOCK_ROWS, n_hidden] */
    float *outputs;              /* [RL_BLOCK_ROWS, RL_BLOCK_FEATURES] */
    int n_hidden, n_rows, width; /* of the block */
    const rl_outputs_kernel *kernel;
} floats;

static size_t of_features(int n_hidden) {
    return ((size_t)n_hidden + 1) * RL_BLOCK_FEATURES;
}

/* Whole vectors, so that each array begins with one. */
static size_t of_rows(int n_hidden) {
    return RL_BLOCK_ROWS * (size_t)n_hidden;
}

size_t rl_outputs_floats(int n_hidden) {
    return 2 * of_features(n_hidden) + 2 * of_rows(n_hidden) + RL_BLOCK_ROWS * RL_BLOCK_FEATURES;
}

static floats floats_of(const rl_outputs *o) {
    floats f = {.n_hidden = o->n_hidden, .weights = o->floats};
    f.sums = f.weights + of_features(o->n_hidden);
    f.hidden = f.sums + of_features(o->n_hidden);
    f.hidden_sums = f.hidden + of_rows(o->n_hidden);
    f.outputs = f.hidden_sums + of_rows(o->n_hidden);
    f.kernel = RL_KERNEL_FOR(rl_outputs_floats, rl_register_lanes(o->max_lanes));
    return f;
}

/* Features behind the last one are zeros, and add nothing. */
static void take_weights(floats *f, const rl_outputs *o, size_t feature) {
    const size_t remaining = o->stride - feature, width = rl_smaller(remaining, RL_BLOCK_FEATURES);
    enum { WHOLE = 2 * RL_LANES }; /* of floats, as many as make a register */
    f->width = (int)((width + WHOLE - 1) / WHOLE * WHOLE);
    for (size_t k = 0; k <= (size_t)f->n_hidden; k++) {
        float *to = f->weights + k * RL_BLOCK_FEATURES;
        for (size_t j = 0; j < width; j++) to[j] = (float)o->parameters[k * o->stride + feature + j];
        for (size_t j = width; j < (size_t)f->width; j++) to[j] = 0;
    }
}

static void take_hidden(floats *f, const rl_outputs *o, int row) {
    const size_t m = (size_t)f->n_hidden;
    f->n_rows = rl_smaller(o->n_rows - row, RL_BLOCK_ROWS);
    for (size_t i = 0; i < (size_t)f->n_rows * m; i++) f->hidden[i] = (float)o->hidden[(size_t)row * m + i];
}

/* As one_block of outputs.c. */
static void sum_by_products(const floats *f, bool gradient, double *hidden_gradient, double *squares) {
    const int m = f->n_hidden, n = f->n_rows, width = f->width;
    float *const b = f->weights + (size_t)m * RL_BLOCK_FEATURES, *const b_sum = f->sums + (size_t)m * RL_BLOCK_FEATURES;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, width, m, 1, f->hidden, m, f->weights, RL_BLOCK_FEATURES,
                0, f->outputs, RL_BLOCK_FEATURES);
    f->kernel->finish_block(n, width, b, f->outputs, gradient ? b_sum : NULL, squares);
    if (!gradient) return;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, width, n, 1, f->hidden, m, f->outputs, RL_BLOCK_FEATURES, 0,
                f->sums, RL_BLOCK_FEATURES);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, m, width, 1, f->outputs, RL_BLOCK_FEATURES, f->weights,
                RL_BLOCK_FEATURES, 0, f->hidden_sums, m);
    for (size_t i = 0; i < (size_t)n * (size_t)m; i++) hidden_gradient[i] += f->hidden_sums[i];
}

static void add_sums(const floats *f, const rl_outputs *o, size_t feature) {
    const size_t remaining = o->stride - feature, width = rl_smaller(remaining, RL_BLOCK_FEATURES);
    for (size_t k = 0; k <= (size_t)f->n_hidden; k++)
        for (size_t j = 0; j < width; j++)
            o->gradient[k * o->stride + feature + j] += f->sums[k * RL_BLOCK_FEATURES + j];
}

static void sum_block(const floats *f, const rl_outputs *o, size_t feature, int row, double *squares) {
    const bool gradient = o->gradient != NULL;
    double *const hidden_gradient = gradient ? o->hidden_gradient + (size_t)row * (size_t)f->n_hidden : NULL;
    const rl_outputs_block b = {.n_rows = f->n_rows,
                                .width = f->width,
                                .stride = RL_BLOCK_FEATURES,
                                .weights = f->weights,
                                .hidden = f->hidden,
                                .sums = gradient ? f->sums : NULL,
                                .hidden_sums = hidden_gradient};
    memset(f->sums, 0, of_features(f->n_hidden) * sizeof *f->sums);
    if (f->n_hidden <= RL_MOST_IN_REGISTERS)
        f->kernel->in_registers[f->n_hidden - 1](&b, squares);
    else
        sum_by_products(f, gradient, hidden_gradient, squares);
    if (gradient) add_sums(f, o, feature);
}

void rl_outputs_sum_floats(const rl_outputs *o, double *squares) {
    floats f = floats_of(o);
    for (size_t feature = 0; feature < o->stride; feature += RL_BLOCK_FEATURES) {
        take_weights(&f, o, feature);
        for (int row = 0; row < o->n_rows; row += RL_BLOCK_ROWS) {
            take_hidden(&f, o, row);
            sum_block(&f, o, feature, row, squares);
        }
    }
}
