/* Numbers keyed by what is drawn: Philox4x32-10 of Random123, and uniform numbers, normal numbers and row orders made
 * of its blocks.
 *
 * Logarithm, cosine and sine are written out here, from additions, multiplications and divisions alone: those of libm
 * differ in the last bit from one version and processor to the next, and a drawn value must not. */
#include <Random123/philox.h>
#include <math.h>
#include <string.h>

#include "../checksum.h"
#include "../clones.h"
#include "../numbers.h"
#include "ridgeless/random.h"

static const double LN_2 = 0x1.62e42fefa39efp-1, HALF_PI = 0x1.921fb54442d18p+0;
static const uint64_t SQRT_HALF_BITS = 0x3fe6a09e667f3bcdu, ONE_BITS = 0x3ff0000000000000u;

rl_key rl_key_make(uint64_t study_seed, const char *dataset_name) {
    const uint64_t hash = XXH3_64bits_withSeed(dataset_name, strlen(dataset_name), study_seed);
    return (rl_key){{(uint32_t)hash, (uint32_t)(hash >> 32)}};
}

void rl_philox(rl_key key, rl_stream stream, uint32_t repeat, uint32_t row, uint32_t column, uint32_t block[4]) {
    const philox4x32_ctr_t counter = {{column, row, (uint32_t)stream, repeat}};
    const philox4x32_key_t philox_key = {{key.word[0], key.word[1]}};
    const philox4x32_ctr_t result = philox4x32_R(10, counter, philox_key);
    memcpy(block, result.v, sizeof result.v);
}

/* The middle of one of 2^52 equal intervals of (0, 1), which a double holds exactly. The bits first make a number in
 * [1, 2). */
RL_INLINED double open_uniform(uint32_t low, uint32_t high) {
    const uint64_t bits = ONE_BITS | ((uint64_t)high << 32 | low) >> 12;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x - 1 + 0x1p-53;
}

double rl_philox_uniform(rl_key key, rl_stream stream, uint32_t repeat, uint32_t row, uint32_t column) {
    uint32_t block[4];
    rl_philox(key, stream, repeat, row, column, block);
    return open_uniform(block[0], block[1]);
}

RL_INLINED double polynomial(const double *coefficients, int n, double z) {
    double sum = coefficients[0];
    for (int i = 1; i < n; i++) sum = sum * z + coefficients[i];
    return sum;
}
#define POLYNOMIAL(coefficients, z) polynomial(coefficients, (int)(sizeof(coefficients) / sizeof(double)), z)

/* Coefficients, highest power first: of the series of artanh(s) / s - 1 in z = s^2, and of Taylor's series of cos x and
 * sin x / x in z = x^2. On the intervals below, the terms left out are less than 2^-57 of the sum. */
static const double ARTANH[] = {1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11,
                                1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3,  0};
static const double COS[] = {1.0 / 20922789888000,
                             -1.0 / 87178291200,
                             1.0 / 479001600,
                             -1.0 / 3628800,
                             1.0 / 40320,
                             -1.0 / 720,
                             1.0 / 24,
                             -1.0 / 2,
                             1};
static const double SIN[] = {1.0 / 355687428096000,
                             -1.0 / 1307674368000,
                             1.0 / 6227020800,
                             -1.0 / 39916800,
                             1.0 / 362880,
                             -1.0 / 5040,
                             1.0 / 120,
                             -1.0 / 6,
                             1};

/* The logarithm of u in (0, 1): u = m 2^e with m in [sqrt(1/2), sqrt(2)), and log m = 2 artanh((m - 1) / (m + 1)).
 * There is no branch: a random one is mispredicted half of the time. */
RL_INLINED double natural_log(double u) {
    uint64_t bits;
    memcpy(&bits, &u, sizeof bits);
    const uint64_t above = bits - SQRT_HALF_BITS; /* its exponent field is e, in two's complement */
    bits -= above & 0xfff0000000000000u;
    double m;
    memcpy(&m, &bits, sizeof m);
    const int e = (int)((int64_t)above >> 52);
    const double s = (m - 1) / (m + 1);
    return e * LN_2 + (2 * s + 2 * s * POLYNOMIAL(ARTANH, s * s));
}

double rl_philox_misses(rl_key key, rl_stream stream, uint32_t repeat, uint32_t row, uint32_t column, double miss,
                        double *uniform) {
    uint32_t block[4];
    rl_philox(key, stream, repeat, row, column, block);
    *uniform = open_uniform(block[2], block[3]);
    return miss > 0 ? floor(natural_log(open_uniform(block[0], block[1])) / natural_log(miss)) : 0;
}

/* Returns a if `second` is 0 and b if it is 1, with the sign changed if `change` is 2 and not if it is 0. Done by bits:
 * this would be a random branch too, and compilers make no vectors of such a choice. */
RL_INLINED double choose_number(int second, double a, double b, int change) {
    uint64_t bits[2];
    memcpy(&bits[0], &a, sizeof a);
    memcpy(&bits[1], &b, sizeof b);
    const uint64_t mask = 0 - (uint64_t)second, sign = (uint64_t)change << 62;
    bits[0] = ((bits[0] & ~mask) | (bits[1] & mask)) ^ sign;
    memcpy(&a, &bits[0], sizeof a);
    return a;
}

/* The two normal numbers of a block: radius times cosine and sine of an angle, which is quadrant pi/2 + x with
 * |x| <= pi/4. */
RL_INLINED void make_normals(const uint32_t block[4], double *even, double *odd) {
    const double radius = sqrt(-2 * natural_log(open_uniform(block[0], block[1])));
    const double quarters = 4 * open_uniform(block[2], block[3]); /* the angle, in quarters of a circle */
    const int quadrant = (int)(quarters + 0.5);
    const double x = (quarters - quadrant) * HALF_PI;
    const double cosine = POLYNOMIAL(COS, x * x), sine = x * POLYNOMIAL(SIN, x * x);
    *even = radius * choose_number(quadrant & 1, cosine, sine, (quadrant + 1) & 2);
    *odd = radius * choose_number(quadrant & 1, sine, cosine, quadrant & 2);
}

double rl_philox_normal(rl_key key, rl_stream stream, uint32_t repeat, uint32_t row, uint32_t column) {
    uint32_t block[4];
    double normals[2];
    rl_philox(key, stream, repeat, row / 2, column, block);
    make_normals(block, &normals[0], &normals[1]);
    return normals[row % 2];
}

/* Which blocks to draw together: neighbours in a row or in a column, at most AT_ONCE. */
enum { AT_ONCE = 64 };
typedef struct block_run {
    rl_key key;
    uint32_t column, pair, stream, repeat; /* the first counter; a pair is rows 2 pair and 2 pair + 1 */
    uint32_t column_step, pair_step;
} block_run;

RL_CLONES static void draw_blocks(const block_run *given, int count, double *restrict even, double *restrict odd) {
    const block_run run = *given;
    const philox4x32_key_t key = {{run.key.word[0], run.key.word[1]}};
    for (uint32_t k = 0; k < (uint32_t)count; k++) {
        const philox4x32_ctr_t counter = {
            {run.column + k * run.column_step, run.pair + k * run.pair_step, run.stream, run.repeat}};
        const philox4x32_ctr_t block = philox4x32_R(10, counter, key);
        make_normals(block.v, &even[k], &odd[k]);
    }
}

void rl_philox_normal_row_pair(rl_key key, rl_stream stream, uint32_t repeat, uint32_t pair, uint32_t first_column,
                               int count, double *even, double *odd) {
    for (int done = 0; done < count; done += AT_ONCE) {
        const block_run run = {key, first_column + (uint32_t)done, pair, stream, repeat, 1, 0};
        draw_blocks(&run, rl_smaller(count - done, AT_ONCE), even + done, odd + done);
    }
}

void rl_philox_normal_row(rl_key key, rl_stream stream, uint32_t repeat, uint32_t row, uint32_t first_column, int count,
                          double *out) {
    double other[AT_ONCE];
    for (int done = 0; done < count; done += AT_ONCE) {
        const int some = rl_smaller(count - done, AT_ONCE);
        rl_philox_normal_row_pair(key, stream, repeat, row / 2, first_column + (uint32_t)done, some,
                                  row % 2 == 0 ? out + done : other, row % 2 == 0 ? other : out + done);
    }
}

void rl_philox_normal_column(rl_key key, rl_stream stream, uint32_t repeat, uint32_t first_row, uint32_t column,
                             int count, double *out) {
    double even[AT_ONCE], odd[AT_ONCE];
    int i = first_row % 2 == 0 ? 0 : -1; /* place in `out` of the even row of a pair */
    for (uint32_t pair = first_row / 2; i < count; pair += AT_ONCE) {
        const block_run run = {key, column, pair, stream, repeat, 0, 1};
        const int pairs = rl_smaller((count - i + 1) / 2, AT_ONCE);
        draw_blocks(&run, pairs, even, odd);
        for (int k = 0; k < pairs; k++, i += 2) {
            if (i >= 0) out[i] = even[k];
            if (i + 1 < count) out[i + 1] = odd[k];
        }
    }
}

/* The words of the blocks (row 0, column 0, 1, 2, ...) in turn. */
typedef struct word_stream {
    rl_key key;
    uint32_t repeat, column;
    int used;
    uint32_t block[4];
} word_stream;

static uint32_t next_word(word_stream *words) {
    if (words->used == 4) {
        rl_philox(words->key, RL_STREAM_ROW_ORDER, words->repeat, 0, words->column++, words->block);
        words->used = 0;
    }
    return words->block[words->used++];
}

/* Uniform on 0 ... range - 1: the upper half of word x range. The 2^32 mod range words that would make some values more
 * likely than others are drawn again. */
static uint32_t next_below(word_stream *words, uint32_t range) {
    const uint32_t surplus = (0u - range) % range;
    uint64_t product;
    do product = (uint64_t)next_word(words) * range;
    while ((uint32_t)product < surplus);
    return (uint32_t)(product >> 32);
}

void rl_philox_permutation(rl_key key, uint32_t repeat, int n, int n_last, int *order) {
    word_stream words = {.key = key, .repeat = repeat, .used = 4};
    for (int i = 0; i < n; i++) order[i] = i;
    for (int i = n - 1; i > 0 && i >= n - n_last; i--) {
        const uint32_t j = next_below(&words, (uint32_t)i + 1);
        const int swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
    }
}
