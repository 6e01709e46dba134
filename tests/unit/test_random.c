/* random: known answers and distributions of the generators, and permutations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ridgeless/random.h"

#define assert_near(value, expected, tolerance) assert_true(is_near(value, expected, tolerance))

/* Both ends of the tolerance allowed; false for NaN. */
static bool is_near(double value, double expected, double tolerance) {
    return fabs(value - expected) <= tolerance;
}

static const rl_key key = {{0x12345678, 0x9abcdef0}};

/* ---- Philox ----------------------------------------------------------------------------------------------------- */

/* Random123's kat_vectors, philox4x32 with 10 rounds. */
static void philox_has_the_published_answers(void **state) {
    (void)state;
    static const struct {
        uint32_t counter[4];
        rl_key key;
        uint32_t expected[4];
    } known[] = {
        {{0, 0, 0, 0}, {{0, 0}}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {{0xffffffff, 0xffffffff}},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {{0xa4093822, 0x299f31d0}},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const uint32_t *counter = known[i].counter; /* column, row, stream, repeat */
        uint32_t block[4];
        rl_philox(known[i].key, (rl_stream)counter[2], counter[3], counter[1], counter[0], block);
        assert_memory_equal(block, known[i].expected, sizeof block);
    }
}

static void key_is_the_hash_of_the_name(void **state) {
    (void)state;
    const rl_key empty = rl_key_make(0, ""); /* XXH3_64bits of nothing is 0x2d06800538d394c2, xxHash's own test */
    assert_int_equal(empty.word[0], 0x38d394c2);
    assert_int_equal(empty.word[1], 0x2d068005);
    const rl_key a = rl_key_make(0, "diabetes"), b = rl_key_make(1, "diabetes"), c = rl_key_make(0, "california");
    assert_memory_not_equal(&a, &b, sizeof a);
    assert_memory_not_equal(&a, &c, sizeof a);
    const rl_key high = rl_key_make((uint64_t)1 << 32, "diabetes"); /* all 64 bits of the seed count */
    assert_memory_not_equal(&a, &high, sizeof a);
}

/* Expected: a Philox written in Python, Box-Muller by mpmath to 60 digits. */
static void normal_numbers_are_exact_box_muller(void **state) {
    (void)state;
    static const struct {
        rl_stream stream;
        uint32_t repeat, row, column;
        double expected;
    } known[] = {
        {RL_STREAM_FEATURES, 0, 0, 0, -0.19999644734688576}, {RL_STREAM_FEATURES, 0, 1, 0, -0.7580779129716423},
        {RL_STREAM_FEATURES, 3, 7, 5, 0.6751126973073963},   {RL_STREAM_NOISE, 49, 1000, 0, 1.139770653913159},
        {RL_STREAM_TEACHER, 0, 0, 29, -0.15024620871681924},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const double value = rl_philox_normal(key, known[i].stream, known[i].repeat, known[i].row, known[i].column);
        assert_near(value, known[i].expected, 4 * DBL_EPSILON * fabs(known[i].expected));
    }
}

/* libm's functions are right to an ulp: all quadrants and 14 powers of two of the radius are met. */
static void normal_numbers_agree_with_libm(void **state) {
    (void)state;
    for (uint32_t row = 0; row < 20000; row++) {
        uint32_t block[4];
        rl_philox(key, RL_STREAM_NOISE, 1, row / 2, 3, block);
        const double u = ((double)(((uint64_t)block[1] << 32 | block[0]) >> 12) + 0.5) * 0x1p-52;
        const double v = ((double)(((uint64_t)block[3] << 32 | block[2]) >> 12) + 0.5) * 0x1p-52;
        const double angle = 2 * M_PI * v, radius = sqrt(-2 * log(u));
        const double expected = radius * (row % 2 == 0 ? cos(angle) : sin(angle));
        assert_near(rl_philox_normal(key, RL_STREAM_NOISE, 1, row, 3), expected, 8 * DBL_EPSILON * radius);
    }
}

static void normal_row_is_its_entries(void **state) {
    (void)state;
    double whole[200], part[7];
    for (uint32_t row = 10; row < 12; row++) {
        rl_philox_normal_row(key, RL_STREAM_FEATURES, 2, row, 0, 200, whole);
        rl_philox_normal_row(key, RL_STREAM_FEATURES, 2, row, 90, 7, part);
        assert_memory_equal(part, whole + 90, sizeof part);
        for (uint32_t j = 0; j < 200; j++)
            assert_true(whole[j] == rl_philox_normal(key, RL_STREAM_FEATURES, 2, row, j));
    }
}

/* Many at once are the same bits: odd and even first rows, all counts up to some blocks, and nothing beyond them. */
static void normal_columns_and_pairs_are_entries(void **state) {
    (void)state;
    double column[300], even[300], odd[300];
    for (uint32_t first = 0; first < 3; first++)
        for (int count = 0; count < 280; count += count < 8 ? 1 : 13) {
            column[count] = even[count] = odd[count] = -99;
            rl_philox_normal_column(key, RL_STREAM_NOISE, 4, 70 + first, 6, count, column);
            rl_philox_normal_row_pair(key, RL_STREAM_NOISE, 4, 35 + first, 6, count, even, odd);
            for (uint32_t i = 0; i < (uint32_t)count; i++) {
                assert_true(column[i] == rl_philox_normal(key, RL_STREAM_NOISE, 4, 70 + first + i, 6));
                assert_true(even[i] == rl_philox_normal(key, RL_STREAM_NOISE, 4, 70 + 2 * first, 6 + i));
                assert_true(odd[i] == rl_philox_normal(key, RL_STREAM_NOISE, 4, 71 + 2 * first, 6 + i));
            }
            assert_true(column[count] == -99 && even[count] == -99 && odd[count] == -99);
        }
}

static void every_index_changes_the_draw(void **state) {
    (void)state;
    const double value = rl_philox_normal(key, RL_STREAM_FEATURES, 5, 8, 9);
    assert_true(value != rl_philox_normal(key, RL_STREAM_NOISE, 5, 8, 9));
    assert_true(value != rl_philox_normal(key, RL_STREAM_FEATURES, 6, 8, 9));
    assert_true(value != rl_philox_normal(key, RL_STREAM_FEATURES, 5, 9, 9));
    assert_true(value != rl_philox_normal(key, RL_STREAM_FEATURES, 5, 10, 9));
    assert_true(value != rl_philox_normal(key, RL_STREAM_FEATURES, 5, 8, 10));
    assert_true(value != rl_philox_normal((rl_key){{1, 2}}, RL_STREAM_FEATURES, 5, 8, 9));
}

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov-Smirnov against the normal distribution: sqrt(n) D > 1.95 has probability 0.1 %; the key is fixed. The two
 * numbers of a Box-Muller pair are in rows 2i and 2i + 1: their correlation, and that of their squares (variance of the
 * products: 1 and 4), stay within 4 standard deviations of 0. */
static void normal_numbers_are_normal(void **state) {
    (void)state;
    enum { ROWS = 400, COLUMNS = 50, N = ROWS * COLUMNS };
    static double x[N];
    for (uint32_t i = 0; i < ROWS; i++)
        rl_philox_normal_row(key, RL_STREAM_FEATURES, 0, i, 0, COLUMNS, x + i * COLUMNS);
    double products = 0, square_products = 0;
    for (int i = 0; i < ROWS; i += 2)
        for (int j = 0; j < COLUMNS; j++) {
            const double a = x[i * COLUMNS + j], b = x[(i + 1) * COLUMNS + j];
            products += a * b;
            square_products += (a * a - 1) * (b * b - 1);
        }
    assert_near(products / (N / 2), 0, 4 / sqrt(N / 2));
    assert_near(square_products / (N / 2), 0, 8 / sqrt(N / 2));
    qsort(x, N, sizeof *x, compare);
    double distance = 0;
    for (int i = 0; i < N; i++) {
        const double p = 0.5 * erfc(-x[i] / sqrt(2));
        distance = fmax(distance, fmax(fabs(p - (double)i / N), fabs(p - (double)(i + 1) / N)));
    }
    assert_true(sqrt(N) * distance < 1.95);
}

static void assert_permutation(int n, const int *order) {
    bool *seen = calloc((size_t)n + 1, 1);
    for (int i = 0; i < n; i++) {
        assert_in_range(order[i], 0, n - 1);
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
    }
    free(seen);
}

/* Expected: the same Fisher-Yates over the Philox written in Python. */
static void philox_permutation_has_known_values(void **state) {
    (void)state;
    static const int repeat_0[] = {5, 6, 3, 4, 2, 7, 8, 1, 0, 9}, repeat_5[] = {4, 5, 1, 7, 2, 9, 0, 6, 8, 3};
    int order[442];
    rl_philox_permutation(key, 0, 10, 10, order);
    assert_memory_equal(order, repeat_0, sizeof repeat_0);
    rl_philox_permutation(key, 5, 10, 10, order);
    assert_memory_equal(order, repeat_5, sizeof repeat_5);
    rl_philox_permutation(key, 3, 442, 442, order);
    long checksum = 0;
    for (int i = 0; i < 442; i++) checksum += (long)(i + 1) * order[i];
    assert_int_equal(checksum, 21481064);
    assert_int_equal(order[0], 56);
    assert_int_equal(order[441], 414);
}

static void philox_permutation_permutes(void **state) {
    (void)state;
    static const int sizes[] = {0, 1, 2, 3, 64, 65, 1000};
    int order[1001];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        order[sizes[i]] = -7; /* nothing beyond n is written */
        rl_philox_permutation(key, 1, sizes[i], sizes[i], order);
        assert_permutation(sizes[i], order);
        assert_int_equal(order[sizes[i]], -7);
    }
}

/* Chi-squared over the 24 orders of 4: 23 degrees of freedom, 49.7 is exceeded with probability 0.1 %; fixed key. */
static void philox_permutation_is_uniform(void **state) {
    (void)state;
    enum { REPEATS = 24000 };
    int counts[256] = {0};
    for (uint32_t repeat = 0; repeat < REPEATS; repeat++) {
        int order[4];
        rl_philox_permutation(key, repeat, 4, 4, order);
        counts[order[0] * 64 + order[1] * 16 + order[2] * 4 + order[3]]++;
    }
    double chi_squared = 0;
    int n_orders = 0;
    for (int i = 0; i < 256; i++) {
        if (counts[i] == 0) continue;
        n_orders++;
        chi_squared += (counts[i] - REPEATS / 24.0) * (counts[i] - REPEATS / 24.0) / (REPEATS / 24.0);
    }
    assert_int_equal(n_orders, 24);
    assert_true(chi_squared < 49.7);
}

/* ---- NumPy's legacy generator: expected values printed by NumPy 1.24 ----------------------------------------------
 */

/* Matsumoto and Nishimura's seed 5489: the 10000th number is 4123659995 (C++ standard, rand.predef). */
static void mt19937_has_the_standard_answers(void **state) {
    (void)state;
    rl_mt19937 generator;
    rl_mt19937_seed(&generator, 5489);
    assert_int_equal(rl_mt19937_next(&generator), 3499211612u);
    assert_int_equal(rl_mt19937_next(&generator), 581869302u);
    for (int i = 2; i < 9999; i++) rl_mt19937_next(&generator);
    assert_int_equal(rl_mt19937_next(&generator), 4123659995u);
}

/* RandomState(42).random_sample(3) */
static void uniform_equals_numpy(void **state) {
    (void)state;
    rl_mt19937 generator;
    rl_mt19937_seed(&generator, 42);
    assert_true(rl_mt19937_uniform(&generator) == 0x1.7f8771e5f51ecp-2);
    assert_true(rl_mt19937_uniform(&generator) == 0x1.e6c4068bbd654p-1);
    assert_true(rl_mt19937_uniform(&generator) == 0x1.76c7e8f1e6751p-1);
}

/* g = RandomState(0); a = g.randn(1000, 30); b = g.randn(30): a[0, :5], a[999, 29], b[:3], b[29] */
static void normal_equals_numpy(void **state) {
    (void)state;
    static const double first[] = {0x1.c398ef3e5cfa5p+0, 0x1.99c2cfacc8953p-2, 0x1.f51d25222c9abp-1,
                                   0x1.1ed5969e3314ep+1, 0x1.de1847cb13ddap+0};
    static const double after[] = {0x1.7c24477a197dep-2, 0x1.381944b1b1e78p-2, 0x1.021c9eaa770a6p-1};
    rl_mt19937 generator;
    rl_mt19937_seed(&generator, 0);
    double value = 0;
    for (int i = 0; i < 30000; i++) {
        value = rl_mt19937_normal(&generator);
        if (i < 5) assert_true(value == first[i]);
    }
    assert_true(value == 0x1.41687daa43b2cp+0);
    for (int i = 0; i < 30; i++) {
        value = rl_mt19937_normal(&generator);
        if (i < 3) assert_true(value == after[i]);
    }
    assert_true(value == 0x1.66477cbcd5951p+0);
}

static void permutation_equals_numpy(void **state) {
    (void)state;
    static int order[20640];
    rl_mt19937 generator;
    static const int head[] = {351, 109, 60, 432, 353, 274, 237, 89}, tail[] = {25, 196, 175};
    rl_mt19937_seed(&generator, 7); /* RandomState(7).permutation(442): [:8], [-3:] */
    rl_mt19937_permutation(&generator, 442, 442, order);
    assert_permutation(442, order);
    assert_memory_equal(order, head, sizeof head);
    assert_memory_equal(order + 439, tail, sizeof tail);

    rl_mt19937_seed(&generator, 3); /* RandomState(3).permutation(1) */
    rl_mt19937_permutation(&generator, 1, 1, order);
    assert_int_equal(order[0], 0);
    rl_mt19937_permutation(&generator, 0, 0, order);
    assert_int_equal(order[0], 0);

    rl_mt19937_seed(&generator, 49); /* p = RandomState(49).permutation(20640); sum((i + 1) * p[i]) */
    rl_mt19937_permutation(&generator, 20640, 20640, order);
    int64_t checksum = 0;
    for (int i = 0; i < 20640; i++) checksum += (int64_t)(i + 1) * order[i];
    assert_true(checksum == 2200823900393);

    static const int largest_seed[] = {6, 9, 5, 1, 8, 0, 7, 4, 2, 3};
    rl_mt19937_seed(&generator, 0xffffffff); /* RandomState(2**32 - 1).permutation(10) */
    rl_mt19937_permutation(&generator, 10, 10, order);
    assert_memory_equal(order, largest_seed, sizeof largest_seed);
}

/* g = RandomState(0): g.permutation(10), g.permutation(10), g.randn(), g.permutation(5), g.randn(): the second Gaussian
 * waits while other numbers are drawn. */
static void mixed_draws_equal_numpy(void **state) {
    (void)state;
    static const int once[] = {2, 8, 4, 9, 1, 6, 7, 3, 0, 5}, twice[] = {3, 5, 1, 2, 9, 8, 0, 6, 7, 4},
                     thrice[] = {0, 2, 3, 4, 1};
    rl_mt19937 generator;
    rl_mt19937_seed(&generator, 0);
    int order[10];
    rl_mt19937_permutation(&generator, 10, 10, order);
    assert_memory_equal(order, once, sizeof once);
    rl_mt19937_permutation(&generator, 10, 10, order);
    assert_memory_equal(order, twice, sizeof twice);
    assert_true(rl_mt19937_normal(&generator) == -0.08767306723970031);
    rl_mt19937_permutation(&generator, 5, 5, order);
    assert_memory_equal(order, thrice, sizeof thrice);
    assert_true(rl_mt19937_normal(&generator) == 1.366879366926775);
}

/* The upper 52 bits of the first two words, low word first, as the middle of an interval; and moments of many. */
static void uniform_numbers_are_middles_of_intervals(void **state) {
    const rl_key own = rl_key_make(9, "u");
    double mean = 0, square = 0;
    enum { N = 40000 };
    for (uint32_t row = 0; row < N; row++) {
        uint32_t block[4];
        rl_philox(own, RL_STREAM_INPUTS, 3, row, 7, block);
        const uint64_t bits = (uint64_t)block[1] << 32 | block[0];
        const double u = rl_philox_uniform(own, RL_STREAM_INPUTS, 3, row, 7);
        assert_true(u == ldexp((double)(bits >> 12) + 0.5, -52));
        mean += u / N, square += u * u / N;
    }
    assert_true(fabs(mean - 0.5) < 4.5 * sqrt(1.0 / 12 / N));
    assert_true(fabs(square - 1.0 / 3) < 4.5 * sqrt(4.0 / 45 / N));
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uniform_numbers_are_middles_of_intervals),
        cmocka_unit_test(philox_has_the_published_answers),
        cmocka_unit_test(key_is_the_hash_of_the_name),
        cmocka_unit_test(normal_numbers_are_exact_box_muller),
        cmocka_unit_test(normal_numbers_agree_with_libm),
        cmocka_unit_test(normal_row_is_its_entries),
        cmocka_unit_test(normal_columns_and_pairs_are_entries),
        cmocka_unit_test(every_index_changes_the_draw),
        cmocka_unit_test(normal_numbers_are_normal),
        cmocka_unit_test(philox_permutation_has_known_values),
        cmocka_unit_test(philox_permutation_permutes),
        cmocka_unit_test(philox_permutation_is_uniform),
        cmocka_unit_test(mt19937_has_the_standard_answers),
        cmocka_unit_test(uniform_equals_numpy),
        cmocka_unit_test(normal_equals_numpy),
        cmocka_unit_test(permutation_equals_numpy),
        cmocka_unit_test(mixed_draws_equal_numpy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
