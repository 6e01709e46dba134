/* Rows of a table in blocks, read on rank 0 and dealt out to the ranks that own them. */
#include "deal.h"

#include <math.h>
#include <string.h>

#include "../../numbers.h"
#include "ridgeless/arena.h"

typedef struct dealer {
    rl_block_matrix *m;
    rl_placement to;
    const rl_rows *rows;
    rl_table_blocks *table; /* open on rank 0 */
    int height;             /* rows of a slab */
    int n_in_file;          /* rows, with those that miss a value */
    int *place;             /* [n_in_file]: which of the placed rows it becomes; -1: none */
    double *slab;           /* [height, features]: the placed rows of a slab one after the other */
    int *wanted;            /* [height]: where in the file these rows are */
    int n_rows;             /* of the slab, that this rank has a part of */
    int *row_in_slab;       /* [height]: which of the slab's rows */
    size_t *row_at;         /* [height]: where it begins in this rank's part of the matrix */
} dealer;

static rl_status open_table(dealer *d) {
    const rl_process_grid *grid = d->m->grid;
    rl_status status = grid->rank == 0 ? rl_table_blocks_open(d->rows->dataset, &d->table) : RL_OK;
    RL_TRY(rl_process_grid_agree(grid, status));
    if (grid->rank == 0) d->height = rl_table_blocks_height(d->table);
    RL_MPI(MPI_Bcast(&d->height, 1, MPI_INT, 0, grid->comm));
    return RL_OK;
}

static void list_dealer(rl_arena *arena, void *object) {
    dealer *d = object;
    const rl_dataset *data = d->rows->dataset;
    RL_TAKE(arena, d->place, d->n_in_file);
    RL_TAKE(arena, d->slab, (size_t)d->height * (size_t)data->n_features);
    RL_TAKE(arena, d->wanted, d->height);
    RL_TAKE(arena, d->row_in_slab, d->height);
    RL_TAKE(arena, d->row_at, d->height);
}

/* ---- who owns what ----------------------------------------------------------------------------------------------- */

static void invert_order(dealer *d) {
    for (int i = 0; i < d->n_in_file; i++) d->place[i] = -1;
    for (int i = 0; i < d->to.n_rows; i++)
        d->place[rl_dataset_file_row(d->rows->dataset, d->rows->order[d->to.first_row + i])] = i;
}

static void find_rows(dealer *d, int n_wanted) {
    const rl_block_matrix *m = d->m;
    d->n_rows = 0;
    for (int i = 0; i < n_wanted; i++) {
        const int place = d->place[d->wanted[i]];
        const rl_share its = rl_share_of(m, d->to.row + place, d->to.column + place, 1, 1);
        if (d->to.transposed ? its.column == its.column_end : its.row == its.row_end) continue;
        d->row_in_slab[d->n_rows] = i;
        d->row_at[d->n_rows++] = d->to.transposed ? (size_t)its.column * (size_t)m->ld : (size_t)its.row;
    }
}

/* ---- one slab ---------------------------------------------------------------------------------------------------- */

/* How many of the file's rows [first, end) are placed. */
static int find_wanted(dealer *d, int first, int end) {
    int n = 0;
    for (int row = first; row < end; row++)
        if (d->place[row] >= 0) d->wanted[n++] = row;
    return n;
}

/* Reads from the first of them to the last, and closes the gaps that rows between them leave. None of them misses a
 * value, as long as the file is the same. */
static rl_status read_wanted(dealer *d, int n_wanted) {
    const size_t p = (size_t)d->rows->dataset->n_features;
    const int first = d->wanted[0], count = d->wanted[n_wanted - 1] - first + 1;
    RL_TRY(rl_table_blocks_read(d->table, first, count, d->slab));
    for (size_t i = 0; i < (size_t)n_wanted; i++) {
        const size_t from = (size_t)(d->wanted[i] - first);
        if (from != i) memcpy(d->slab + i * p, d->slab + from * p, p * sizeof(double));
    }
    for (size_t i = 0; i < (size_t)n_wanted * p; i++)
        if (!isfinite(d->slab[i]))
            return rl_fail(RL_ERR_IO, "%s: has changed since the table was loaded", d->rows->dataset->file.path);
    return RL_OK;
}

static rl_status broadcast_slab(const rl_process_grid *grid, double *values, int64_t n) {
    const int64_t piece = 1 << 24; /* MPI counts are ints */
    for (int64_t done = 0; done < n; done += piece)
        RL_MPI(MPI_Bcast(values + done, (int)rl_smaller(n - done, piece), MPI_DOUBLE, 0, grid->comm));
    return RL_OK;
}

/* Row by row for each feature: the slab's rows, and the columns that they go to, stay in the cache for the next one. */
static void take_mine(const dealer *d) {
    const rl_block_matrix *m = d->m;
    const bool down = d->to.transposed; /* features are rows of the matrix */
    const int all = d->rows->dataset->n_features;
    const rl_share mine = rl_share_of(m, d->to.row, d->to.column, all, all);
    const int first = down ? mine.row : mine.column, end = down ? mine.row_end : mine.column_end;
    for (int local = first; local < end; local++) {
        const int feature = down ? rl_block_matrix_global_row(m, local) - d->to.row
                                 : rl_block_matrix_global_column(m, local) - d->to.column;
        double *const to = down ? rl_at(m, local, 0) : rl_at(m, 0, local);
        const double *from = d->slab + feature;
        for (int i = 0; i < d->n_rows; i++) to[d->row_at[i]] = from[(size_t)d->row_in_slab[i] * (size_t)all];
    }
}

static rl_status deal_slab(dealer *d, int first, int end) {
    const rl_process_grid *grid = d->m->grid;
    const int n_wanted = find_wanted(d, first, end);
    if (n_wanted == 0) return RL_OK;
    RL_TRY(rl_process_grid_agree(grid, grid->rank == 0 ? read_wanted(d, n_wanted) : RL_OK));
    RL_TRY(broadcast_slab(grid, d->slab, (int64_t)n_wanted * d->rows->dataset->n_features));
    find_rows(d, n_wanted);
    take_mine(d);
    return RL_OK;
}

static rl_status deal_table(dealer *d) {
    const int64_t n = d->n_in_file;
    RL_TRY(open_table(d));
    RL_TRY(rl_process_grid_agree(d->m->grid, rl_arrays_create(d, list_dealer)));
    invert_order(d);
    for (int64_t first = 0; first < n; first += d->height)
        RL_TRY(deal_slab(d, (int)first, (int)rl_smaller(first + d->height, n)));
    return RL_OK;
}

rl_status rl_deal_rows(const void *rows, rl_block_matrix *matrix, rl_placement to) {
    const rl_dataset *data = ((const rl_rows *)rows)->dataset;
    dealer d = {.m = matrix, .to = to, .rows = rows, .n_in_file = data->n_rows + data->n_dropped};
    const rl_status status = deal_table(&d);
    rl_table_blocks_close(d.table);
    rl_free(d.place);
    return status;
}
