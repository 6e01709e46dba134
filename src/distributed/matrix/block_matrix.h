/* What all of `distributed` does with matrices on a grid, and with the ranks of the grid. Private. */
#ifndef RL_BLOCK_MATRIX_H
#define RL_BLOCK_MATRIX_H

#include "ridgeless/context.h"
#include "ridgeless/distributed.h"

/* Local. How many of the first `global` rows (columns) this rank owns: the local index range of global [a, b) is
 * [before(a), before(b)). */
int rl_rows_before(const rl_block_matrix *matrix, int global);
int rl_columns_before(const rl_block_matrix *matrix, int global);

/* Rows [first_row, +rows) x columns [first_column, +columns) of a matrix, on all ranks: values[rows, columns],
 * column-major, ld = rows. */
rl_status rl_replicate(const rl_block_matrix *matrix, int first_row, int first_column, int rows, int columns,
                       double *values);

/* Agrees on a ScaLAPACK or LAPACK info: RL_ERR_LIBRARY on all ranks if it is negative on any ("<routine>: argument ..
 * is wrong"). *info becomes the largest of any rank. */
rl_status rl_agree_info(const rl_process_grid *grid, const char *routine, int *info);

/* Local. Allocates the work array that a routine's workspace query asked for, with some slack (queries of ScaLAPACK
 * 2.2.1 are too small for some grids). Refuses by the routine's name what is not a size: queries overflow 32 bits. */
rl_status rl_alloc_work(const char *routine, double asked, double **work, int *lwork);

#endif
