/* Sums, copies and agreement over the ranks of a grid; lengths of work arrays. */
#include <string.h>

#include "../../numbers.h"
#include "block_matrix.h"

/* Messages stay far below MPI's 2^31 items. */
static const int64_t CHUNK = 1 << 16;

/* Rank 0 gets the sums, along a binary tree: of each 2, 4, 8, ... ranks the first takes what the second half has. */
static rl_status sum_piece(const rl_process_grid *grid, double *values, int n) {
    enum { TAG = 0 };
    for (int half = 1; half < grid->size; half *= 2) {
        if (grid->rank % (2 * half) == half) {
            RL_MPI(MPI_Send(values, n, MPI_DOUBLE, grid->rank - half, TAG, grid->comm));
            return RL_OK;
        }
        if (grid->rank + half >= grid->size) continue;
        RL_MPI(MPI_Recv(grid->piece, n, MPI_DOUBLE, grid->rank + half, TAG, grid->comm, MPI_STATUS_IGNORE));
        for (int i = 0; i < n; i++) values[i] += grid->piece[i];
    }
    return RL_OK;
}

/* Ranks go on to the next piece while the one before it climbs the tree. */
rl_status rl_sum_over_ranks(const rl_process_grid *grid, double *values, int64_t n) {
    if (grid->size == 1) return RL_OK;
    for (int64_t done = 0; done < n; done += RL_SUM_PIECE)
        RL_TRY(sum_piece(grid, values + done, (int)rl_smaller(n - done, (int64_t)RL_SUM_PIECE)));
    for (int64_t done = 0; done < n; done += CHUNK)
        RL_MPI(MPI_Bcast(values + done, (int)rl_smaller(n - done, CHUNK), MPI_DOUBLE, 0, grid->comm));
    return RL_OK;
}

rl_status rl_replicate(const rl_block_matrix *matrix, int first_row, int first_column, int rows, int columns,
                       double *values) {
    const int64_t n = (int64_t)rows * columns;
    memset(values, 0, (size_t)n * sizeof(double));
    const rl_share mine = rl_share_of(matrix, first_row, first_column, rows, columns);
    for (int lj = mine.column; lj < mine.column_end; lj++) {
        const size_t j = (size_t)(rl_block_matrix_global_column(matrix, lj) - first_column);
        for (int li = mine.row; li < mine.row_end; li++)
            values[j * (size_t)rows + (size_t)(rl_block_matrix_global_row(matrix, li) - first_row)] =
                *rl_at(matrix, li, lj);
    }
    /* One rank has each entry and the others have zeros: the sum is exact in any order. */
    for (int64_t done = 0; done < n; done += CHUNK)
        RL_MPI(MPI_Allreduce(MPI_IN_PLACE, values + done, (int)rl_smaller(n - done, CHUNK), MPI_DOUBLE, MPI_SUM,
                             matrix->grid->comm));
    return RL_OK;
}

rl_status rl_agree_info(const rl_process_grid *grid, const char *routine, int *info) {
    int extremes[2] = {-*info, *info};
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, extremes, 2, MPI_INT, MPI_MAX, grid->comm));
    *info = extremes[1];
    if (extremes[0] <= 0) return RL_OK;
    /* ScaLAPACK says 100 i + j for entry j of a descriptor that is argument i. */
    return rl_fail(RL_ERR_LIBRARY, "%s: argument %d is wrong", routine, extremes[0]);
}

rl_status rl_work_length(const char *routine, double elements, int *lwork) {
    if (!(elements <= INT32_MAX))
        return rl_fail(RL_ERR_INPUT,
                       "%s asks for a work array of %.0f doubles; its limit is 2^31 - 1: use more ranks for this case",
                       routine, elements);
    *lwork = (int)elements;
    return RL_OK;
}
