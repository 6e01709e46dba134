/* From a core whose borders have been carried along to the projection: gather the borders, rotate them. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "../../numbers.h"
#include "../matrix/scalapack.h"
#include "bidiagonal.h"
#include "producer.h"
#include "rotations.h"

static const int one = 1;

void rl_tails_list(rl_arena *arena, void *object) {
    rl_tails *tails = object;
    RL_TAKE_REALS(arena, tails->n, &tails->square, &tails->last);
    RL_TAKE(arena, tails->column, tails->rows);
}

static void list_projection(rl_arena *arena, void *object) {
    rl_projection *projection = object;
    const rl_core *core = projection->core;
    const size_t n = (size_t)core->columns;
    RL_TAKE(arena, projection->sigma, n);
    RL_TAKE(arena, projection->targets, n * RL_N_TARGETS);
    if (core->test_rows_left) RL_TAKE(arena, projection->target_rows, n * RL_N_TARGETS);
    if (core->tails == NULL) rl_tails_list(arena, &projection->tails);
}

/* What a core is projected to, without its arrays. */
static rl_projection lay_out_projection(const rl_core *core) {
    const rl_tails tails = {.first = core->columns, .rows = core->tail_rows, .n = core->n_left};
    return (rl_projection){.core = core, .status = RL_CELL_DONE, .tails = core->tails != NULL ? *core->tails : tails};
}

void rl_projection_destroy(rl_projection *projection) {
    rl_free(projection->sigma);
    rl_block_matrix_destroy(&projection->z);
    *projection = (rl_projection){0};
}

/* Adds what this rank owns of the tails to their squares and to their products with the last column's tail. */
static void add_tails(const rl_block_matrix *m, const rl_tails *tails) {
    const rl_share mine = rl_share_of(m, tails->first, tails->first, tails->rows, tails->n);
    for (int lj = mine.column; lj < mine.column_end; lj++) {
        const double *column = rl_at(m, 0, lj);
        double square = 0, product = 0;
        for (int li = mine.row; li < mine.row_end; li++) {
            square += column[li] * column[li];
            product += column[li] * tails->column[rl_block_matrix_global_row(m, li) - tails->first];
        }
        const int j = rl_block_matrix_global_column(m, lj) - tails->first;
        tails->square[j] = square;
        tails->last[j] = product;
    }
}

rl_status rl_sum_tails(const rl_block_matrix *m, const rl_tails *tails) {
    RL_TRY(rl_replicate(m, tails->first, tails->first + tails->n - 1, tails->rows, 1, tails->column));
    add_tails(m, tails);
    RL_TRY(rl_sum_over_ranks(m->grid, tails->square, tails->n));
    return rl_sum_over_ranks(m->grid, tails->last, tails->n);
}

static rl_status gather_targets(const rl_core *core, rl_projection *projection) {
    const size_t n = (size_t)core->columns;
    double *const rows = projection->target_rows;
    if (!core->test_rows_left)
        return rl_replicate(&core->m, 0, core->columns, core->columns, RL_N_TARGETS, projection->targets);
    RL_TRY(rl_replicate(&core->m, core->rows, 0, RL_N_TARGETS, core->columns, rows));
    for (size_t t = 0; t < RL_N_TARGETS; t++)
        for (size_t r = 0; r < n; r++) projection->targets[t * n + r] = rows[r * RL_N_TARGETS + t];
    return RL_OK;
}

rl_block_matrix rl_core_matrix(const rl_core *core, int rows, int columns) {
    return rl_block_matrix_layout(core->grid, rows, columns, core->m.row_block);
}

static int count_rows(const rl_core *core) {
    return core->test_rows_left ? core->n_left : core->n_right;
}

static rl_block_matrix lay_out_z(const rl_core *core) {
    return rl_block_matrix_layout(core->grid, count_rows(core), core->columns, RL_TALL);
}

/* Test rows to where they are laid out to be, from rows [first_row, ...) of `from`. */
static rl_status deal(const rl_block_matrix *from, int first_row, rl_block_matrix *z) {
    const int ia = first_row + 1;
    RL_TRY(rl_process_grid_agree(z->grid, rl_block_matrix_allocate(z)));
    pdgemr2d_(&z->rows, &z->columns, from->a, &ia, &one, from->descriptor, z->a, &one, &one, z->descriptor,
              &z->grid->context);
    return RL_OK;
}

/* The left border's test rows are columns; the matrix is given back before the second copy of the test rows is made. */
static rl_status transpose_and_deal(rl_core *core, rl_block_matrix *z) {
    const int ja = core->columns + 1;
    const double unit = 1, zero = 0;
    rl_block_matrix transposed = rl_core_matrix(core, core->n_left, core->columns);
    rl_status status = rl_process_grid_agree(core->grid, rl_block_matrix_allocate(&transposed));
    if (status == RL_OK) {
        pdtran_(&core->n_left, &core->columns, &unit, core->m.a, &one, &ja, core->m.descriptor, &zero, transposed.a,
                &one, &one, transposed.descriptor);
        rl_block_matrix_destroy(&core->m);
        status = deal(&transposed, 0, z);
    }
    rl_block_matrix_destroy(&transposed);
    return status;
}

/* All but the test rows, which go to `z`. */
static rl_status gather(rl_core *core, rl_block_matrix *z, rl_projection *projection) {
    RL_TRY(rl_process_grid_agree(core->grid, rl_arrays_create(projection, list_projection)));
    if (core->tail_rows > 0) RL_TRY(rl_sum_tails(&core->m, &projection->tails));
    RL_TRY(gather_targets(core, projection));
    if (core->test_rows_left) return transpose_and_deal(core, z);
    RL_TRY(deal(&core->m, core->rows, z));
    rl_block_matrix_destroy(&core->m);
    return RL_OK;
}

rl_status rl_core_gather(rl_core *core, rl_projection *projection) {
    *projection = lay_out_projection(core);
    projection->z = lay_out_z(core);
    return gather(core, &projection->z, projection);
}

rl_status rl_core_gather_columns(rl_core *core, rl_block_matrix *columns, rl_projection *projection) {
    *projection = lay_out_projection(core);
    return gather(core, columns, projection);
}

rl_status rl_core_deal_rows(const rl_core *core, rl_block_matrix *columns, rl_projection *projection) {
    projection->z = lay_out_z(core);
    RL_TRY(deal(columns, 0, &projection->z));
    rl_block_matrix_destroy(columns);
    return RL_OK;
}

/* pdgemr2d packs what goes and what comes. */
static void tell_dealing(const rl_block_matrix *from, const rl_block_matrix *to, rl_part part, rl_needs *needs) {
    rl_needs_matrix(needs, to);
    rl_needs_lend(needs, rl_elements(from) + rl_elements(to));
    rl_needs_dealing(needs, part, (double)to->rows * to->columns);
}

static void gather_needs(const rl_core *core, const rl_block_matrix *z, rl_projection *projection, rl_needs *needs) {
    enum { AGREEMENTS = 4 };
    const rl_block_matrix test_rows = rl_core_matrix(core, z->rows, z->columns);
    rl_needs_arrays(needs, projection, list_projection);
    rl_needs_agreements(needs, RL_PART_PROJECT, AGREEMENTS);
    rl_needs_sum(needs, RL_PART_PROJECT, (double)core->columns * RL_N_TARGETS);
    if (core->test_rows_left) {
        rl_needs_matrix(needs, &test_rows);
        rl_needs_dealing(needs, RL_PART_PROJECT, (double)z->rows * z->columns);
        rl_needs_no_matrix(needs, &core->m);
    }
    tell_dealing(&test_rows, z, RL_PART_PROJECT, needs);
    rl_needs_no_matrix(needs, core->test_rows_left ? &test_rows : &core->m);
}

void rl_core_gather_needs(const rl_core *core, rl_projection *projection, rl_needs *needs) {
    *projection = lay_out_projection(core);
    projection->z = lay_out_z(core);
    gather_needs(core, &projection->z, projection, needs);
}

void rl_core_gather_columns_needs(const rl_core *core, const rl_block_matrix *columns, rl_projection *projection,
                                  rl_needs *needs) {
    *projection = lay_out_projection(core);
    gather_needs(core, columns, projection, needs);
}

void rl_core_deal_rows_needs(const rl_core *core, const rl_block_matrix *columns, rl_projection *projection,
                             rl_needs *needs) {
    projection->z = lay_out_z(core);
    tell_dealing(columns, &projection->z, RL_PART_DIAGONALIZE, needs);
    rl_needs_no_matrix(needs, columns);
}

/* The last rank, which has the fewest test rows, turns the targets for all. Processors of different kinds may round
 * differently: all take its singular values, too. */
static int rank_of_targets(const rl_process_grid *grid) {
    return grid->size - 1;
}

static rl_status share_targets(const rl_core *core, rl_projection *projection) {
    const int root = rank_of_targets(core->grid);
    RL_MPI(MPI_Bcast(projection->sigma, core->columns, MPI_DOUBLE, root, core->grid->comm));
    for (int t = 0; t < RL_N_TARGETS; t++)
        RL_MPI(MPI_Bcast(projection->targets + (size_t)t * (size_t)core->columns, core->columns, MPI_DOUBLE, root,
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
                         .n_columns = RL_N_TARGETS,
                         .keep_columns = core->grid->rank != rank_of_targets(core->grid)};
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
    return share_targets(core, projection);
}

void rl_needs_rotations(rl_needs *needs, const rl_core *core, rl_work_kind kind, double rotated, double turned) {
    const double n = core->columns;
    /* four flops each, for a number that is read and written, six in LAPACK */
    const double flops = kind == RL_WORK_ROTATIONS ? 4 : 6;
    const double per_byte =
        kind == RL_WORK_ROTATIONS ? flops * rl_sweeps_waiting(core->columns) / (2 * sizeof(double)) : INFINITY;
    rl_needs_flops(needs, RL_PART_DIAGONALIZE, flops * n * n * rotated * needs->ranks, per_byte);
    rl_needs_work(needs, RL_PART_DIAGONALIZE, kind, n * n * turned);
}

/* Few rows take as long as RL_TURNED_TOGETHER: rotations must be read for them, too. */
static double turned(int rows) {
    return ceil((double)rows / RL_TURNED_TOGETHER) * RL_TURNED_TOGETHER;
}

/* The first rank has as many rows as any; the last one the rows that are left, and the targets. */
void rl_core_rotate_needs(const rl_core *core, const rl_projection *projection, rl_needs *needs) {
    const rl_operands operands = rl_core_operands(core, projection);
    const double n = core->columns;
    const int rows = projection->z.row_block, all = projection->z.rows;
    const int left = rl_larger(0, all - (needs->ranks - 1) * rows);
    rl_needs_briefly(needs, rl_bidiagonal_bytes(core->columns, &operands));
    rl_needs_work(needs, RL_PART_DIAGONALIZE, RL_WORK_BIDIAGONAL, n * (n + RL_MODE_STEPS));
    rl_needs_rotations(needs, core, RL_WORK_ROTATIONS, (double)(all + RL_N_TARGETS) / needs->ranks,
                       fmax(turned(rows), turned(left) + turned(RL_N_TARGETS)));
}
