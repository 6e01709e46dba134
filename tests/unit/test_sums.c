/* Sums of many numbers: exact ones against sums that are known, and compensated ones against exact ones. */
#include "unit.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "ridgeless/sums.h"

static double exact(const double *numbers, int n) {
    rl_exact_sum sum = {{0}};
    for (int i = 0; i < n; i++) rl_exact_add(&sum, numbers[i]);
    return rl_exact_value(&sum);
}

#define ASSERT_EXACT(expected, ...)                                                  \
    do {                                                                             \
        const double numbers[] = {__VA_ARGS__};                                      \
        const double sum = exact(numbers, (int)(sizeof numbers / sizeof(double)));   \
        if (sum != (expected)) fail_msg("%a, expected %a", sum, (double)(expected)); \
    } while (0)

static void exact_sums_are_rounded_once(void **state) {
    const double large = 0x1p53;
    ASSERT_EXACT(0, 0.0);
    ASSERT_EXACT(1e308, 1e308, 1e308, -1e308);
    ASSERT_EXACT(INFINITY, DBL_MAX, DBL_MAX);
    ASSERT_EXACT(-INFINITY, -DBL_MAX, -DBL_MAX);
    ASSERT_EXACT(DBL_MAX, DBL_MAX, 1.0);
    ASSERT_EXACT(0x1p-1074, 0x1p-1074, 1.0, -1.0);
    ASSERT_EXACT(-0x1.8p-1022, -0x1p-1022, -0x1p-1023);
    ASSERT_EXACT(0x1p-1022 - 0x1p-1074, 0x1p-1022, -0x1p-1074);
    ASSERT_EXACT(0, 1e300, 1e-300, -1e300, -1e-300);
    ASSERT_EXACT(large, large, 1.0); /* a tie goes to even */
    ASSERT_EXACT(large + 4, large + 2, 1.0);
    ASSERT_EXACT(large + 2, large, 1.0, 0x1p-1074); /* what lies beyond a tie, however small, breaks it */
    ASSERT_EXACT(-large - 2, -large, -1.0, -0x1p-1074);
    ASSERT_EXACT(large, large, 1.0, -0x1p-1074);
    ASSERT_EXACT(0x1p64, 0x1p64, 0x1p11);
    ASSERT_EXACT(0x1p64 + 0x1p12, 0x1p64, 0x1p11, 0x1p-20);
    ASSERT_EXACT(-1, 0x1p32, -0x1p32, -1.0);
}

/* Numbers of every size and sign, which follow from a seed (Park and Miller 1988). */
static void draw(int n, double *numbers) {
    uint64_t seed = 7;
    for (int i = 0; i < n; i++) {
        seed = seed * 48271 % 2147483647;
        const double part = 2.0 * (double)seed / 2147483647 - 1;
        seed = seed * 48271 % 2147483647;
        numbers[i] = ldexp(part, (int)(seed % 2000) - 1000);
    }
}

static void exact_sums_know_no_order(void **state) {
    enum { N = 10000 };
    static double numbers[2 * N];
    rl_exact_sum halves[2] = {{{0}}};
    draw(N, numbers);
    const double sum = exact(numbers, N);
    for (int i = 0; i < N; i++) rl_exact_add(&halves[i % 3 == 0], numbers[N - 1 - i]);
    for (int i = 0; i < RL_EXACT_DIGITS; i++) halves[0].digits[i] += halves[1].digits[i];
    assert_true(sum != 0 && rl_exact_value(&halves[0]) == sum);
    for (int i = 0; i < N; i++) numbers[N + i] = -numbers[(i * 7919LL) % N]; /* 7919 is prime to N */
    assert_true(exact(numbers, 2 * N) == 0);
}

static void compensated_sums_are_nearly_exact(void **state) {
    enum { N = 100000 };
    static double numbers[N];
    double absolute = 0, plain = 0;
    rl_compensated_sum sum = {0};
    draw(N, numbers);
    for (int i = 0; i < N; i++) {
        numbers[i] = ldexp(frexp(numbers[i], &(int){0}), i % 60); /* within 60 bits: plain sums lose some */
        rl_compensated_add(&sum, numbers[i]);
        absolute += fabs(numbers[i]);
        plain += numbers[i];
    }
    const double error = fabs(rl_compensated_value(&sum) - exact(numbers, N));
    assert_true(error <= DBL_EPSILON * absolute);
    assert_true(fabs(plain - exact(numbers, N)) > 4 * error);
    sum = (rl_compensated_sum){0};
    const double lost[] = {1, 1e100, 1, -1e100}; /* Neumaier's own example, where Kahan's sum is 0 */
    for (int i = 0; i < 4; i++) rl_compensated_add(&sum, lost[i]);
    assert_true(rl_compensated_value(&sum) == 2);
}

int main(void) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_sums_are_rounded_once),
        cmocka_unit_test(exact_sums_know_no_order),
        cmocka_unit_test(compensated_sums_are_nearly_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
