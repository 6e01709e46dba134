/* The seam between spectrum.c and the producers. Private to `distributed`.
 *
 * A producer sees one *core*: a matrix A [rows, columns] with rows >= columns, bordered by what is to be projected, all
 * in one block-cyclic matrix M:
 *
 *         columns   n_left
 *       +---------+--------+
 *  rows |    A    |  left  |      A = U S V^T (thin); wanted: S, U^T left, right V
 *       +---------+--------+
 *  n_right| right |  (any) |
 *       +---------+--------+
 *
 * For n_train >= n_features A is X, left are the targets (RL_N_TARGETS columns) and right the test rows, the
 * population's rows diag(scale) where they are asked for, and beta*^T. For n_train < n_features everything is
 * transposed: A is X^T, left are those rows as columns, right are the targets as rows. So A is never wide, and QR first
 * is the only change of shape there is.
 *
 * What is orthogonal to A's columns stays behind in the left border: once every reflector of the left factor Q has been
 * applied to it, its rows [columns, columns + tail_rows) are the *tails*, the parts outside of U. Nobody may touch them
 * from then on, although rows beyond `rows` are the corner by then (see rl_reduce_shape).
 *
 * Indices here count from 0; ScaLAPACK's arguments from 1. All functions are collective on the grid unless they say
 * Local, and give the same status on all ranks. */
#ifndef RL_PRODUCER_H
#define RL_PRODUCER_H

#include "../matrix/block_matrix.h"
#include "../matrix/needs.h"
#include "operands.h"
#include "ridgeless/arena.h"

typedef struct rl_tails {
    int first, rows; /* rows [first, first + rows) ... */
    int n;           /* ... of columns [first, first + n) */
    double *square;  /* [n]: their squared lengths */
    double *last;    /* [n]: their inner products with that of the last column */
    double *column;  /* [rows]: the last column's, on all ranks */
} rl_tails;

/* Local. The arrays of tails, whose sizes are set. */
void rl_tails_list(rl_arena *arena, void *tails);

typedef struct rl_core {
    const rl_process_grid *grid; /* borrowed */
    rl_block_matrix m;           /* square blocks, from (0, 0); owned. It may have more rows than are in use */
    int rows, columns;           /* of A; rows >= columns >= 1 */
    int n_left, n_right;
    int tail_rows;         /* n_train and n_features apart: |n_train - n_features|; constant */
    const rl_tails *tails; /* what the tails come to, if they are somewhere else; then tail_rows is 0. Borrowed */
    bool test_rows_left;   /* n_train < n_features: the test rows are the left border, the targets the right one */
} rl_core;

/* Local. The layout of another matrix on a core's grid, in its blocks. */
rl_block_matrix rl_core_matrix(const rl_core *core, int rows, int columns);

/* What a producer hands back; allocated by rl_core_gather, owned by the caller of the producer. */
typedef struct rl_projection {
    const rl_core *core;   /* borrowed */
    rl_cell_status status; /* RL_CELL_DONE, or RL_CELL_NO_CONVERGENCE: then the arrays hold nothing of use */
    double *sigma;         /* [columns], descending; the same on all ranks */
    double *targets; /* [columns, RL_N_TARGETS], column-major, ld = columns: U_X^T Y for X's own U; same on all ranks */
    rl_block_matrix z;   /* tall [n_test + n_population + 1, columns]: those rows, last beta*, times X's own V */
    rl_tails tails;      /* of the left border; the same on all ranks */
    double *target_rows; /* [RL_N_TARGETS, columns]: the targets before they are transposed, if they have to be */
} rl_projection;

/* Local. The seconds since *start, which becomes now. */
double rl_lap(double *start);

/* A producer.
 *
 * produce: overwrites core->m, fills the projection. Adds the seconds of the parts that it has. info > 0 of LAPACK is a
 * status of the projection, not an error.
 *
 * tell_needs: local; goes through the stages of `produce` on a core whose matrix is a layout, and leaves the account
 * with what the projection holds. */
typedef struct rl_producer_row {
    rl_status (*produce)(rl_core *core, rl_projection *projection, rl_timings *timings);
    void (*tell_needs)(rl_core *core, rl_projection *projection, rl_needs *needs);
    bool square_only; /* QR or LQ first however nearly square the matrix is */
} rl_producer_row;
extern const rl_producer_row rl_pdgesvd_row, rl_projected_row, rl_two_stage_row;

/* A = Q R in place: A becomes the triangle R [columns, columns] with zeros below it, left becomes Q^T left (its rows
 * from `columns` on are the tails). */
rl_status rl_core_factor(rl_core *core);
void rl_core_factor_needs(const rl_core *core, rl_needs *needs);

/* A = Q B P^T in place with B upper triangular and as many superdiagonals as a block is wide, by QR and LQ panels in
 * turn; left becomes Q^T left and right becomes right P. What is left beside the panels' triangles means nothing. */
rl_status rl_core_reduce_to_band(rl_core *core);
void rl_core_reduce_to_band_needs(const rl_core *core, rl_needs *needs);

/* Local. Bytes that libraries keep between calls: PBLAS a few blocks as long as a rank's rows and columns, MPI buffers
 * for messages. */
double rl_needs_libraries(const rl_core *core);

/* rl_core_factor, and the right border moves up to begin at row `columns`, and core->rows = columns. The right border
 * fills columns [0, columns) alone, so that it does not overwrite the tails. Needs rows > columns. */
rl_status rl_reduce_shape(rl_core *core);
void rl_reduce_shape_needs(rl_core *core, rl_needs *needs);

/* Fills the arrays of tails in a matrix: the same on all ranks. */
rl_status rl_sum_tails(const rl_block_matrix *m, const rl_tails *tails);

/* Once Q^T has been applied to the left border and P to the right one: allocates the projection and takes from core->m
 * the tails, the targets (transposed, if they are rows) and the test rows (transposed, if they are columns), each in
 * the bases that Q and P make; then gives core->m back (it is empty afterwards). */
rl_status rl_core_gather(rl_core *core, rl_projection *projection);
void rl_core_gather_needs(const rl_core *core, rl_projection *projection, rl_needs *needs);

/* The same in two steps, with the test rows by columns, in a layout of the caller's, between them; z is missing until
 * the second one, which gives the columns back. */
rl_status rl_core_gather_columns(rl_core *core, rl_block_matrix *columns, rl_projection *projection);
rl_status rl_core_deal_rows(const rl_core *core, rl_block_matrix *columns, rl_projection *projection);
void rl_core_gather_columns_needs(const rl_core *core, const rl_block_matrix *columns, rl_projection *projection,
                                  rl_needs *needs);
void rl_core_deal_rows_needs(const rl_core *core, const rl_block_matrix *columns, rl_projection *projection,
                             rl_needs *needs);
void rl_projection_destroy(rl_projection *projection);

/* Local. What is still to be transformed once the borders are gathered: this rank's test rows and the targets. */
rl_operands rl_core_operands(const rl_core *core, const rl_projection *projection);

/* A = Q B P^T with B = bidiag(d, e) upper, borders gathered: each rank makes sigma of d and e and rotates its test rows
 * and the targets into the bases of B's singular vectors. d [columns], e [columns - 1]: the same on all ranks,
 * overwritten. Sets projection->status. */
rl_status rl_core_rotate(const rl_core *core, double *d, double *e, rl_projection *projection);
void rl_core_rotate_needs(const rl_core *core, const rl_projection *projection, rl_needs *needs);

/* Local. Time of the rotations of bidiagonal QR where every rank wants so many rows and columns rotated and turns so
 * many. A rotation is 4 flops, or 6; one is counted for each of n^2 and row. */
void rl_needs_rotations(rl_needs *needs, const rl_core *core, rl_work_kind kind, double rotated, double turned);

/* Local. Time of the reduction of A to bidiagonal form by pdgebrd. */
void rl_needs_pdgebrd(rl_needs *needs, rl_part part, const rl_core *core);

/* Local. Flops of Q^T and P, as reflectors, applied to the borders. */
double rl_border_flops(const rl_core *core);

#endif
