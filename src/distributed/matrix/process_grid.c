/* Process grids: BLACS contexts on a group of ranks, and agreement on a status. */
#include <stdio.h>

#include "../../numbers.h"
#include "block_matrix.h"
#include "ridgeless/arena.h"
#include "scalapack.h"

void rl_process_grid_shape(int size, int *n_rows, int *n_columns) {
    *n_rows = 1;
    for (int rows = 2; rows <= size / rows; rows++)
        if (size % rows == 0) *n_rows = rows;
    *n_columns = size / *n_rows;
}

static void list_piece(rl_arena *arena, void *object) {
    rl_process_grid *grid = object;
    if (grid->size > 1) RL_TAKE(arena, grid->piece, RL_SUM_PIECE);
}

size_t rl_process_grid_bytes(const rl_process_grid *grid) {
    rl_process_grid copy = *grid;
    return RL_OBJECT_BYTES(&copy, list_piece);
}

/* The shape is the caller's, or with n_rows = 0 the most nearly square one. */
static rl_process_grid lay_out_grid(int rank, int size, int n_rows, int n_columns) {
    if (n_rows == 0) rl_process_grid_shape(size, &n_rows, &n_columns);
    rl_process_grid grid = {.comm = MPI_COMM_NULL,
                            .in_row = MPI_COMM_NULL,
                            .in_column = MPI_COMM_NULL,
                            .rank = rank,
                            .size = size,
                            .n_rows = n_rows,
                            .n_columns = n_columns,
                            .context = -1,
                            .tall = -1,
                            .wide = -1,
                            .system = -1};
    if (n_columns > 0) {
        grid.row = rank / n_columns;
        grid.column = rank % n_columns;
    }
    return grid;
}

rl_process_grid rl_process_grid_planned(int size, rl_grid_shape shape) {
    const bool fits = (int64_t)shape.rows * shape.columns == size;
    return lay_out_grid(0, size, fits ? shape.rows : 0, fits ? shape.columns : 0);
}

/* Collective on `comm` of the grid. Sums are taken in a fixed order, not as messages arrive: runs repeat bit for bit.
 * The map names ranks in comm, row by row, stored column-major. */
static int make_context(const rl_process_grid *grid, int n_rows, int n_columns, int *map) {
    const int yes = 1;
    int context = grid->system;
    for (int i = 0; i < n_rows; i++)
        for (int j = 0; j < n_columns; j++) map[i + j * n_rows] = i * n_columns + j;
    Cblacs_gridmap(&context, map, n_rows, n_rows, n_columns);
    Cblacs_set(context, RL_BLACS_REPEATABLE, &yes);
    return context;
}

/* Names every shape that the ranks can have. */
static rl_status refuse_shape(const rl_process_grid *grid) {
    char shapes[300] = "";
    size_t used = 0;
    for (int rows = 1; rows <= grid->size; rows++)
        if (grid->size % rows == 0 && used < sizeof shapes)
            used += (size_t)snprintf(shapes + used, sizeof shapes - used, "%s%dx%d", used > 0 ? ", " : "", rows,
                                     grid->size / rows);
    return rl_fail(RL_ERR_INPUT, "process grid: %dx%d does not use all of %d rank%s; expected %s%s", grid->n_rows,
                   grid->n_columns, grid->size, rl_plural(grid->size), grid->size > 1 ? "one of " : "", shapes);
}

static rl_status set_up_grid(rl_process_grid *grid, MPI_Comm comm) {
    RL_MPI(MPI_Comm_dup(comm, &grid->comm));
    RL_MPI(MPI_Comm_set_errhandler(grid->comm, MPI_ERRORS_RETURN));
    if (grid->n_rows < 1 || grid->n_columns < 1 || (int64_t)grid->n_rows * grid->n_columns != grid->size)
        return refuse_shape(grid);
    RL_MPI(MPI_Comm_split(grid->comm, grid->row, grid->column, &grid->in_row));
    RL_MPI(MPI_Comm_split(grid->comm, grid->column, grid->row, &grid->in_column));
    int *map = NULL;
    RL_TRY(rl_process_grid_agree(grid, RL_ALLOC(map, grid->size)));
    grid->system = Csys2blacs_handle(grid->comm);
    grid->context = make_context(grid, grid->n_rows, grid->n_columns, map);
    grid->tall = make_context(grid, grid->size, 1, map);
    grid->wide = make_context(grid, 1, grid->size, map);
    rl_free(map);
    return RL_OK;
}

rl_status rl_process_grid_create(MPI_Comm comm, int n_rows, int n_columns, rl_process_grid **grid) {
    int rank, size;
    rl_process_grid *g = NULL;
    *grid = NULL;
    RL_MPI(MPI_Comm_rank(comm, &rank));
    RL_MPI(MPI_Comm_size(comm, &size));
    rl_process_grid plan = lay_out_grid(rank, size, n_rows, n_columns);
    const rl_context group = {.comm = comm, .rank = rank, .size = size};
    rl_status status = rl_context_agree(&group, RL_OBJECT_CREATE(&g, &plan, list_piece));
    if (status == RL_OK) status = set_up_grid(g, comm);
    if (status == RL_OK)
        *grid = g;
    else
        rl_process_grid_destroy(g);
    return status;
}

rl_status rl_process_grid_create_alone(rl_process_grid **grid) {
    return rl_process_grid_create(MPI_COMM_SELF, 1, 1, grid);
}

void rl_process_grid_destroy(rl_process_grid *grid) {
    if (grid == NULL) return;
    if (grid->wide >= 0) Cblacs_gridexit(grid->wide);
    if (grid->tall >= 0) Cblacs_gridexit(grid->tall);
    if (grid->context >= 0) Cblacs_gridexit(grid->context);
    if (grid->system >= 0) Cfree_blacs_system_handle(grid->system);
    if (grid->in_row != MPI_COMM_NULL) MPI_Comm_free(&grid->in_row);
    if (grid->in_column != MPI_COMM_NULL) MPI_Comm_free(&grid->in_column);
    if (grid->comm != MPI_COMM_NULL) MPI_Comm_free(&grid->comm);
    rl_free(grid);
}

rl_status rl_process_grid_agree(const rl_process_grid *grid, rl_status status) {
    const rl_context group = {.comm = grid->comm, .rank = grid->rank, .size = grid->size};
    return rl_context_agree(&group, status);
}
