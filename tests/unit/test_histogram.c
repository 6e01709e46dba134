/* histogram: logarithmic buckets, against sorting and against a plain array of counts. */
#include "unit.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ridgeless/histogram.h"

/* Numbers over many decades, by a generator of their own (xorshift64*). */
static uint64_t state_of_numbers;
static double next_number(double decades) {
    state_of_numbers ^= state_of_numbers >> 12;
    state_of_numbers ^= state_of_numbers << 25;
    state_of_numbers ^= state_of_numbers >> 27;
    const double u = (double)((state_of_numbers * 0x2545f4914f6cdd1du) >> 11) * 0x1p-53;
    return pow(10, decades * (u - 0.5));
}

static void buckets_are_narrow_and_in_order(void **state) {
    for (int b = RL_BUCKETS_PER_DOUBLING; b < RL_N_BUCKETS - 2; b++) { /* behind the last one is 2^1024 */
        const double lower = rl_bucket_lower(b), upper = rl_bucket_upper(b), middle = rl_bucket_middle(b);
        const double last = nextafter(upper, 0);
        if (!(upper > lower) || upper / lower > 1 + 0x1p-7) fail_msg("bucket %d: %.17g to %.17g", b, lower, upper);
        if (rl_bucket_of(lower) != b || rl_bucket_of(last) != b) fail_msg("bucket %d does not hold its edges", b);
        if (rl_bucket_of(upper) != b + 1) fail_msg("bucket %d holds its upper edge", b);
        /* the stated error, at both ends */
        if (fabs(middle - lower) > RL_BUCKET_ERROR * (1 + 1e-12) * lower) fail_msg("middle %.17g of %d", middle, b);
        if (fabs(middle - last) > RL_BUCKET_ERROR * (1 + 1e-12) * last) fail_msg("middle %.17g of %d", middle, b);
    }
    assert_true(RL_BUCKET_ERROR == sqrt(1 + 0x1p-7) - 1);
    assert_true(rl_bucket_lower(RL_BUCKETS_PER_DOUBLING) == DBL_MIN);
}

static void ends_have_buckets_of_their_own(void **state) {
    assert_int_equal(rl_bucket_of(0), 0);
    assert_int_equal(rl_bucket_of(-0.0), 0);
    assert_int_equal(rl_bucket_of(DBL_TRUE_MIN), 0);
    assert_int_equal(rl_bucket_of(nextafter(DBL_MIN, 0)), 0);
    assert_int_equal(rl_bucket_of(DBL_MIN), RL_BUCKETS_PER_DOUBLING);
    assert_int_equal(rl_bucket_of(DBL_MAX), RL_N_BUCKETS - 2);
    assert_int_equal(rl_bucket_of(INFINITY), RL_N_BUCKETS - 1);
    assert_true(rl_bucket_middle(0) == 0 && rl_bucket_lower(0) == 0 && rl_bucket_upper(0) == DBL_MIN);
    assert_true(isinf(rl_bucket_upper(RL_N_BUCKETS - 2)) && isinf(rl_bucket_middle(RL_N_BUCKETS - 1)));
}

/* The list of a histogram against counts in a plain array. */
static void assert_counts(const rl_histogram *h, const double *values, int n) {
    uint32_t *expected = calloc(RL_N_BUCKETS, sizeof *expected);
    rl_buckets list = {0};
    double low = INFINITY, high = -INFINITY;
    int64_t there = 0;
    assert_non_null(expected);
    for (int i = 0; i < n; i++) {
        if (isnan(values[i])) continue;
        there++;
        expected[rl_bucket_of(values[i])]++;
        low = fmin(low, values[i]);
        high = fmax(high, values[i]);
    }
    assert_int_equal(rl_buckets_list(&list, h), RL_OK);
    assert_true(list.total == there && (there == 0 || (list.minimum == low && list.maximum == high)));
    for (int i = 0; i < list.n; i++) {
        assert_true(i == 0 || list.bucket[i] > list.bucket[i - 1]);
        assert_int_equal(list.count[i], expected[list.bucket[i]]);
        expected[list.bucket[i]] = 0;
    }
    for (int b = 0; b < RL_N_BUCKETS; b++) assert_int_equal(expected[b], 0);
    rl_buckets_destroy(&list);
    free(expected);
}

enum { N = 20000 };

static double *make_numbers(void) {
    double *values = malloc(N * sizeof *values);
    assert_non_null(values);
    state_of_numbers = 88172645463325252u;
    for (int i = 0; i < N; i++) values[i] = i % 50 == 7 ? NAN : i % 100 == 3 ? 0 : next_number(i % 2 == 0 ? 2 : 600);
    values[N / 2] = INFINITY;
    return values;
}

static void numbers_are_counted(void **state) {
    double *values = make_numbers();
    rl_histogram h = {0};
    assert_counts(&h, values, 0);
    assert_int_equal(rl_histogram_add(&h, values, N, 1), RL_OK);
    assert_counts(&h, values, N);
    rl_histogram_clear(&h);
    assert_counts(&h, values, 0);
    for (int i = 0; i < 3; i++) assert_int_equal(rl_histogram_add(&h, values + i, N / 3, 3), RL_OK);
    assert_counts(&h, values, N / 3 * 3);
    rl_histogram_destroy(&h);
    free(values);
}

/* A list through its bits and back. */
static void pass(rl_buckets *list) {
    rl_text words = RL_TEXT_EMPTY;
    rl_bits_out out = {.bytes = &words};
    rl_buckets back = {0};
    bool sound;
    assert_int_equal(rl_bits_put(&out, 5, 3), RL_OK); /* nothing stands at a whole word */
    assert_int_equal(rl_buckets_put(list, &out), RL_OK);
    assert_int_equal(rl_bits_end(&out), RL_OK);
    rl_bits_in in = {.words = words.bytes, .n = words.length / 8};
    uint64_t head;
    assert_true(rl_bits_get(&in, 3, &head) && head == 5);
    assert_int_equal(rl_buckets_get(&back, &in, list->total, &sound), RL_OK);
    assert_true(sound && rl_bits_are_at_end(&in) && rl_buckets_equal(list, &back));
    in.at = 3;
    if (list->total > 0) {
        assert_int_equal(rl_buckets_get(&back, &in, list->total - 1, &sound), RL_OK);
        assert_false(sound);                                       /* more than there can be */
        for (size_t n = 0; n < words.length / 8; n += 1 + n / 8) { /* cut short anywhere */
            in = (rl_bits_in){.words = words.bytes, .n = n, .at = 0};
            if (!rl_bits_get(&in, 3, &head)) continue;
            assert_int_equal(rl_buckets_get(&back, &in, list->total, &sound), RL_OK);
            assert_false(sound);
        }
    }
    rl_buckets_destroy(&back);
    rl_free(words.bytes);
}

static void lists_come_back_from_their_bits(void **state) {
    double *values = make_numbers();
    rl_histogram h = {0};
    rl_buckets list = {0};
    pass(&list);
    for (int n = 1; n < N; n += 1 + n) {
        rl_histogram_clear(&h);
        assert_int_equal(rl_histogram_add(&h, values, (size_t)n, 1), RL_OK);
        assert_int_equal(rl_buckets_list(&list, &h), RL_OK);
        pass(&list);
    }
    rl_buckets_destroy(&list);
    rl_histogram_destroy(&h);
    free(values);
}

static void gamma_codes_have_the_stated_length(void **state) {
    static const uint64_t numbers[] = {1, 2, 3, 4, 255, 256, 1u << 31, UINT64_MAX / 2, UINT64_MAX};
    rl_text words = RL_TEXT_EMPTY;
    rl_bits_out out = {.bytes = &words};
    size_t bits = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_int_equal(rl_bits_put_gamma(&out, numbers[i]), RL_OK);
        for (uint64_t rest = numbers[i]; rest > 1; rest /= 2) bits += 2;
        bits++;
        assert_int_equal(words.length * 8 + (size_t)out.used, bits);
    }
    assert_int_equal(rl_bits_end(&out), RL_OK);
    rl_bits_in in = {.words = words.bytes, .n = words.length / 8};
    uint64_t back;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_true(rl_bits_get_gamma(&in, &back) && back == numbers[i]);
    assert_true(rl_bits_are_at_end(&in) && in.at > 0);
    rl_free(words.bytes);
}

/* Lists that no histogram has are told from those that one has. */
static void nonsense_is_seen(void **state) {
    int32_t bucket[] = {1000, 2000};
    uint32_t count[] = {1, 2};
    static const struct {
        int32_t bucket[2];
        uint32_t count[2];
        double minimum, maximum;
        bool sound;
    } cases[] = {
        {{1000, 2000}, {1, 2}, 0, 0, true},             /* edges from the buckets */
        {{1000, RL_N_BUCKETS - 1}, {1, 2}, 0, 0, true}, /* infinity */
        {{1000, RL_N_BUCKETS}, {1, 2}, 0, 0, false},    /* beyond it */
        {{5, 2000}, {1, 2}, 0, 0, false},               /* no number is there */
        {{1000, 2000}, {1, 9}, 0, 0, false},            /* more than there are repeats */
        {{1000, 2000}, {1, UINT32_MAX}, 0, 0, false},
        {{1000, 2000}, {1, 2}, 1, 2, false}, /* extremes of other buckets */
        {{1000, 2000}, {1, 2}, NAN, NAN, false},
        {{1000, 2000}, {1, 2}, -1, 2, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rl_text words = RL_TEXT_EMPTY;
        rl_bits_out out = {.bytes = &words};
        rl_buckets list = {.n = 2, .bucket = bucket, .count = count}, back = {0};
        bool sound;
        memcpy(bucket, cases[i].bucket, sizeof bucket);
        memcpy(count, cases[i].count, sizeof count);
        list.minimum = cases[i].minimum != 0 ? cases[i].minimum : rl_bucket_lower(bucket[0]);
        list.maximum = cases[i].maximum != 0 ? cases[i].maximum : rl_bucket_lower(bucket[1]);
        assert_int_equal(rl_buckets_put(&list, &out), RL_OK);
        assert_int_equal(rl_bits_end(&out), RL_OK);
        rl_bits_in in = {.words = words.bytes, .n = words.length / 8};
        assert_int_equal(rl_buckets_get(&back, &in, 5, &sound), RL_OK);
        if (sound != cases[i].sound) fail_msg("case %zu", i);
        rl_buckets_destroy(&back);
        rl_free(words.bytes);
    }
}

/* In any order and grouping: the same list. */
static void merging_knows_no_order(void **state) {
    enum { PARTS = 7 };
    double *values = make_numbers();
    rl_histogram whole = {0}, parts[PARTS] = {{0}}, forth = {0}, back = {0};
    rl_buckets list = {0}, expected = {0}, piece = {0};
    assert_int_equal(rl_histogram_add(&whole, values, N, 1), RL_OK);
    assert_int_equal(rl_buckets_list(&expected, &whole), RL_OK);
    for (int i = 0; i < N; i++) assert_int_equal(rl_histogram_add(&parts[i * i % PARTS], values + i, 1, 1), RL_OK);
    for (int k = 0; k < PARTS; k++) {
        assert_int_equal(rl_buckets_list(&piece, &parts[k]), RL_OK);
        assert_int_equal(rl_histogram_merge(&forth, &piece), RL_OK);
        assert_int_equal(rl_buckets_list(&piece, &parts[PARTS - 1 - k]), RL_OK);
        assert_int_equal(rl_histogram_merge(&back, &piece), RL_OK);
    }
    assert_int_equal(rl_buckets_list(&list, &forth), RL_OK);
    assert_true(rl_buckets_equal(&list, &expected));
    assert_int_equal(rl_buckets_list(&list, &back), RL_OK);
    assert_true(rl_buckets_equal(&list, &expected));
    rl_histogram_destroy(&whole);
    rl_histogram_destroy(&forth);
    rl_histogram_destroy(&back);
    for (int k = 0; k < PARTS; k++) rl_histogram_destroy(&parts[k]);
    rl_buckets_destroy(&list);
    rl_buckets_destroy(&expected);
    rl_buckets_destroy(&piece);
    free(values);
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_are_narrow_and_in_order),
        cmocka_unit_test(ends_have_buckets_of_their_own),
        cmocka_unit_test(numbers_are_counted),
        cmocka_unit_test(lists_come_back_from_their_bits),
        cmocka_unit_test(gamma_codes_have_the_stated_length),
        cmocka_unit_test(nonsense_is_seen),
        cmocka_unit_test(merging_knows_no_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
