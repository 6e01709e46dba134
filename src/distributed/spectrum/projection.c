/* From a core whose borders have been carried along to the projection: gather the borders, rotate them. */
#include <math.h>
#include <string.h>

#include "../../numbers.h"
#include "../matrix/scalapack.h"
#include "bidiagonal.h"
#include "producer.h"

static const int one = 1;

void rl_projection_destroy(rl_projection *projection) {
    rl_free(projection->sigma);
    rl_free(projection->targets);
    rl_free(projection->tail_sq);
    rl_free(projection->tail_last);
    rl_block_matrix_destroy(&projection->z);
    *projection = (rl_projection){0};
}

static rl_status allocate_projection(const rl_core *core, rl_projection *projection) {
    RL_TRY(RL_ALLOC(projection->sigma, core->columns));
    RL_TRY(RL_ALLOC(projection->targets, (size_t)core->columns * RL_N_TARGETS));
    RL_TRY(RL_ALLOC(projection->tail_sq, core->n_left));
    return RL_ALLOC(projection->tail_last, core->n_left);
}

/* Adds what this rank owns of the tails to their squares and to their products with `last`, the last column's tail. */
static void add_tails(const rl_block_matrix *m, const rl_tails *tails, const double *last) {
    const int row_end = rl_rows_before(m, tails->first + tails->rows);
    const int column_end = rl_columns_before(m, tails->first + tails->n);
    for (int lj = rl_columns_before(m, tails->first); lj < column_end; lj++) {
        const double *column = m->a + (size_t)lj * (size_t)m->ld;
        double square = 0, product = 0;
        for (int li = rl_rows_before(m, tails->first); li < row_end; li++) {
            square += column[li] * column[li];
            product += column[li] * last[rl_block_matrix_global_row(m, li) - tails->first];
        }
        const int j = rl_block_matrix_global_column(m, lj) - tails->first;
        tails->square[j] = square;
        tails->last[j] = product;
    }
}

rl_status rl_sum_tails(const rl_block_matrix *m, const rl_tails *tails) {
    double *last = NULL;
    rl_status status = rl_process_grid_agree(m->grid, RL_ALLOC(last, tails->rows));
    if (status == RL_OK) status = rl_replicate(m, tails->first, tails->first + tails->n - 1, tails->rows, 1, last);
    if (status == RL_OK) {
        add_tails(m, tails, last);
        status = rl_sum_over_ranks(m->grid, tails->square, tails->n);
    }
    if (status == RL_OK) status = rl_sum_over_ranks(m->grid, tails->last, tails->n);
    rl_free(last);
    return status;
}

static rl_status gather_tails(const rl_core *core, rl_projection *projection) {
    const rl_tails tails = {.first = core->columns,
                            .rows = core->tail_rows,
                            .n = core->n_left,
                            .square = projection->tail_sq,
                            .last = projection->tail_last};
    if (core->tails != NULL) {
        memcpy(tails.square, core->tails->square, (size_t)tails.n * sizeof(double));
        memcpy(tails.last, core->tails->last, (size_t)tails.n * sizeof(double));
        return RL_OK;
    }
    return core->tail_rows > 0 ? rl_sum_tails(&core->m, &tails) : RL_OK;
}

static rl_status gather_targets(const rl_core *core, rl_projection *projection) {
    const int n = core->columns;
    if (!core->test_rows_left) return rl_replicate(&core->m, 0, n, n, RL_N_TARGETS, projection->targets);
    double *rows = NULL;
    rl_status status = rl_process_grid_agree(core->grid, RL_ALLOC(rows, (size_t)n * RL_N_TARGETS));
    if (status == RL_OK) status = rl_replicate(&core->m, core->rows, 0, RL_N_TARGETS, n, rows);
    if (status == RL_OK)
        for (size_t t = 0; t < RL_N_TARGETS; t++)
            for (size_t r = 0; r < (size_t)n; r++) projection->targets[t * (size_t)n + r] = rows[r * RL_N_TARGETS + t];
    rl_free(rows);
    return status;
}

/* Whole test rows to their ranks, from rows [first_row, ...) of `from`. */
static rl_status deal_rows(const rl_core *core, const rl_block_matrix *from, int first_row, int rows,
                           rl_block_matrix *z) {
    const int ia = first_row + 1;
    RL_TRY(rl_process_grid_agree(core->grid, rl_block_matrix_create_tall(z, core->grid, rows, core->columns)));
    pdgemr2d_(&rows, &core->columns, from->a, &ia, &one, from->descriptor, z->a, &one, &one, z->descriptor,
              &core->grid->context);
    return RL_OK;
}

/* The left border's test rows are columns; the matrix is given back before the second copy of them is made. */
static rl_status transpose_and_deal(rl_core *core, rl_block_matrix *z) {
    const int ja = core->columns + 1, block = core->m.row_block;
    const double unit = 1, zero = 0;
    rl_block_matrix transposed = {0};
    rl_status status = rl_process_grid_agree(
        core->grid, rl_block_matrix_create(&transposed, core->grid, core->n_left, core->columns, block, block));
    if (status == RL_OK) {
        pdtran_(&core->n_left, &core->columns, &unit, core->m.a, &one, &ja, core->m.descriptor, &zero, transposed.a,
                &one, &one, transposed.descriptor);
        rl_block_matrix_destroy(&core->m);
        status = deal_rows(core, &transposed, 0, core->n_left, z);
    }
    rl_block_matrix_destroy(&transposed);
    return status;
}

rl_status rl_core_gather(rl_core *core, rl_projection *projection) {
    *projection = (rl_projection){.status = RL_CELL_DONE};
    RL_TRY(rl_process_grid_agree(core->grid, allocate_projection(core, projection)));
    RL_TRY(gather_tails(core, projection));
    RL_TRY(gather_targets(core, projection));
    if (core->test_rows_left) return transpose_and_deal(core, &projection->z);
    RL_TRY(deal_rows(core, &core->m, core->rows, core->n_right, &projection->z));
    rl_block_matrix_destroy(&core->m);
    return RL_OK;
}

/* Processors of different kinds may round differently: rank 0's word counts. */
static rl_status share_from_first(const rl_core *core, rl_projection *projection) {
    RL_MPI(MPI_Bcast(projection->sigma, core->columns, MPI_DOUBLE, 0, core->grid->comm));
    for (int t = 0; t < RL_N_TARGETS; t++)
        RL_MPI(MPI_Bcast(projection->targets + (size_t)t * (size_t)core->columns, core->columns, MPI_DOUBLE, 0,
                         core->grid->comm));
    return RL_OK;
}

/* The test rows are multiplied by P if A = X, and by Q if A = X^T. */
rl_operands rl_core_operands(const rl_core *core, const rl_projection *projection) {
    return (rl_operands){.rows_left = core->test_rows_left,
                         .rows = projection->z.a,
                         .n_rows = projection->z.local_rows,
                         .ld_rows = projection->z.ld,
                         .columns = projection->targets,
                         .n_columns = RL_N_TARGETS};
}

rl_status rl_core_rotate(const rl_core *core, double *d, double *e, rl_projection *projection) {
    const int n = core->columns;
    const rl_operands operands = rl_core_operands(core, projection);
    bool converged = false;
    if (!rl_all_finite(d, (size_t)n) || !rl_all_finite(e, (size_t)n - 1)) {
        projection->status = RL_CELL_NO_CONVERGENCE;
        return RL_OK;
    }
    RL_TRY(rl_process_grid_agree(core->grid, rl_bidiagonal_diagonalize(n, d, e, &operands, &converged)));
    memcpy(projection->sigma, d, (size_t)n * sizeof(double));
    int failed = !converged;
    RL_MPI(MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_LOR, core->grid->comm));
    if (failed) projection->status = RL_CELL_NO_CONVERGENCE;
    return share_from_first(core, projection);
}
