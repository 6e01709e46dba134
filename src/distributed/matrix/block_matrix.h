/* What all of `distributed` does with matrices on a grid, and with the ranks of the grid. Private. */
#ifndef RL_BLOCK_MATRIX_H
#define RL_BLOCK_MATRIX_H

#include "ridgeless/context.h"
#include "ridgeless/distributed.h"

/* ---- layouts: local ---------------------------------------------------------------------------------------------- */

/* A grid of so many ranks as its first rank would see it, for layouts alone: it has no communicator and no contexts.
 * The shape counts where it is of so many ranks. */
rl_process_grid rl_process_grid_planned(int size, rl_grid_shape shape);

/* Bytes that rl_process_grid_create allocates on this rank. */
size_t rl_process_grid_bytes(const rl_process_grid *grid);

/* How many numbers rl_sum_over_ranks adds up at a time: each rank has room for so many of one other. */
enum { RL_SUM_PIECE = 1 << 13 };

/* A matrix in square blocks, or with RL_TALL split by rows, that has its place on the grid but no memory;
 * rl_block_matrix_allocate gives it some. All sizes are at least 1. */
rl_block_matrix rl_block_matrix_layout(const rl_process_grid *grid, int rows, int columns, int block);

/* The same of a matrix whose whole columns are dealt out, so many at a time, rank by rank; rows may be 0. */
rl_block_matrix rl_block_matrix_wide(const rl_process_grid *grid, int rows, int columns, int column_block);
rl_status rl_block_matrix_allocate(rl_block_matrix *matrix);

/* Elements of a rank's part. */
double rl_elements(const rl_block_matrix *layout);

/* ---- places and collective operations ---------------------------------------------------------------------------- */

/* Local. How many of the first `global` rows (columns) this rank owns: the local index range of global [a, b) is
 * [before(a), before(b)). */
int rl_rows_before(const rl_block_matrix *matrix, int global);
int rl_columns_before(const rl_block_matrix *matrix, int global);

/* Local. What this rank owns of rows [first_row, +rows) x columns [first_column, +columns): local rows [row, row_end) x
 * local columns [column, column_end). And the element at a local row and column. */
typedef struct rl_share {
    int row, row_end, column, column_end;
} rl_share;
rl_share rl_share_of(const rl_block_matrix *matrix, int first_row, int first_column, int rows, int columns);
static inline double *rl_at(const rl_block_matrix *matrix, int local_row, int local_column) {
    return matrix->a + (size_t)local_column * (size_t)matrix->ld + (size_t)local_row;
}

/* Rows [first_row, +rows) x columns [first_column, +columns) of a matrix, on all ranks: values[rows, columns],
 * column-major, ld = rows. */
rl_status rl_replicate(const rl_block_matrix *matrix, int first_row, int first_column, int rows, int columns,
                       double *values);

/* Agrees on a ScaLAPACK or LAPACK info: RL_ERR_LIBRARY on all ranks if it is negative on any ("<routine>: argument ..
 * is wrong"). *info becomes the largest of any rank. */
rl_status rl_agree_info(const rl_process_grid *grid, const char *routine, int *info);

/* Local. The length of a work array as an int. Refuses by the routine's name what is more than that. */
rl_status rl_work_length(const char *routine, double elements, int *lwork);

/* To be added to the length that a routine of ScaLAPACK asks for: 2.2.1 asks for too little on some grids. */
enum { RL_WORK_SLACK = 4096 };

#endif
