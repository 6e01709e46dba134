/* random: random numbers that depend on what is drawn, never on who draws it.
 *
 * Two generators. Philox4x32-10 (Salmon et al., SC'11; Random123's header) is the default: a value is a pure function
 * of (study seed, dataset name, stream, repeat, row, column), so any rank draws any of them in any order. MT19937 with
 * NumPy's legacy algorithms reproduces the published program exactly. All functions are local and hold no state outside
 * their arguments. */
#ifndef RIDGELESS_RANDOM_H
#define RIDGELESS_RANDOM_H

#include "ridgeless/core.h"

typedef enum rl_random_kind { RL_RANDOM_PHILOX, RL_RANDOM_NUMPY } rl_random_kind;

/* ---- Philox ----------------------------------------------------------------------------------------------------- */

/* What is drawn. The numbers are part of what defines the results: never renumber. */
typedef enum rl_stream {
    RL_STREAM_ROW_ORDER = 1,
    RL_STREAM_FEATURES = 2,
    RL_STREAM_TEACHER = 3,
    RL_STREAM_NOISE = 4,
    RL_STREAM_INPUTS = 10,        /* of named functions */
    RL_STREAM_MAP_WEIGHTS = 11,   /* of random features: w */
    RL_STREAM_PHASES = 12,        /* of random features: b */
    RL_STREAM_START = 13,         /* of gradient descent */
    RL_STREAM_BAGS = 14,          /* subsets of training rows: row is the bag, column the step of its shuffle */
    RL_STREAM_TRAIN_PATTERN = 16, /* which features of an autoencoder's training inputs are not zero */
    RL_STREAM_TRAIN_VALUES = 17,  /* and their values */
    RL_STREAM_TEST_PATTERN = 18,
    RL_STREAM_TEST_VALUES = 19,
    RL_STREAM_WEIGHTS = 20,      /* that a training starts from */
    RL_STREAM_FRESH_INPUTS = 21, /* of a training that draws them for each step */
} rl_stream;

typedef struct rl_key {
    uint32_t word[2];
} rl_key;

/* The key of a dataset in a study: XXH3-64 of the name, seeded with the study seed; low word first. */
rl_key rl_key_make(uint64_t study_seed, const char *dataset_name);

/* One block of Philox4x32-10 for the counter {column, row, stream, repeat}. */
void rl_philox(rl_key key, rl_stream stream, uint32_t repeat, uint32_t row, uint32_t column, uint32_t block[4]);

/* Entry (row, column) of a matrix of independent numbers, uniform in (0, 1): the upper 52 bits of words 0 and 1 of the
 * block, low word first, as the middle of one of 2^52 equal intervals. */
double rl_philox_uniform(rl_key key, rl_stream stream, uint32_t repeat, uint32_t row, uint32_t column);

/* How many trials fail, each with probability `miss` in [0, 1), before one succeeds: the whole part of log u / log
 * miss, u as rl_philox_uniform has it. Independent of libm. *uniform: a number in (0, 1) of words 2 and 3, in the same
 * way. */
double rl_philox_misses(rl_key key, rl_stream stream, uint32_t repeat, uint32_t row, uint32_t column, double miss,
                        double *uniform);

/* Entry (row, column) of a matrix of independent standard normal numbers: Box-Muller on the block of (row / 2, column),
 * cosine for even rows and sine for odd ones; the radius takes words 0 and 1 of the block and the angle 2 and 3, low
 * word first, their upper 52 bits as the middle of one of 2^52 equal intervals of (0, 1). Independent of the matrix's
 * size, and of libm: the same bits on every machine with IEEE arithmetic. */
double rl_philox_normal(rl_key key, rl_stream stream, uint32_t repeat, uint32_t row, uint32_t column);

/* Fills out[count] with the entries (row, first_column ... first_column + count - 1) of that matrix. */
void rl_philox_normal_row(rl_key key, rl_stream stream, uint32_t repeat, uint32_t row, uint32_t first_column, int count,
                          double *out);

/* Fills out[count] with the entries (first_row ... first_row + count - 1, column) of it. Faster than a row, which uses
 * one of the two numbers of each block. */
void rl_philox_normal_column(rl_key key, rl_stream stream, uint32_t repeat, uint32_t first_row, uint32_t column,
                             int count, double *out);

/* Fills even[count] and odd[count] with the entries (2 pair, first_column ...) and (2 pair + 1, first_column ...) of
 * it. As fast as a column. */
void rl_philox_normal_row_pair(rl_key key, rl_stream stream, uint32_t repeat, uint32_t pair, uint32_t first_column,
                               int count, double *even, double *odd);

/* Fills the last n_last entries of order[n] with those of a uniformly random permutation of 0 ... n - 1, keyed by (key,
 * RL_STREAM_ROW_ORDER, repeat), and the others with the remaining numbers in any order. Fisher-Yates from the end, with
 * rejection, so that all permutations are equally likely. */
void rl_philox_permutation(rl_key key, uint32_t repeat, int n, int n_last, int *order);

/* ---- NumPy's legacy generator ----------------------------------------------------------------------------------- */

/* numpy.random.RandomState: MT19937 with the legacy seeding. It makes normal numbers in pairs and keeps the second for
 * the next call. */
typedef struct rl_mt19937 {
    uint32_t state[624];
    int position;
    bool has_gauss;
    double gauss;
} rl_mt19937;

void rl_mt19937_seed(rl_mt19937 *generator, uint32_t seed); /* RandomState(seed) */
uint32_t rl_mt19937_next(rl_mt19937 *generator);            /* 32 random bits */
double rl_mt19937_uniform(rl_mt19937 *generator);           /* random_sample(): [0, 1), 53 bits */
double rl_mt19937_normal(rl_mt19937 *generator);            /* randn(): polar Box-Muller */

/* permutation(n), with n_last as above: only the words for the last n_last entries are drawn. */
void rl_mt19937_permutation(rl_mt19937 *generator, int n, int n_last, int *order);

#endif
