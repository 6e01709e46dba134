/* rotations: plane rotations of neighbouring columns, collected sweep by sweep and applied together. Private to
 * `distributed`; all functions are local.
 *
 * A rotation by the angle a, at most a quarter turn to either side, at i makes of the columns x = x_i and y = x_(i+1)
 * the columns x cos a + y sin a and y cos a - x sin a. It is kept as t = tan(a / 2) and s = sin a, and done in three
 * steps, x += t y, y -= s x, x += t y, a multiplication and an addition each (lifting; Daubechies and Sweldens, 1998).
 * Where many sweeps pass over all columns it is two, at the same time: X + a Y and Y - b X (Gentleman's fast rotations,
 * 1973) are the new columns over cos a, which goes into a scale that each column has until the sweeps have left it.
 * A sweep is rotations at first, first + 1, ..., end - 1, in this order. Applied one by one, each sweep would bring the
 * whole matrix through the cache for a few operations on each number; collected, many sweeps follow each other closely,
 * as a wave, over a few columns at a time (Van Zee, van de Geijn and Quintana-Orti, 2014). */
#ifndef RL_ROTATIONS_H
#define RL_ROTATIONS_H

#include "operands.h"
#include "ridgeless/arena.h"

/* Sweeps are kept in groups of RL_SWEEPS. A frame is t (or a) of each of them, and then s (b) of each: of sweep k at
 * column i in the frame of the time i + RL_LAG k. So 16 sweeps that run at the same time, each RL_LAG columns behind
 * the one before, write one frame after the other. */
enum { RL_SWEEPS = 16, RL_LAG = 2, RL_FRAME = 2 * RL_SWEEPS };

typedef struct rl_sweep_group {
    int count;      /* of sweeps */
    int lo, hi;     /* columns that its frames have room for */
    int first, end; /* columns that its sweeps pass over, together */
    double *frames; /* the first one is of the time lo - RL_SWEEPS */
    double *scales; /* [hi - lo + 1]: of column lo and after; NULL: rotations in three steps */
} rl_sweep_group;

/* Sweeps waiting to be applied. */
typedef struct rl_sweeps {
    int n;     /* columns */
    int count; /* of groups */
    rl_sweep_group *groups;
    double *frames; /* of all groups */
    size_t used;    /* of them */
} rl_sweeps;

/* One sweep, to be filled by rl_sweep_set; no frames: there was no room. */
typedef struct rl_sweep {
    double *frames; /* of the group, from this sweep's place in each on */
    int time;       /* of the first one, less what this sweep lags behind */
    double *scales; /* of the group, as the sweeps so far have left them */
    int lo;         /* the column of the first one */
} rl_sweep;

/* The arrays of sweeps over n columns; n is set, the count is 0. */
void rl_sweeps_list(rl_sweeps *sweeps, rl_arena *arena);

/* How many sweeps over all n columns are applied together. */
int rl_sweeps_waiting(int n);

/* A new last sweep over [first, end), all of whose rotations the caller sets. Sweeps over parts of [lo, hi), to which
 * it belongs, will follow or are there: they are kept together. No room: apply first. */
rl_sweep rl_sweeps_add(rl_sweeps *sweeps, int lo, int hi, int first, int end);

/* RL_SWEEPS new sweeps, all over [first, end), in a group of their own, the last one, with scales; NULL: no room. Their
 * rotations are set sweep by sweep, or as if they had been. */
rl_sweep_group *rl_sweeps_add_group(rl_sweeps *sweeps, int first, int end);

/* Sweep k of a group. */
rl_sweep rl_sweep_of(const rl_sweep_group *group, int k);

/* Whether its columns, divided by their scales, stay numbers: these are products of cosines. If not, all rotations are
 * to be set once more, without scales. */
bool rl_sweeps_are_scaled_well(const rl_sweep_group *group);

/* The frame of a time. */
static inline double *rl_sweep_frame(const rl_sweep_group *group, int time) {
    return group->frames + (ptrdiff_t)(time - (group->lo - RL_SWEEPS)) * RL_FRAME;
}

/* The rotation at column i with cosine c >= 0 and sine s. */
static inline void rl_sweep_set(const rl_sweep *sweep, int i, double c, double s) {
    double *const at = sweep->frames + (ptrdiff_t)(i - sweep->time) * RL_FRAME;
    if (sweep->scales == NULL) {
        at[0] = s / (1 + c);
        at[RL_SWEEPS] = s;
        return;
    }
    double *const scale = sweep->scales + (i - sweep->lo);
    const double over = s / (c * scale[0] * scale[1]);
    at[0] = over * scale[1] * scale[1];
    at[RL_SWEEPS] = over * scale[0] * scale[0];
    scale[0] *= c;
    scale[1] *= c;
}

/* Turns elements i and i + 1 of a row x by the rotation of a sweep at column i, of a group without scales. */
static inline void rl_sweep_turn(const rl_sweep *sweep, int i, double *x) {
    const double *at = sweep->frames + (ptrdiff_t)(i - sweep->time) * RL_FRAME;
    x[0] += at[0] * x[1];
    x[1] -= at[RL_SWEEPS] * x[0];
    x[0] += at[0] * x[1];
}

/* Applies all sweeps to the columns of x [n_rows, n], column-major, and keeps them. ld is at least
 * rl_whole_lanes(n_rows); rows up to there may be rotated too. With `mirrored`, column i of the sweeps is column n - 1
 * - i of x. What becomes of a row depends on the row and the sweeps alone, and not on max_lanes where that is more than
 * 2: doubles of a vector register to be used at most, 0 for as many as there are. */
void rl_sweeps_apply(rl_sweeps *sweeps, bool mirrored, double *x, int n_rows, int ld, int max_lanes);

/* Forgets all sweeps. */
void rl_sweeps_clear(rl_sweeps *sweeps);

/* ---- for the kernels --------------------------------------------------------------------------------------------- */

enum { RL_FUSED = 4 };       /* sweeps that pass over the columns together */
enum { RL_ROWS_TURNED = 8 }; /* rows that are turned at once, whether all of them are there or not */

/* RL_FUSED sweeps of a group over some rows, each a column behind the one before, so that a column is loaded and stored
 * once for all of them. At position p the first one is at column p, the second one at p - 1, ... */
typedef struct rl_rotated_piece {
    const double *frames; /* of position `begin`: t of the first sweep */
    double *column;       /* column 0, where the rows begin */
    ptrdiff_t stride;     /* to the next column */
    int begin, end;       /* positions */
    bool scaled;          /* in two steps */
    const double *scales; /* of column `lo` and after, where columns leave the group with these sweeps; else NULL */
    int lo;
    int first, last; /* the columns that the sweeps have; others are zeros that nobody keeps */
    ptrdiff_t ahead; /* to what is to be fetched of the rows that come next, a line of each column; 0: nothing */
} rl_rotated_piece;

/* Of so many rows, a multiple of RL_ROWS_TURNED. */
void rl_rotate_2(const rl_rotated_piece *piece, int rows);
#ifdef RL_WIDE
void rl_rotate_4(const rl_rotated_piece *piece, int rows);
void rl_rotate_8(const rl_rotated_piece *piece, int rows);
#endif

#endif
