/* sums: adding up many numbers with little rounding, or with none but the last.
 *
 * A part of `core`; all functions are local. */
#ifndef RIDGELESS_SUMS_H
#define RIDGELESS_SUMS_H

#include <stdint.h>

/* A sum with what rounding has lost of it (Neumaier 1974, "Rundungsfehleranalyse einiger Verfahren zur Summation
 * endlicher Summen"). Starts from {0}. The value is off by at most 2 units in the last place of the sum of the numbers'
 * absolute values, for any number of them up to 2^51. */
typedef struct rl_compensated_sum {
    double sum, lost;
} rl_compensated_sum;
void rl_compensated_add(rl_compensated_sum *sum, double number);
double rl_compensated_value(const rl_compensated_sum *sum);

/* An exact sum: an integer that counts units of 2^-1074, the smallest double, in digits of 32 bits, lowest first, which
 * take their sign and some overflow along. Starts from {0}. Adding is exact in any order, for up to 2^30 finite
 * numbers; two sums are added digit by digit. */
enum { RL_EXACT_DIGITS = 68 };
typedef struct rl_exact_sum {
    int64_t digits[RL_EXACT_DIGITS];
} rl_exact_sum;
void rl_exact_add(rl_exact_sum *sum, double number);

/* The double nearest to it, ties to even; infinite where that is beyond the range of doubles. */
double rl_exact_value(const rl_exact_sum *sum);

#endif
