/* histogram: how often numbers that are not negative fall into logarithmic buckets. Counts are whole numbers, so that
 * any order of adding and merging ends in the same bits. Part of core; all functions are local.
 *
 * A bucket holds the numbers whose exponent and first RL_BUCKET_BITS bits of the mantissa are the same. There are 128
 * buckets of equal width per doubling [2^k, 2^(k+1)), each at most 2^-7 of its lower edge wide. They are found without
 * a logarithm, and alike on every machine. Zero and all else below the normal numbers (2^-1022) are in the first
 * bucket, infinity is in the last. */
#ifndef RIDGELESS_HISTOGRAM_H
#define RIDGELESS_HISTOGRAM_H

#include "ridgeless/core.h"

enum {
    RL_BUCKET_BITS = 7,
    RL_BUCKETS_PER_DOUBLING = 1 << RL_BUCKET_BITS,
    RL_N_BUCKETS = 0x7ff * RL_BUCKETS_PER_DOUBLING + 1 /* those from 1 to RL_BUCKETS_PER_DOUBLING - 1 stay empty */
};

/* sqrt(1 + 2^-7) - 1: how far at most a number is from the geometric middle of its bucket, relative to the number. */
#define RL_BUCKET_ERROR 0.0038986502630631303

/* A histogram holds at most INT32_MAX numbers. */
#define RL_HISTOGRAM_LIMIT INT64_C(0x7fffffff)

/* The bucket of a number that is neither negative nor NaN (asserted). */
int rl_bucket_of(double value);

/* The edges of a bucket, which holds the numbers in [lower, upper); the last one holds INFINITY alone. */
double rl_bucket_lower(int bucket);
double rl_bucket_upper(int bucket);

/* The geometric middle of its edges; 0 for the first bucket. */
double rl_bucket_middle(int bucket);

/* Counts while numbers come in: one page per doubling, made when a number first falls into it. A zeroed struct is an
 * empty histogram. */
typedef struct rl_histogram {
    int64_t n;               /* numbers counted */
    double minimum, maximum; /* of these numbers; not set while n = 0 */
    uint16_t *page_of;       /* [0x7ff + 1 doublings], owned: 1 + its page, 0: it has none; NULL: no doubling has one */
    uint32_t *pages;         /* [n_pages][RL_BUCKETS_PER_DOUBLING], room for `capacity`; owned */
    int n_pages, capacity;
} rl_histogram;
void rl_histogram_destroy(rl_histogram *histogram);

/* Empties it; its pages stay for what comes next. */
void rl_histogram_clear(rl_histogram *histogram);

/* Counts the n numbers values[0], values[stride], ... that are not NaN; none may be negative (asserted). */
rl_status rl_histogram_add(rl_histogram *histogram, const double *values, size_t n, size_t stride);

/* A histogram as a list of its buckets that are not empty, ascending. A zeroed struct is the list of an empty one. */
typedef struct rl_buckets {
    int n, capacity;
    int32_t *bucket;         /* [n], owned */
    uint32_t *count;         /* [n], owned; at least 1 */
    int64_t total;           /* of the counts */
    double minimum, maximum; /* of the numbers; NaN: there are none */
} rl_buckets;
void rl_buckets_destroy(rl_buckets *buckets);

/* Makes the list of a histogram; what the list held before is lost. */
rl_status rl_buckets_list(rl_buckets *buckets, const rl_histogram *histogram);

/* Adds the counts of a list to a histogram. */
rl_status rl_histogram_merge(rl_histogram *histogram, const rl_buckets *buckets);

bool rl_buckets_equal(const rl_buckets *a, const rl_buckets *b);

/* ---- as bits ----------------------------------------------------------------------------------------------------- */

/* Writes bits, the lowest of a value first, and appends them to a text in words of 64. Starts from {.bytes = the text};
 * rl_bits_end fills up the last word with zeros. */
typedef struct rl_bits_out {
    rl_text *bytes;
    uint64_t word;
    int used; /* bits of the word that are taken */
} rl_bits_out;
rl_status rl_bits_put(rl_bits_out *bits, uint64_t value, int n); /* the n <= 64 lowest bits */
rl_status rl_bits_end(rl_bits_out *bits);

/* Writes a number >= 1 in Elias's gamma code: 2 floor(log2 value) + 1 bits. */
rl_status rl_bits_put_gamma(rl_bits_out *bits, uint64_t value);

/* Reads such bits from `n` words, which are borrowed and may lie at any address. The functions return false where fewer
 * bits are left than they want. */
typedef struct rl_bits_in {
    const char *words;
    size_t n, at; /* at: the next bit */
} rl_bits_in;
bool rl_bits_get(rl_bits_in *bits, int n, uint64_t *value);
bool rl_bits_get_gamma(rl_bits_in *bits, uint64_t *value);

/* Whether only the zeros of rl_bits_end are left. */
bool rl_bits_are_at_end(const rl_bits_in *bits);

/* A list of buckets as bits: its length in gamma code; minimum and maximum as they are; the distance of each bucket
 * from the one before and its count, in gamma code. Bits that are read may come from anyone: *sound tells whether
 * rl_buckets_put could have written them, of at most `most` numbers. */
rl_status rl_buckets_put(const rl_buckets *buckets, rl_bits_out *bits);
rl_status rl_buckets_get(rl_buckets *buckets, rl_bits_in *bits, int64_t most, bool *sound);

#endif
