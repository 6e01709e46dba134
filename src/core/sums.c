/* Sums of many numbers: compensated, and exact as integers. */
#include "ridgeless/sums.h"

#include <math.h>
#include <stdbool.h>

enum { DIGIT_BITS = 32, LOWEST_POWER = -1074 };
static const int64_t BASE = (int64_t)1 << DIGIT_BITS;

void rl_compensated_add(rl_compensated_sum *sum, double number) {
    const double total = sum->sum + number;
    if (fabs(sum->sum) >= fabs(number))
        sum->lost += (sum->sum - total) + number;
    else
        sum->lost += (number - total) + sum->sum;
    sum->sum = total;
}

double rl_compensated_value(const rl_compensated_sum *sum) {
    return sum->sum + sum->lost;
}

/* The 53 bits of the number lie across three digits. */
void rl_exact_add(rl_exact_sum *sum, double number) {
    int power;
    if (number == 0) return;
    const int64_t whole = (int64_t)ldexp(frexp(fabs(number), &power), 53);
    const int sign = number < 0 ? -1 : 1;
    int place = power - 53 - LOWEST_POWER, dropped = place < 0 ? -place : 0;
    place += dropped; /* below the smallest double there are only zeros */
    const int shift = place % DIGIT_BITS;
    const uint64_t bits = (uint64_t)whole >> dropped, low = (bits % (uint64_t)BASE) << shift,
                   high = (bits / (uint64_t)BASE) << shift;
    int64_t *const digits = sum->digits + place / DIGIT_BITS;
    digits[0] += sign * (int64_t)(low % (uint64_t)BASE);
    digits[1] += sign * (int64_t)(low / (uint64_t)BASE + high % (uint64_t)BASE);
    digits[2] += sign * (int64_t)(high / (uint64_t)BASE);
}

/* Makes digits [0, BASE) of sign * sum, but for the highest, which keeps the sign of the whole. */
static void carry(const rl_exact_sum *sum, int sign, int64_t digits[RL_EXACT_DIGITS]) {
    int64_t over = 0;
    for (int i = 0; i < RL_EXACT_DIGITS; i++) {
        const int64_t digit = sign * sum->digits[i] + over;
        over = digit >= 0 ? digit / BASE : -((BASE - 1 - digit) / BASE);
        digits[i] = digit - over * BASE;
    }
    digits[RL_EXACT_DIGITS - 1] += over * BASE;
}

/* The leading 64 bits, the last of them set where anything below is: such an integer rounds as the whole sum does. */
static double round_digits(const int64_t digits[RL_EXACT_DIGITS], int top) {
    uint64_t next[2] = {0};
    bool below = false;
    for (int i = 0; i < 2 && top - 1 - i >= 0; i++) next[i] = (uint64_t)digits[top - 1 - i];
    for (int i = top - 3; i >= 0; i--) below |= digits[i] != 0;
    uint64_t bits = (uint64_t)digits[top] << DIGIT_BITS | next[0], rest = next[1];
    int moved = 0;
    for (; bits >> 63 == 0; moved++) {
        rest <<= 1;
        bits = bits << 1 | rest >> DIGIT_BITS;
        rest %= (uint64_t)BASE;
    }
    if (rest != 0 || below) bits |= 1;
    return ldexp((double)bits, DIGIT_BITS * (top - 1) - moved + LOWEST_POWER);
}

double rl_exact_value(const rl_exact_sum *sum) {
    int64_t digits[RL_EXACT_DIGITS];
    int top = RL_EXACT_DIGITS - 1, sign = 1;
    carry(sum, sign, digits);
    if (digits[top] < 0) carry(sum, sign = -1, digits);
    while (top > 0 && digits[top] == 0) top--;
    return digits[top] == 0 ? 0 : sign * round_digits(digits, top);
}
