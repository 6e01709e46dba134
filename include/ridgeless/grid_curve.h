/* grid_curve: a whole curve from one factorization, on a process grid. A second header of `distributed`.
 *
 * The counterpart of `nested.h` for training sets that no rank holds whole: X^T of all rows of a repeat lies on the
 * grid once, and QR of its first columns turns all rows into coordinates in which the training set of size N is a
 * triangle's leading block:
 *
 *   N <= P   X_N = L_N Q. Forward substitution with the targets fits all sizes at once; what is left of each later
 *            row's target, coordinate by coordinate, is its prediction error. Of beta*, w = Q beta*, the first N
 *            coordinates are found and the others lost.
 *   N > P    Rows are appended to a copy of the triangle, some at a time; sizes in between come from the rank-one
 *            corrections of one solve (Woodbury), as long as that costs no accuracy.
 *
 * Extreme singular values come from Lanczos on the triangle or its inverse, up to 64 sizes side by side; full spectra
 * at chosen N <= P start from the leading block, as it is. Every error is a sum of squares; nothing is subtracted from
 * one.
 *
 * All functions are collective on the grid: every rank calls them with the same arguments and gets the same status and
 * the same points, bit for bit. The same call on another grid or with other blocks gives the same numbers to eps times
 * the condition. */
#ifndef RIDGELESS_GRID_CURVE_H
#define RIDGELESS_GRID_CURVE_H

#include "ridgeless/distributed.h"
#include "ridgeless/nested.h"

/* All of it is borrowed until the curve is destroyed. */
typedef struct rl_curve_case {
    rl_case rows;       /* n_train: the longest training set; the n_test rows after it are test rows of all sizes */
    int n_sizes;        /* at least 1 */
    const int *n_train; /* [n_sizes], ascending and distinct; the last one is rows.n_train */
} rl_curve_case;

typedef struct rl_grid_curve rl_grid_curve;

/* Makes all rows where they live, refuses what is not finite (RL_ERR_INPUT on all ranks, before any LAPACK call), and
 * factors. `block` is the side of the matrix's blocks. Entries of any finite size are fine: the matrix is scaled by a
 * power of two. Memory on all ranks together: n_features (n_train + n_test) doubles, and n_features^2 more with
 * rows.scale; that again for a spectrum, while it is made; and n_features^2 while points with N > P are. timings may be
 * NULL: `generate` and `reduce` are what it says. *curve is NULL on failure. */
rl_status rl_grid_curve_create(const rl_process_grid *grid, int block, const rl_curve_case *c, rl_grid_curve **curve,
                               rl_timings *timings);
void rl_grid_curve_destroy(rl_grid_curve *curve); /* NULL is allowed */

/* Fills points[n_sizes]. sigma_min and sigma_max, which are most of the work, where sigma_wanted[i] (NULL: nowhere),
 * and NaN elsewhere.
 *
 * A size that may be rank-deficient is not done (see rl_point): where singular values are known, by the rule of
 * `nested.h`, sigma_min <= 10 max(N, P) eps sigma_max. Elsewhere by bounds in their place, from the triangle R at hand:
 * sigma_max <= |R|_F and sigma_min >= 1 / |R^-1|_F, where |R^-1|_F is estimated from solves with 8 random vectors and
 * taken 10 times as large (which is too small once in 10^7). Above P the triangle may be that of fewer rows, whose
 * sigma_min is not larger. So what is done here would be done there; the other way round, a size with |R|_F |R^-1|_F,
 * which is at most N times the condition, above 1 / (100 max(N, P) eps) may be left to a full spectrum without need.
 *
 * `tick` is asked on every rank between pieces of work; when it says false on any, all leave with RL_STOPPED. */
rl_status rl_grid_curve_points(rl_grid_curve *curve, const bool *sigma_wanted, rl_tick tick, rl_point *points);

/* The full spectrum at size n_train[n_index] <= n_features, as of rl_distributed_spectrum: all rows after it are its
 * test rows. timings->generate is the copy of the triangle. */
rl_status rl_grid_curve_spectrum(rl_grid_curve *curve, int n_index, rl_producer producer, rl_spectrum_store *store,
                                 rl_spectrum *spectrum, rl_timings *timings);

#endif
