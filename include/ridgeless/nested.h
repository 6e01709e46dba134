/* nested: a whole curve from two factorizations, for variants that need no full spectrum. Beside `spectrum.h`, on the
 * same side of the seam.
 *
 * Training sets are nested: the first N rows of one order. One LQ of the first P rows serves every N <= P, because X_N
 * = L_N Q_N with L_N the leading block of L; one QR to which rows are appended serves every N > P. Fits, errors and
 * biases come from triangular solves, singular values from Lanczos on the inverse of a triangle:
 *
 *   N <= P   z = L^-1 y is the solution in the coordinates Q for every N at once: of N, the first N entries. What the
 *            forward substitution has not explained yet of the rows below is their prediction error. Of beta*, with w =
 *            Q beta*, the first N entries are found and the others lost.
 *   N > P    R and Q^T y by Givens rotations, row by row; the corner of [R Q^T y] is the residual of training.
 *
 * Every error is a sum of squares; nothing is subtracted from one. The fit to y* is beta* itself from N = P on: exact
 * zeros. All functions are local. */
#ifndef RIDGELESS_NESTED_H
#define RIDGELESS_NESTED_H

#include "ridgeless/core.h"
#include "ridgeless/spectrum.h"

/* Buffers for curves of the training sizes n_train[n_n_train], ascending and distinct, which stay the caller's and must
 * outlive it. rl_nested_bytes: what rl_nested_create allocates, exactly; about three times the longest
 * training set, and n_features squared times five. */
typedef struct rl_nested rl_nested;
rl_status rl_nested_create(rl_nested **nested, int n_features, int n_n_train, const int *n_train);
void rl_nested_destroy(rl_nested *nested);
size_t rl_nested_bytes(int n_features, int n_n_train, const int *n_train);

/* Fills points[n_n_train]. `rows` is the longest training set, first row of the order first. `test` holds the rows
 * after it on entry, at least one, and training rows besides on return. The numbers depend on the arguments alone.
 * Input must be finite (asserted). */
rl_status rl_nested_curve(rl_nested *nested, const rl_training_set *rows, rl_test_factor *test, rl_tick tick,
                          rl_point *points);

#endif
