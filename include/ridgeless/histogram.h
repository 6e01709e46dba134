/* histogram: how often numbers that are not negative fall into logarithmic buckets. Counts are whole numbers, so that
 * any order of adding and merging ends in the same bits. Part of core; all functions are local.
 *
 * A bucket is the numbers whose exponent and first RL_BUCKET_BITS bits of the mantissa are the same: 128 of equal width
 * in [2^k, 2^(k+1)), each at most 2^-7 of its lower edge wide, found without a logarithm and alike on every machine.
 * What is smaller than any normal number (2^-1022), zero first of all, has the first bucket, infinity the last. */
#ifndef RIDGELESS_HISTOGRAM_H
#define RIDGELESS_HISTOGRAM_H

#include "ridgeless/core.h"

enum {
    RL_BUCKET_BITS = 7,
    RL_BUCKETS_A_DOUBLING = 1 << RL_BUCKET_BITS,
    RL_N_BUCKETS = 0x7ff * RL_BUCKETS_A_DOUBLING + 1 /* those from 1 to RL_BUCKETS_A_DOUBLING - 1 stay empty */
};

/* sqrt(1 + 2^-7) - 1: between the bucket's geometric middle and any number in it, over that number, at most. */
#define RL_BUCKET_ERROR 0.0038986502630631303

/* A histogram holds at most INT32_MAX numbers. */
#define RL_HISTOGRAM_LIMIT INT64_C(0x7fffffff)

/* The bucket of a number, which is not negative and no NaN (asserted). */
int rl_bucket_of(double value);

/* The numbers of a bucket are those in [lower, upper); of the last one INFINITY alone. */
double rl_bucket_lower(int bucket);
double rl_bucket_upper(int bucket);

/* The geometric middle of the edges; 0 of the first bucket. */
double rl_bucket_middle(int bucket);

/* While numbers come in: pages of one doubling, made when a number first falls into it. A zeroed struct is empty. */
typedef struct rl_histogram {
    int64_t n;               /* numbers counted */
    double minimum, maximum; /* of them; where there is one */
    uint16_t *page_of;       /* [0x7ff + 1 doublings]: 1 + the page; 0: none; NULL while there is no page; owned */
    uint32_t *pages;         /* [n_pages][RL_BUCKETS_A_DOUBLING], room for `capacity`; owned */
    int n_pages, capacity;
} rl_histogram;
void rl_histogram_destroy(rl_histogram *histogram);

/* Empties it; its pages stay for what comes next. */
void rl_histogram_clear(rl_histogram *histogram);

/* Counts values[0], values[stride], ..., n of them. NaN is not counted; the others are not negative (asserted). */
rl_status rl_histogram_add(rl_histogram *histogram, const double *values, size_t n, size_t stride);

/* The same as a list of the buckets that are not empty, ascending. A zeroed struct is that of an empty histogram. */
typedef struct rl_buckets {
    int n, capacity;
    int32_t *bucket;         /* [n], owned */
    uint32_t *count;         /* [n], owned; at least 1 */
    int64_t total;           /* of the counts */
    double minimum, maximum; /* of the numbers; NaN where there is none */
} rl_buckets;
void rl_buckets_destroy(rl_buckets *buckets);

/* Lists a histogram, whatever the list held; and counts what is listed in another one. */
rl_status rl_buckets_list(rl_buckets *buckets, const rl_histogram *histogram);
rl_status rl_histogram_merge(rl_histogram *histogram, const rl_buckets *buckets);
bool rl_buckets_equal(const rl_buckets *a, const rl_buckets *b);

/* ---- as bits ----------------------------------------------------------------------------------------------------- */

/* Bits on their way out, by whole words of 64. Start from {.bytes = a text that grows}; the last word is filled up with
 * zeros by rl_bits_end. */
typedef struct rl_bits_out {
    rl_text *bytes;
    uint64_t word;
    int used; /* bits of the word */
} rl_bits_out;
rl_status rl_bits_put(rl_bits_out *bits, uint64_t value, int n); /* the n <= 64 lowest */
rl_status rl_bits_end(rl_bits_out *bits);

/* A number from 1 on in Elias's gamma code: 2 floor(log2 value) + 1 bits. */
rl_status rl_bits_put_gamma(rl_bits_out *bits, uint64_t value);

/* Bits on their way in, of `n` words (borrowed, of any alignment). false: there are not so many. */
typedef struct rl_bits_in {
    const char *words;
    size_t n, at; /* at: the next bit */
} rl_bits_in;
bool rl_bits_get(rl_bits_in *bits, int n, uint64_t *value);
bool rl_bits_get_gamma(rl_bits_in *bits, uint64_t *value);

/* Whether nothing but the zeros of rl_bits_end is left. */
bool rl_bits_are_at_end(const rl_bits_in *bits);

/* A list of buckets: its length, then minimum and maximum as they are, gaps and counts in gamma code. What is read may
 * come from anyone: *sound tells whether it is one that rl_buckets_put writes, of at most `most` numbers. */
rl_status rl_buckets_put(const rl_buckets *buckets, rl_bits_out *bits);
rl_status rl_buckets_get(rl_buckets *buckets, rl_bits_in *bits, int64_t most, bool *sound);

#endif
