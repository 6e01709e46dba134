/* rotations: plane rotations of neighbouring columns, collected sweep by sweep and applied together. Private to
 * `distributed`; all functions are local.
 *
 * The rotation (c, s) at i makes of the columns x = x_i and y = x_(i+1) the columns c x + s y and c y - s x. A sweep is
 * rotations at first, first + 1, ..., end - 1, in this order. Applied one by one, each sweep would bring the whole
 * matrix through the cache for a few operations on each number; collected, many sweeps follow each other closely, as a
 * wave, over a few columns at a time (Van Zee, van de Geijn and Quintana-Orti, 2014). */
#ifndef RL_ROTATIONS_H
#define RL_ROTATIONS_H

#include "operands.h"
#include "ridgeless/arena.h"

typedef struct rl_rotation {
    double c, s;
} rl_rotation;

/* Sweeps waiting to be applied. */
typedef struct rl_sweeps {
    int n;            /* columns */
    int count;        /* of sweeps */
    int *first, *end; /* of each sweep */
    rl_rotation *rotations;
} rl_sweeps;

/* From a rotation of a sweep to the one at the next column. */
enum { RL_SWEEP_STRIDE = 4 };

/* Sweeps that wait for each other at most, to be applied in one wave. */
enum { RL_SWEEPS_TOGETHER = 32 };

/* The arrays of sweeps over n columns; n is set, the count is 0. */
void rl_sweeps_list(rl_sweeps *sweeps, rl_arena *arena);

/* A new last sweep: the caller stores its rotation at i, first <= i < end, at result[i * RL_SWEEP_STRIDE]. NULL when
 * there is no room: apply first. */
rl_rotation *rl_sweeps_add(rl_sweeps *sweeps, int first, int end);

/* Applies all sweeps to the columns of x [n_rows, n], column-major, and forgets them. ld is at least
 * rl_whole_lanes(n_rows); rows up to there are rotated too. With `mirrored`, column i of the sweeps is column n - 1 - i
 * of x. What becomes of a row depends on the row and the sweeps alone. */
void rl_sweeps_apply(rl_sweeps *sweeps, bool mirrored, double *x, int n_rows, int ld);

#endif
