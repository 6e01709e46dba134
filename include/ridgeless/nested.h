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
 * Every error is a sum of squares; nothing is subtracted from one. All functions are local. */
#ifndef RIDGELESS_NESTED_H
#define RIDGELESS_NESTED_H

#include "ridgeless/core.h"
#include "ridgeless/spectrum.h"

enum { RL_N_NESTED_TARGETS = RL_TARGET_IDEAL + 1 }; /* RL_TARGET_Y and RL_TARGET_IDEAL */

/* What one training set of the curve comes to. */
typedef struct rl_nested_point {
    /* false: the training features are rank-deficient, or so nearly that it must be looked at, or numbers left the
     * range of squares, or an iteration did not converge. Nothing below is set then: the dense producer has to do it.
     */
    bool done;
    double sigma_min, sigma_max; /* all min(n_train, n_features) modes count */
    /* Of the least-squares fit to y and to y*, minimum-norm when n_train < n_features. The fit to y* is beta* itself
     * from n_train = n_features on: exact zeros. */
    double test_mse[RL_N_NESTED_TARGETS];      /* mean square over the test rows */
    double train_mse[RL_N_NESTED_TARGETS];     /* mean square over the training rows */
    double population_sq[RL_N_NESTED_TARGETS]; /* |diag(rows.scale) (beta_hat - beta*)|^2: the mean square of x .
                                                  (beta_hat - beta*) over the population, where that is known */
    double test_bias;                          /* mean over the test rows of x . (V V^T - I) beta* */
    double test_bias_mse;                      /* mean of its square: test_mse of y* */
} rl_nested_point;

/* Buffers for curves of the training sizes n_train[n_sizes], ascending and distinct, which stay the caller's and must
 * outlive it. Memory: about three times the longest training set, and n_features squared times five. */
typedef struct rl_nested rl_nested;
rl_status rl_nested_create(rl_nested **nested, int n_features, int n_sizes, const int *n_train);
void rl_nested_destroy(rl_nested *nested);

/* Asked between pieces of work; false abandons the curve with RL_STOPPED. call may be NULL. */
typedef struct rl_nested_tick {
    bool (*call)(void *state);
    void *state;
} rl_nested_tick;

/* Fills points[n_sizes]. `rows` is the longest training set, first row of the order first. `test` holds the rows after
 * it on entry, at least one, and training rows besides on return. The numbers depend on the arguments alone. Input must
 * be finite (asserted). */
rl_status rl_nested_curve(rl_nested *nested, const rl_training_set *rows, rl_test_factor *test, rl_nested_tick tick,
                          rl_nested_point *points);

#endif
