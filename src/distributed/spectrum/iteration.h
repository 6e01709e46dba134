/* iteration: what the parts of the implicit QR iteration share: its state, its sweeps, and early deflation. Private to
 * `bidiagonal`; all functions are local. */
#ifndef RL_ITERATION_H
#define RL_ITERATION_H

#include "rotations.h"

enum { RL_ROWS, RL_COLUMNS };

/* Criteria of convergence, relative: Demmel and Kahan's tolerance, a hundred roundings. */
#define RL_ROUNDING  0x1p-53
#define RL_TOLERANCE (100 * RL_ROUNDING)

/* A mode while it is being ordered. */
typedef struct rl_mode {
    double sigma;
    int column;
} rl_mode;

/* A chase goes down. Where it should go up, the order of rows and columns is reversed: with J the reversal, J B^T J is
 * upper bidiagonal, d and e reversed, left and right exchanged. */
typedef struct rl_iteration {
    int n;
    double *d, *e;
    bool reversed;
    int lo, hi;               /* the block under way: rows and columns lo ... hi; e is zero around it */
    double smallest, largest; /* of the block: a lower bound of its singular values, and its largest element */
    double negligible;        /* an element of e as small as this is zero anyway */
    int64_t rotations_left;
    const rl_operands *operands;
    rl_sweeps sweeps[2]; /* for the rows and for the columns */
    double *columns;     /* the operand's columns as rows [ld_columns, n] */
    int ld_columns;
    rl_mode *modes;  /* [n]: in order, at the end */
    double *factors; /* [n_rows + n_columns]: what rows, and columns, are multiplied by while they are turned */
    double *spare;   /* [2 n] or [n_rows], the more: a copy of d and e, or a column of the rows */
} rl_iteration;

/* Applies the sweeps that wait. */
void rl_iteration_apply(rl_iteration *it);

/* ---- sweeps (chase.c) -------------------------------------------------------------------------------------------- */

/* One sweep of rows and columns first ... last, for both sides. Of all that it belongs to, see rl_sweeps_add. */
typedef struct rl_chase {
    int first, last;
    rl_sweep right, left;
} rl_chase;

rl_chase rl_chase_begin(rl_iteration *it, int lo, int hi, int first, int last);

/* Chases a bulge from first to last that a rotation of columns first and first + 1 makes, the one that makes of (f, g)
 * (r, 0). Returns r. */
double rl_chase_from(rl_iteration *it, const rl_chase *chase, double f, double g);

/* The implicitly shifted QR sweep of rows and columns first ... last; 0: none is needed. */
void rl_chase_shifted(rl_iteration *it, const rl_chase *chase, double shift);

/* The shift of the last two rows; 0: as good as none. */
double rl_chase_shift(const rl_iteration *it, int first, int last);

/* Of the block: Demmel and Kahan's sweep with the shift zero, in which nothing is subtracted; RL_SWEEPS sweeps one
 * behind the other; and a block of two, at once. */
void rl_chase_zero(rl_iteration *it);
void rl_chase_many(rl_iteration *it, const double *shifts);
void rl_chase_pair(rl_iteration *it);

/* Blocks of fewer rows are not worth RL_SWEEPS sweeps at a time. */
enum { RL_CHASE_LEAST = 96 };

/* ---- early deflation (deflation.c) ------------------------------------------------------------------------------- */

/* Looks for singular values that have converged in the last rows of the block, which has RL_CHASE_LEAST of them, and
 * takes them off, wherever they are. Returns how many; if fewer than RL_SWEEPS, shifts [RL_SWEEPS] are those that bring
 * off the next ones. */
int rl_iteration_deflate(rl_iteration *it, double *shifts);

/* ---- for the kernels --------------------------------------------------------------------------------------------- */

/* A bulge on its way: a rotation from the right of columns i and i + 1 makes g zero; elements (i, i) and (i, i + 1)
 * before it. */
typedef struct rl_bulge {
    double f, g, diagonal, above;
} rl_bulge;

/* One side of a chain. Scales are known of both, so that all ranks agree on what becomes of it. */
typedef struct rl_chain_side {
    double *frames;                                  /* of the time `begin`; NULL: none are wanted */
    double *scales;                                  /* from that of column `begin` on */
    double scale[RL_SWEEPS], scale_after[RL_SWEEPS]; /* of columns i and i + 1 */
} rl_chain_side;

/* RL_SWEEPS sweeps, at the time t sweep k at column t - RL_LAG k. */
typedef struct rl_chain {
    double f[RL_SWEEPS], g[RL_SWEEPS], diagonal[RL_SWEEPS], above[RL_SWEEPS]; /* their bulges */
    double next[RL_SWEEPS]; /* elements (i + 1, i + 1): what the sweep before has made of them */
    double *d, *e;
    rl_chain_side right, left;
    int begin, end; /* times */
    double least;   /* the least sum of squares that a rotation was made of */
} rl_chain;

/* All times of a chain. The same bits for registers of 4 and 8 doubles, which fuse multiplications and additions. */
void rl_chain_run_2(rl_chain *chain);
#ifdef RL_WIDE
void rl_chain_run_4(rl_chain *chain);
void rl_chain_run_8(rl_chain *chain);
#endif

#endif
