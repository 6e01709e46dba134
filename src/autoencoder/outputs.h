/* Private to `autoencoder`: sums over all outputs as if every input were zero.
 *
 * The outputs and their sums are most of the work: b makes the outputs dense, so that there is one per (example,
 * feature), however sparse the inputs are. With few hidden dimensions each output is made, used and forgotten in vector
 * registers. That goes block by block of features: the weights and sums of a block stay in the first cache while all
 * examples pass by, some of them at a time. With many hidden dimensions, matrix products make blocks of outputs.
 *
 * By floats, outputs and their sums over at most RL_BLOCK_ROWS rows or RL_BLOCK_FEATURES features are floats, and what
 * adds up these is double: rounding does not grow with the numbers of rows and features. */
#ifndef RL_AUTOENCODER_OUTPUTS_H
#define RL_AUTOENCODER_OUTPUTS_H

#include "ridgeless/autoencoder.h"

/* A number of every array is in the lane j % RL_LANES of feature j. Sums go lane by lane, and lanes are added up in one
 * order, whatever the width of the machine's registers: that fixes the bits. */
enum { RL_LANES = 8, RL_BLOCK_FEATURES = 256, RL_BLOCK_ROWS = 64 };

/* What outputs and their sums are made of. */
typedef struct rl_outputs {
    int n_hidden, n_rows;
    size_t stride;
    const double *parameters, *hidden;
    double *gradient; /* NULL: not wanted */
    double *hidden_gradient, *block;
    float *floats; /* [rl_outputs_floats(n_hidden)]; NULL: by doubles */
    int max_lanes; /* doubles in a register; 0: as many as the processor has */
} rl_outputs;

/* Makes the outputs p = ReLU(z), z = b + W^T h, of hidden[n_rows, n_hidden], and sums over them as if every input were
 * zero. *squares: the sum of p^2. Where there is a gradient, adds the sum over the rows of p h_k to row k of W there
 * and that of p to b, and W p of each row to hidden_gradient[n_rows, n_hidden]. */
void rl_outputs_sum(const rl_outputs *outputs, double *squares);

/* How many floats a sum by floats takes: the weights, hidden vectors, outputs and sums of a block. */
size_t rl_outputs_floats(int n_hidden);

/* A block of features at some rows, in the kernel's numbers: doubles or floats. Of weights and sums, row k of W has the
 * features from k x stride on, and b is row n_hidden. */
typedef struct rl_outputs_block {
    int n_rows, width;
    size_t stride;
    const void *weights, *hidden; /* [n_hidden + 1, stride], [n_rows, n_hidden] */
    void *sums;                   /* as the weights; NULL: not wanted */
    double *hidden_sums;          /* as `hidden` */
} rl_outputs_block;

typedef struct rl_outputs_kernel {
    /* By the number of hidden dimensions, less one: the sums of rl_outputs_sum over the block, added. */
    void (*in_registers[RL_MOST_IN_REGISTERS])(const rl_outputs_block *block, double *squares);
    /* `block` [rows, RL_BLOCK_FEATURES], of which `width` are in use, holds W^T h and becomes the outputs p. Adds their
     * sums over the rows to b_sum (NULL: not wanted) and their squares to *squares. */
    void (*finish_block)(int rows, int width, const void *b, void *block, void *b_sum, double *squares);
} rl_outputs_kernel;

/* One source, compiled for registers of 2, 4 and 8 doubles, and of twice as many floats. */
extern const rl_outputs_kernel rl_outputs_kernel_2, rl_outputs_kernel_4, rl_outputs_kernel_8;
extern const rl_outputs_kernel rl_outputs_floats_2, rl_outputs_floats_4, rl_outputs_floats_8;

/* outputs_float.c: rl_outputs_sum in floats. */
void rl_outputs_sum_floats(const rl_outputs *outputs, double *squares);

#endif
