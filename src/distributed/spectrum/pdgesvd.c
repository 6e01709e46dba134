/* The producer `pdgesvd`: U and V formed whole, and the borders multiplied by them. The reference that the others are
 * held against; slow when n is a multiple of 512 (dbdsqr rotates rows of V^T with a stride of n). */
#include <float.h>
#include <math.h>
#include <string.h>

#include "../matrix/scalapack.h"
#include "producer.h"

static const int one = 1;
static const double unit = 1, zero = 0;

typedef struct factors {
    const rl_core *core;
    rl_block_matrix u, vt; /* [n, n] */
    double *sigma;         /* [n] */
    double *work;
    int lwork;
} factors;

/* The length that pdgesvd documents. Most of it holds one rank's rows of U and columns of V^T, dealt out singly. */
static double count_work(const rl_core *core) {
    const rl_block_matrix *m = &core->m;
    const double n = core->columns, share = (core->columns - 1) / core->grid->size + 1, block = m->row_block;
    const double rows = rl_rows_before(m, core->columns), columns = rl_columns_before(m, core->columns);
    const double reduce = block * (rows + columns + 1) + columns;
    const double apply = fmax(block * block / 2, block * (rows + columns)) + block * block;
    return 1 + 6 * n + 2 * n * share + fmax(4 * n, fmax(reduce, apply)) + RL_WORK_SLACK;
}

/* pdgesvd computes that length in 32 bits, and no term of it is above this bound. */
static double bound_work(const rl_core *core) {
    const double n = core->columns, share = (core->columns - 1) / core->grid->size + 1, block = core->m.row_block;
    return 2 * n * share + 16 * n + 4 * block * (2 * n + block);
}

static factors lay_out_factors(const rl_core *core) {
    const rl_block_matrix square = rl_core_matrix(core, core->columns, core->columns);
    return (factors){.core = core, .u = square, .vt = square};
}

/* What becomes of a border. */
static rl_block_matrix lay_out_product(const rl_core *core, bool left) {
    return rl_core_matrix(core, left ? core->columns : core->n_right, left ? core->n_left : core->columns);
}

static void list_factors(rl_arena *arena, void *object) {
    factors *f = object;
    RL_TAKE(arena, f->sigma, f->core->columns);
    RL_TAKE(arena, f->work, count_work(f->core));
}

static rl_status allocate_factors(factors *f) {
    RL_TRY(rl_work_length("ScaLAPACK pdgesvd", bound_work(f->core), &f->lwork));
    f->lwork = (int)count_work(f->core);
    RL_TRY(rl_block_matrix_allocate(&f->u));
    RL_TRY(rl_block_matrix_allocate(&f->vt));
    return rl_arrays_create(f, list_factors);
}

static rl_status square_norm(const rl_core *core, double *square) {
    const int rows = rl_rows_before(&core->m, core->rows), columns = rl_columns_before(&core->m, core->columns);
    *square = 0;
    for (int j = 0; j < columns; j++)
        for (int i = 0; i < rows; i++) {
            const double a = *rl_at(&core->m, i, j);
            *square += a * a;
        }
    return rl_sum_over_ranks(core->grid, square, 1);
}

/* pdgesvd does not pass on that dbdsqr failed to converge. Rotations keep the sum of squares, so what has not converged
 * is missing from that of the diagonal. (info = n + 1 comes, falsely, when there are more ranks than modes.) */
static rl_status factorize_core(rl_core *core, factors *f, bool *converged) {
    double before, after = 0;
    RL_TRY(square_norm(core, &before));
    const int n = core->columns;
    int info = 0;
    pdgesvd_("V", "V", &n, &n, core->m.a, &one, &one, core->m.descriptor, f->sigma, f->u.a, &one, &one, f->u.descriptor,
             f->vt.a, &one, &one, f->vt.descriptor, f->work, &f->lwork, &info, 1, 1);
    RL_TRY(rl_agree_info(core->grid, "ScaLAPACK pdgesvd", &info));
    RL_MPI(MPI_Bcast(f->sigma, n, MPI_DOUBLE, 0, core->grid->comm));
    for (int r = 0; r < n; r++) after += f->sigma[r] * f->sigma[r];
    *converged = (info == 0 || info == n + 1) && fabs(after - before) <= sqrt(DBL_EPSILON) * before;
    return RL_OK;
}

/* A border becomes U^T border or border V. */
static rl_status multiply_border(rl_core *core, const factors *f, bool left) {
    const int n = core->columns, i = left ? 1 : core->rows + 1, j = left ? n + 1 : 1, *desc = core->m.descriptor;
    double *const a = core->m.a;
    rl_block_matrix product = lay_out_product(core, left);
    RL_TRY(rl_process_grid_agree(core->grid, rl_block_matrix_allocate(&product)));
    if (left)
        pdgemm_("T", "N", &n, &core->n_left, &n, &unit, f->u.a, &one, &one, f->u.descriptor, a, &i, &j, desc, &zero,
                product.a, &one, &one, product.descriptor);
    else
        pdgemm_("N", "T", &core->n_right, &n, &n, &unit, a, &i, &j, desc, f->vt.a, &one, &one, f->vt.descriptor, &zero,
                product.a, &one, &one, product.descriptor);
    pdgeadd_("N", &product.rows, &product.columns, &unit, product.a, &one, &one, product.descriptor, &zero, a, &i, &j,
             desc);
    rl_block_matrix_destroy(&product);
    return RL_OK;
}

static rl_status project_by_factors(rl_core *core, factors *f, rl_projection *projection, rl_timings *timings) {
    bool converged = false;
    RL_TRY(rl_process_grid_agree(core->grid, allocate_factors(f)));
    double start = rl_seconds();
    RL_TRY(factorize_core(core, f, &converged));
    timings->diagonalize += rl_lap(&start); /* reduction included: it is inside */
    RL_TRY(multiply_border(core, f, true));
    RL_TRY(multiply_border(core, f, false));
    RL_TRY(rl_core_gather(core, projection));
    memcpy(projection->sigma, f->sigma, (size_t)core->columns * sizeof(double));
    if (!converged) projection->status = RL_CELL_NO_CONVERGENCE;
    timings->project += rl_lap(&start);
    return RL_OK;
}

static rl_status produce_pdgesvd(rl_core *core, rl_projection *projection, rl_timings *timings) {
    factors f = lay_out_factors(core);
    const rl_status status = project_by_factors(core, &f, projection, timings);
    rl_block_matrix_destroy(&f.u);
    rl_block_matrix_destroy(&f.vt);
    rl_free(f.sigma);
    return status;
}

/* ---- needs ------------------------------------------------------------------------------------------------------- */

/* The product of a border; PBLAS has as much of its own for a moment. */
static void tell_product(rl_block_matrix product, rl_needs *needs) {
    rl_needs_matrix(needs, &product);
    rl_needs_lend(needs, rl_elements(&product));
    rl_needs_no_matrix(needs, &product);
}

/* Rotations go to all rows of U and all columns of V^T, and both are multiplied by the reflectors; then the borders by
 * them. */
static void tell_work(const rl_core *core, rl_needs *needs) {
    const double n = core->columns, rotated = 2 * ceil(n / needs->ranks);
    rl_needs_pdgebrd(needs, RL_PART_DIAGONALIZE, core);
    for (int i = 0; i < 2; i++) rl_needs_dealing(needs, RL_PART_DIAGONALIZE, n * n);
    rl_needs_products(needs, RL_PART_DIAGONALIZE, 4 * n * n * n);
    rl_needs_rotations(needs, core, RL_WORK_PDGESVD_ROTATIONS, rotated, rotated);
    rl_needs_products(needs, RL_PART_PROJECT, 2 * n * n * ((double)core->n_left + core->n_right));
}

/* pdgesvd deals out U and V^T anew, which pdgemr2d packs. */
static void tell_needs_of_pdgesvd(rl_core *core, rl_projection *projection, rl_needs *needs) {
    factors f = lay_out_factors(core);
    const double before = needs->held;
    rl_needs_limit(needs, "LWORK of pdgesvd", bound_work(core), INT32_MAX);
    rl_needs_matrix(needs, &f.u);
    rl_needs_matrix(needs, &f.vt);
    rl_needs_arrays(needs, &f, list_factors);
    const double own = needs->held - before;
    rl_needs_lend(needs, 2 * rl_elements(&f.u));
    tell_product(lay_out_product(core, true), needs);
    tell_product(lay_out_product(core, false), needs);
    tell_work(core, needs);
    rl_core_gather_needs(core, projection, needs);
    needs->held -= own;
}

const rl_producer_row rl_pdgesvd_row = {produce_pdgesvd, tell_needs_of_pdgesvd, .square_only = true};
