/* updated: full spectra of a whole curve, each from the one before it by appending rows. Beside `spectrum.h`, on the
 * same side of the seam.
 *
 * Training sets are nested: the first N rows of one order. With X_N = U S V^T, one more row x gives
 *
 *     [X_N; x] = [U 0; 0 1] [S; x V] V^T,
 *
 * and the singular value decomposition of a diagonal matrix with one more row comes from its secular equation (Bunch
 * and Nielsen 1978, "Updating the singular value decomposition"; Gu and Eisenstat 1993, "A stable and fast algorithm
 * for updating the singular value decomposition") in some P^2. What eight rows do to V is kept as one matrix, which too
 * is updated in some P^2, so that they share one product of P^3; a decomposition takes about twenty. Everything happens
 * in the coordinates of one LQ factorization of the first P rows, in which X_N has N columns as long as N <= P. Now and
 * then a decomposition starts anew, so that rounding does not pile up, and where many rows come in at once.
 *
 * All functions are local. Matrices are column-major. */
#ifndef RIDGELESS_UPDATED_H
#define RIDGELESS_UPDATED_H

#include "ridgeless/core.h"
#include "ridgeless/spectrum.h"

/* true: the next N starts anew. It has `rows` training rows more than the one before it; the first N of a curve has
 * INT_MAX and starts anew. *since, carried from N to N: rows appended since one did. */
bool rl_updated_anew(int rows, int *since);

/* Buffers for curves of the training sizes n_train[n_n_train], ascending and distinct, which stay the caller's and must
 * outlive it. */
typedef struct rl_updated rl_updated;
rl_status rl_updated_create(rl_updated **updated, int n_features, int n_n_train, const int *n_train);
void rl_updated_destroy(rl_updated *updated);

/* Bytes that rl_updated_create allocates, exactly. */
size_t rl_updated_bytes(int n_features, int n_n_train, const int *n_train);

/* Begins a curve. `rows` is the longest training set, first row of the order first, borrowed until the curve's end;
 * `test` holds the rows after it, at least one, and is not kept. Input must be finite (asserted). */
rl_status rl_updated_begin(rl_updated *updated, const rl_training_set *rows, const rl_test_factor *test);

/* To n_train[i]: one that starts anew, or the next one. The numbers of an N depend on the rows and on n_train alone. */
rl_status rl_updated_advance(rl_updated *updated, int i);
bool rl_updated_is_anew(const rl_updated *updated, int i);

/* The spectrum of the N that was last advanced to; its arrays are borrowed until the next call. vt is
 * NULL, and z and population_z are without V: see rl_spectrum.to_basis. Of the signs the last mode's alone is that of
 * spectrum.h. false: the training features are rank-deficient, or so nearly that it must be looked at, or numbers left
 * the range of squares, or an iteration did not converge; the dense producer has to do it. */
bool rl_updated_spectrum(rl_updated *updated, rl_spectrum *spectrum);

#endif
