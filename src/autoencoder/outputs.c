/* Sums over all outputs: in vector registers, or by matrix products. */
#include "outputs.h"

#include <cblas.h>

#include "../numbers.h"
#include "../registers.h"

static void one_block(const rl_outputs_kernel *kernel, const rl_outputs *o, size_t feature, int row, double *squares) {
    const size_t remaining = o->stride - feature;
    const int m = o->n_hidden, stride = (int)o->stride;
    const int width = (int)rl_smaller(remaining, RL_BLOCK_FEATURES);
    const int rows = rl_smaller(o->n_rows - row, RL_BLOCK_ROWS);
    const double *weights = o->parameters + feature, *hidden = o->hidden + (size_t)row * (size_t)m;
    const size_t b = (size_t)m * o->stride;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, width, m, 1, hidden, m, weights, stride, 0, o->block,
                RL_BLOCK_FEATURES);
    double *const sums = o->gradient == NULL ? NULL : o->gradient + feature;
    kernel->finish_block(rows, width, weights + b, o->block, sums == NULL ? NULL : sums + b, squares);
    if (sums == NULL) return;
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, width, rows, 1, hidden, m, o->block, RL_BLOCK_FEATURES, 1,
                sums, stride);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, m, width, 1, o->block, RL_BLOCK_FEATURES, weights,
                stride, 1, o->hidden_gradient + (size_t)row * (size_t)m, m);
}

static void sum_by_products(const rl_outputs_kernel *kernel, const rl_outputs *o, double *squares) {
    for (size_t feature = 0; feature < o->stride; feature += RL_BLOCK_FEATURES)
        for (int row = 0; row < o->n_rows; row += RL_BLOCK_ROWS) one_block(kernel, o, feature, row, squares);
}

static void sum_in_registers(const rl_outputs_kernel *kernel, const rl_outputs *o, double *squares) {
    for (size_t feature = 0; feature < o->stride; feature += RL_BLOCK_FEATURES) {
        const size_t remaining = o->stride - feature;
        const rl_outputs_block b = {.n_rows = o->n_rows,
                                    .width = (int)rl_smaller(remaining, RL_BLOCK_FEATURES),
                                    .stride = o->stride,
                                    .weights = o->parameters + feature,
                                    .hidden = o->hidden,
                                    .sums = o->gradient == NULL ? NULL : o->gradient + feature,
                                    .hidden_sums = o->hidden_gradient};
        kernel->in_registers[o->n_hidden - 1](&b, squares);
    }
}

void rl_outputs_sum(const rl_outputs *o, double *squares) {
    const rl_outputs_kernel *kernel = RL_KERNEL_FOR(rl_outputs_kernel, rl_register_lanes(o->max_lanes));
    *squares = 0;
    if (o->floats != NULL)
        rl_outputs_sum_floats(o, squares);
    else if (o->n_hidden <= RL_MOST_IN_REGISTERS)
        sum_in_registers(kernel, o, squares);
    else
        sum_by_products(kernel, o, squares);
}
