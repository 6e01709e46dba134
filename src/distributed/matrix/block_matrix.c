/* Block-cyclic matrices: where their entries are, their memory, filling them. */
#include <math.h>
#include <string.h>

#include "../../numbers.h"
#include "block_matrix.h"
#include "lanes.h"
#include "needs.h"
#include "ridgeless/arena.h"
#include "scalapack.h"

/* pdgemr2d of ScaLAPACK 2.2.1 counts the bytes of a local part in 32 bits. */
static const int64_t LOCAL_LIMIT = (int64_t)1 << 28;

static const int source = 0;

int rl_rows_before(const rl_block_matrix *matrix, int global) {
    const rl_process_grid *grid = matrix->grid;
    if (matrix->wide) return global;
    return matrix->tall ? numroc_(&global, &matrix->row_block, &grid->rank, &source, &grid->size)
                        : numroc_(&global, &matrix->row_block, &grid->row, &source, &grid->n_rows);
}

int rl_columns_before(const rl_block_matrix *matrix, int global) {
    const rl_process_grid *grid = matrix->grid;
    if (matrix->tall) return global;
    return matrix->wide ? numroc_(&global, &matrix->column_block, &grid->rank, &source, &grid->size)
                        : numroc_(&global, &matrix->column_block, &grid->column, &source, &grid->n_columns);
}

rl_share rl_share_of(const rl_block_matrix *matrix, int first_row, int first_column, int rows, int columns) {
    return (rl_share){rl_rows_before(matrix, first_row), rl_rows_before(matrix, first_row + rows),
                      rl_columns_before(matrix, first_column), rl_columns_before(matrix, first_column + columns)};
}

/* Room for whole lanes of rows, and an odd number of cache lines: the elements of a row spread over all cache sets. */
static int leading_dimension(int local_rows) {
    return rl_whole_lanes(local_rows > 1 ? local_rows : 1) + RL_LANES / 2;
}

/* What follows from the sizes of a matrix and its blocks. */
static rl_block_matrix place_matrix(rl_block_matrix matrix) {
    enum { BLOCK_CYCLIC = 1 };
    const rl_process_grid *grid = matrix.grid;
    matrix.local_rows = rl_rows_before(&matrix, matrix.rows);
    matrix.local_columns = rl_columns_before(&matrix, matrix.columns);
    matrix.ld = leading_dimension(matrix.local_rows);
    const int context = matrix.tall ? grid->tall : matrix.wide ? grid->wide : grid->context;
    const int descriptor[] = {BLOCK_CYCLIC,        context, matrix.rows, matrix.columns, matrix.row_block,
                              matrix.column_block, source,  source,      matrix.ld};
    memcpy(matrix.descriptor, descriptor, sizeof descriptor);
    return matrix;
}

rl_block_matrix rl_block_matrix_layout(const rl_process_grid *grid, int rows, int columns, int block) {
    const bool tall = block == RL_TALL;
    return place_matrix((rl_block_matrix){.grid = grid,
                                          .tall = tall,
                                          .rows = rows,
                                          .columns = columns,
                                          .row_block = tall ? (rows - 1) / grid->size + 1 : block,
                                          .column_block = tall ? columns : block});
}

rl_block_matrix rl_block_matrix_wide(const rl_process_grid *grid, int rows, int columns, int column_block) {
    return place_matrix((rl_block_matrix){.grid = grid,
                                          .wide = true,
                                          .rows = rows,
                                          .columns = columns,
                                          .row_block = rl_larger(rows, 1),
                                          .column_block = column_block});
}

double rl_elements(const rl_block_matrix *layout) {
    return (double)layout->ld * layout->local_columns;
}

static void list_elements(rl_arena *arena, void *object) {
    rl_block_matrix *matrix = object;
    RL_TAKE(arena, matrix->a, fmax(rl_elements(matrix), 1));
}

rl_status rl_block_matrix_allocate(rl_block_matrix *matrix) {
    if (rl_elements(matrix) >= (double)LOCAL_LIMIT)
        return rl_fail(RL_ERR_INPUT,
                       "a %d x %d matrix on %d ranks has %.0f elements on one of them; ScaLAPACK's pdgemr2d moves less "
                       "than 2^28: use at least %lld ranks",
                       matrix->rows, matrix->columns, matrix->grid->size, rl_elements(matrix),
                       (long long)((int64_t)matrix->rows * matrix->columns / LOCAL_LIMIT + 1));
    return rl_arrays_create(matrix, list_elements);
}

void rl_needs_matrix(rl_needs *needs, const rl_block_matrix *layout) {
    rl_block_matrix matrix = *layout;
    rl_needs_limit(needs, "pdgemr2d", rl_elements(layout), (double)(LOCAL_LIMIT - 1));
    rl_needs_arrays(needs, &matrix, list_elements);
}

void rl_needs_no_matrix(rl_needs *needs, const rl_block_matrix *layout) {
    rl_block_matrix matrix = *layout;
    needs->held -= (double)rl_arrays_bytes(&matrix, list_elements);
}

rl_status rl_block_matrix_create(rl_block_matrix *matrix, const rl_process_grid *grid, int rows, int columns,
                                 int block) {
    *matrix = (rl_block_matrix){0};
    if (rows < 1 || columns < 1 || block < 0)
        return rl_fail(RL_ERR_INPUT, "block-cyclic matrix: %d x %d in blocks of %d; sizes must be at least 1", rows,
                       columns, block);
    *matrix = rl_block_matrix_layout(grid, rows, columns, block);
    return rl_block_matrix_allocate(matrix);
}

void rl_block_matrix_destroy(rl_block_matrix *matrix) {
    rl_free(matrix->a);
    *matrix = (rl_block_matrix){0};
}

int rl_block_owner(rl_grid_shape shape, int block_row, int block_column) {
    return block_row % shape.rows * shape.columns + block_column % shape.columns;
}

int rl_owned_lines(int n_processes, int block, int process, int first, int n) {
    const int end = first + n;
    return numroc_(&end, &block, &process, &source, &n_processes) -
           numroc_(&first, &block, &process, &source, &n_processes);
}

static int to_global(int local, int block, int process, int n_processes) {
    return (local / block * n_processes + process) * block + local % block;
}

int rl_block_matrix_global_row(const rl_block_matrix *matrix, int local_row) {
    const rl_process_grid *grid = matrix->grid;
    if (matrix->wide) return local_row;
    return matrix->tall ? grid->rank * matrix->row_block + local_row
                        : to_global(local_row, matrix->row_block, grid->row, grid->n_rows);
}

int rl_block_matrix_global_column(const rl_block_matrix *matrix, int local_column) {
    const rl_process_grid *grid = matrix->grid;
    if (matrix->tall) return local_column;
    return matrix->wide ? to_global(local_column, matrix->column_block, grid->rank, grid->size)
                        : to_global(local_column, matrix->column_block, grid->column, grid->n_columns);
}

void rl_block_matrix_fill(rl_block_matrix *matrix, int first_row, int first_column, int rows, int columns,
                          rl_entry entry, const void *state) {
    const rl_share mine = rl_share_of(matrix, first_row, first_column, rows, columns);
    for (int lj = mine.column; lj < mine.column_end; lj++) {
        const int j = rl_block_matrix_global_column(matrix, lj) - first_column;
        for (int li = mine.row; li < mine.row_end; li++)
            *rl_at(matrix, li, lj) = entry(state, rl_block_matrix_global_row(matrix, li) - first_row, j);
    }
}
