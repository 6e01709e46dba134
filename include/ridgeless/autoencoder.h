/* autoencoder: a shallow nonlinear autoencoder of sparse features, trained by full-batch AdamW (Henighan et al. 2023,
 * "Superposition, Memorization, and Double Descent", Transformer Circuits Thread).
 *
 *     x' = ReLU(W^T W x + b),    W of m x n, b of n
 *
 * The inputs x are sparse: each of n features is non-zero with probability 1 - sparsity and then uniform in (0, 1); an
 * input of zeros alone is drawn again; each is scaled to unit length. Training lowers the mean over the training
 * examples of |x' - x|^2, which is 1 when nothing is predicted (x' = 0), or of that over n. There are T of them, the
 * same in each step; or, where T is infinite, each step draws its own.
 *
 * Local, without MPI: where ranks share the examples of one training, the caller passes a function that adds up over
 * them. A training that one rank computes has the same bits on any rank; a shared one agrees with it to rounding. */
#ifndef RIDGELESS_AUTOENCODER_H
#define RIDGELESS_AUTOENCODER_H

#include <limits.h>

#include "ridgeless/arena.h"
#include "ridgeless/random.h"

/* ---- what is trained --------------------------------------------------------------------------------------------- */

/* The learning rate after the warm-up; never renumber. */
typedef enum rl_learning_schedule { RL_LEARNING_COSINE, RL_LEARNING_CONSTANT } rl_learning_schedule;
#define RL_LEARNING_CHOICES "cosine|constant"

/* How the loss goes over the n features: |x' - x|^2 is summed or averaged. AdamW takes gradients by their size, so that
 * the two differ by what its epsilon is beside them. */
typedef enum rl_loss { RL_LOSS_SUM, RL_LOSS_MEAN } rl_loss;
#define RL_LOSS_CHOICES "sum|mean"

/* What W starts from, of variance 2 / (n + m) (Glorot and Bengio 2010, eqs. 12 and 16): normal, or uniform in
 * (-a, a), a = sqrt(6 / (n + m)). b starts from 0. */
typedef enum rl_initialization { RL_START_NORMAL, RL_START_UNIFORM } rl_initialization;
#define RL_START_CHOICES "normal|uniform"

/* Of the outputs and of short sums over them; everything else is double. */
typedef enum rl_precision { RL_PRECISION_DOUBLE, RL_PRECISION_FLOAT } rl_precision;
#define RL_PRECISION_CHOICES "double|float"

/* The value's word among the choices. */
const char *rl_learning_schedule_name(rl_learning_schedule schedule);
const char *rl_loss_name(rl_loss loss);
const char *rl_initialization_name(rl_initialization initialization);
const char *rl_precision_name(rl_precision precision);

/* The T of a training that sees no example twice: each step draws `batch` of them. */
#define RL_INFINITE INT_MAX

typedef struct rl_autoencoder {
    int n_features, n_hidden, n_train; /* n, m and T */
    int batch;                         /* examples of a step where T is RL_INFINITE */
    int n_test;                        /* fresh examples for the test loss */
    double sparsity;                   /* in [0, 1) */
    int steps;
    double warm_up; /* the part of the steps in which the learning rate rises linearly */
    rl_learning_schedule schedule;
    double learning_rate, weight_decay;
    double epsilon; /* AdamW's, more than 0 */
    rl_loss loss;
    rl_initialization initialization;
    rl_precision precision;
    int record_every; /* steps between two records of the losses */
} rl_autoencoder;

/* The examples of a step: T, or a batch. */
int rl_training_examples(const rl_autoencoder *model);

/* T as it is written, "inf" where it is RL_INFINITE, into buffer; returns that. */
enum { RL_N_TRAIN_TEXT = 16 };
const char *rl_n_train_text(int n_train, char buffer[RL_N_TRAIN_TEXT]);

/* Inputs need at least so many non-zero features on average: else they would be all zeros too often. */
#define RL_LEAST_NONZEROS 0.1

/* ---- inputs ------------------------------------------------------------------------------------------------------ */

/* Rows of a sparse matrix, compressed: row i has the entries start[i] ... start[i + 1] - 1, columns ascending. */
typedef struct rl_sparse_rows {
    int n_rows, n_columns;
    int64_t *start;   /* [n_rows + 1] */
    int32_t *column;  /* [capacity] */
    double *value;    /* [capacity] */
    int64_t capacity; /* entries that column and value have room for */
} rl_sparse_rows;

typedef enum rl_input_set { RL_INPUTS_TRAIN, RL_INPUTS_TEST, RL_INPUTS_FRESH } rl_input_set;

/* Draws the inputs first ... first + count - 1 of a set. An input is a function of (key, set, repeat, its index, n,
 * sparsity) alone: training sets of one repeat are nested in T, and the test set is the same for all of them. Feature j
 * is non-zero where word j % 4 of the Philox block (pattern stream, row index, column attempt x ceil(n / 4) + j / 4)
 * is less than (1 - sparsity) 2^32; its value before scaling is rl_philox_uniform of the values stream.
 *
 * RL_INPUTS_FRESH, of which every step draws others, are drawn from one non-zero feature to the next: number k = 0, 1,
 * ... of them follows after as many zeros as rl_philox_misses says of column attempt x (n + 1) + k, which also gives
 * its value. Example i of step s has the index s x batch + i, which must be less than 2^32.
 *
 * *rows is to be released by rl_sparse_rows_destroy, on failure too. The second draws other inputs into rows that the
 * first has made, as many as there are; memory is allocated only where these have far more entries than is usual. */
rl_status rl_inputs_draw(const rl_autoencoder *model, rl_key key, uint32_t repeat, rl_input_set set, uint32_t first,
                         int count, rl_sparse_rows *rows);
rl_status rl_inputs_redraw(const rl_autoencoder *model, rl_key key, uint32_t repeat, rl_input_set set, uint32_t first,
                           rl_sparse_rows *rows);
void rl_sparse_rows_destroy(rl_sparse_rows *rows);
size_t rl_sparse_rows_bytes(const rl_autoencoder *model, int count);     /* what drawing so many inputs allocates */
int64_t rl_sparse_rows_capacity(const rl_autoencoder *model, int count); /* the entries that it makes room for */

/* ---- loss and gradient ------------------------------------------------------------------------------------------- */

/* The stride of arrays with one number per parameter, which have n_hidden + 1 rows of `stride` doubles: the rows of W,
 * then b. Zeros pad the n_features numbers of each row, so that loops have no remainder. */
int rl_parameter_stride(int n_features);

/* Buffers for up to n_rows examples; their arrays are listed for an arena. */
typedef struct rl_autoencoder_buffers {
    int n_hidden, n_rows;
    rl_precision precision;
    int max_lanes;                    /* numbers in a vector register, which change no bits; 0: the processor's */
    double *hidden, *hidden_gradient; /* [n_rows, n_hidden]: W x, and the derivative by it */
    double *outputs;                  /* a block of x', where a matrix product makes it */
    float *floats;                    /* a block of all that is float */
} rl_autoencoder_buffers;
void rl_autoencoder_list_buffers(rl_arena *arena, void *buffers);

/* Sums over the rows: *loss is that of |x' - x|^2, and gradient[(n_hidden + 1) * stride] (NULL: not wanted) those of
 * its derivatives. As b makes the outputs dense, there are n_rows x n_features of them, at 6 n_hidden + 4 flops per
 * output, or 2 n_hidden + 4 without the gradient. Zeros of the inputs cost nothing: the sums take every input for zero
 * and are corrected where one is not. In floats, at most 64 rows or 256 features are summed before a double takes over:
 * a derivative is off by some 100 float eps of the sizes of what it is made of. */
void rl_autoencoder_gradient(const double *parameters, const rl_sparse_rows *rows,
                             const rl_autoencoder_buffers *buffers, double *loss, double *gradient);

/* ---- AdamW ------------------------------------------------------------------------------------------------------- */

/* The learning rate of step t = 1 ... steps: rate x t / warm while t <= warm = round(warm_up x steps), then constant,
 * or rate x (1 + cos(pi (t - warm) / (steps - warm))) / 2. */
double rl_learning_rate(const rl_autoencoder *model, int step);

/* Step t = 1, 2, ... of AdamW (Loshchilov and Hutter 2019, algorithm 2, with beta1 = 0.9 and beta2 = 0.999) on
 * parameters[n]: the decay acts on b as on W. Epsilon is added to the root of the second moment, once that is corrected
 * for its start. gradient[n] is that of |x' - x|^2, summed over the examples of the step. */
void rl_adamw_step(const rl_autoencoder *model, int step, int64_t n, double *parameters, double *first, double *second,
                   const double *gradient);

/* ---- a training -------------------------------------------------------------------------------------------------- */

/* A share of the examples of a training, which several ranks compute together. */
typedef struct rl_example_share {
    int index, count; /* this one takes examples T index / count ... T (index + 1) / count - 1, and tests likewise */
    /* Makes sums[n] the sums over all shares, with the same bits on each; NULL when count is 1. */
    rl_status (*add_up)(const void *state, double *sums, int64_t n);
    const void *state;
} rl_example_share;
#define RL_ALL_EXAMPLES ((rl_example_share){.index = 0, .count = 1})

/* The record of a finished training is one flat array of doubles. These are offsets into it. */
typedef struct rl_training_layout {
    int n_records;            /* records of the losses along the way: see rl_recorded_step */
    size_t status;            /* 1: rl_training_status */
    size_t train_mse;         /* [n_records]: the mean of |x' - x|^2 / n over the training examples */
    size_t test_mse;          /* [n_records]: the same over the test examples */
    size_t feature_dimension; /* [n]: |w_i|^2 / sum over j of (w_i . w_j / |w_i|)^2, w_i column i of W, at the end */
    size_t example_dimension; /* [T]: the same for the W x of the training examples, of those of the last step */
    size_t feature_embedding; /* [2, n]: W; there when m = 2 */
    size_t example_embedding; /* [2, T]: W x of the training examples */
    bool has_embeddings;
    size_t length;
} rl_training_layout;
rl_training_layout rl_training_layout_of(const rl_autoencoder *model);

/* The step at which record i is taken: 0, record_every, 2 record_every, ..., and always the last step. */
int rl_recorded_step(const rl_autoencoder *model, int i);

/* Never renumber: journals have them. */
typedef enum rl_training_status { RL_TRAINING_DONE, RL_TRAINING_MISSING, RL_TRAINING_DIVERGED } rl_training_status;
#define RL_TRAINING_STATUS_MEANINGS "done missing diverged"

typedef struct rl_training rl_training;

/* Draws the inputs and the weights to start from. Local. Allocates all that the training needs: later on, only the
 * caller's sums can fail. */
rl_status rl_training_create(const rl_autoencoder *model, rl_key key, uint32_t repeat, const rl_example_share *share,
                             rl_training **training);
void rl_training_destroy(rl_training *training);

/* Takes at most `steps` more steps and records losses on the way. Collective where examples are shared, as is
 * rl_training_record. Losses or parameters that are not finite end the training as diverged. *ended: no step remains.
 */
rl_status rl_training_advance(rl_training *training, int steps, bool *ended);
int rl_training_step(const rl_training *training); /* steps taken so far */

/* Writes the record, record[rl_training_layout_of(model).length], of a training that has ended. Where examples are
 * shared, every share gets the whole record. */
rl_status rl_training_record(rl_training *training, double *record);

/* The state of a training is all that it needs to go on: step, parameters, both moments and losses so far, and the
 * parameters that its tree was planted under (half_planes.h). A training that is saved and restored ends in the same
 * bits. Local. Restoring is RL_ERR_INPUT when the numbers are no state. States of programs that knew no trees are
 * shorter: rl_training_takes_state says which lengths can be gone on with. */
size_t rl_training_state_length(const rl_autoencoder *model);
bool rl_training_takes_state(const rl_autoencoder *model, size_t length);
void rl_training_save(const rl_training *training, double *state);
rl_status rl_training_restore(rl_training *training, const double *state, size_t length);

/* ---- what it takes ----------------------------------------------------------------------------------------------- */

/* With more hidden dimensions outputs are made by products of matrices. */
enum { RL_MOST_IN_REGISTERS = 8 };

/* Blocks of Philox that its inputs take. */
double rl_training_draws(const rl_autoencoder *model);

/* Flops of rl_autoencoder_gradient over the examples of a step, with the gradient. */
double rl_outputs_flops(const rl_autoencoder *model);

/* Flops of all steps; of half-planes, floats and AdamW about those that dense sums make in the same time. */
double rl_training_flops(const rl_autoencoder *model);

/* Bytes that rl_training_create allocates for the largest of `count` shares. */
size_t rl_training_bytes(const rl_autoencoder *model, int count);

#endif
