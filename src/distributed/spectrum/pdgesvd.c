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
    rl_block_matrix u, vt; /* [n, n] */
    double *sigma;         /* [n] */
    double *work;
    int lwork;
} factors;

static void release_factors(factors *f) {
    rl_block_matrix_destroy(&f->u);
    rl_block_matrix_destroy(&f->vt);
    rl_free(f->sigma);
    rl_free(f->work);
}

/* pdgesvd forms its LWORK in 32 bits: most of it are one rank's rows of U and columns of V^T, dealt out singly. */
static rl_status check_work(const rl_core *core) {
    const int64_t n = core->columns, share = (n - 1) / core->grid->size + 1, block = core->m.row_block;
    const int64_t most = 2 * n * share + 16 * n + 4 * block * (2 * n + block);
    if (most > INT32_MAX)
        return rl_fail(RL_ERR_INPUT,
                       "producer pdgesvd: a work array of %lld doubles for %lld modes on %d ranks is more than its "
                       "limit, 2^31 - 1: use more ranks, or another producer",
                       (long long)most, (long long)n, core->grid->size);
    return RL_OK;
}

static int call_pdgesvd(rl_core *core, factors *f, double *work, int lwork) {
    const int n = core->columns;
    int info = 0;
    pdgesvd_("V", "V", &n, &n, core->m.a, &one, &one, core->m.descriptor, f->sigma, f->u.a, &one, &one, f->u.descriptor,
             f->vt.a, &one, &one, f->vt.descriptor, work, &lwork, &info, 1, 1);
    return info;
}

static rl_status allocate_factors(const rl_core *core, factors *f) {
    const int n = core->columns, block = core->m.row_block;
    RL_TRY(check_work(core));
    RL_TRY(rl_block_matrix_create(&f->u, core->grid, n, n, block, block));
    RL_TRY(rl_block_matrix_create(&f->vt, core->grid, n, n, block, block));
    return RL_ALLOC(f->sigma, n);
}

static rl_status allocate_work(rl_core *core, factors *f) {
    double asked = 0;
    call_pdgesvd(core, f, &asked, -1); /* collective */
    return rl_alloc_work("ScaLAPACK pdgesvd", asked, &f->work, &f->lwork);
}

static rl_status square_norm(const rl_core *core, double *square) {
    const int rows = rl_rows_before(&core->m, core->rows), columns = rl_columns_before(&core->m, core->columns);
    *square = 0;
    for (int j = 0; j < columns; j++)
        for (int i = 0; i < rows; i++) {
            const double a = core->m.a[(size_t)j * (size_t)core->m.ld + (size_t)i];
            *square += a * a;
        }
    return rl_sum_over_ranks(core->grid, square, 1);
}

/* pdgesvd loses dbdsqr's word that it did not converge. Rotations keep the sum of squares, and what has not converged
 * is missing from that of the diagonal. (info = n + 1 is said, falsely, when there are more ranks than modes.) */
static rl_status factorize_core(rl_core *core, factors *f, bool *converged) {
    double before, after = 0;
    RL_TRY(square_norm(core, &before));
    int info = call_pdgesvd(core, f, f->work, f->lwork);
    RL_TRY(rl_agree_info(core->grid, "ScaLAPACK pdgesvd", &info));
    RL_MPI(MPI_Bcast(f->sigma, core->columns, MPI_DOUBLE, 0, core->grid->comm));
    for (int r = 0; r < core->columns; r++) after += f->sigma[r] * f->sigma[r];
    *converged = (info == 0 || info == core->columns + 1) && fabs(after - before) <= sqrt(DBL_EPSILON) * before;
    return RL_OK;
}

/* The border at (row, column) becomes U^T border or border V. */
static rl_status multiply_left(rl_core *core, const factors *f) {
    const int n = core->columns, count = core->n_left, jc = n + 1, block = core->m.row_block;
    const int *desc = core->m.descriptor;
    rl_block_matrix product = {0};
    const rl_status status =
        rl_process_grid_agree(core->grid, rl_block_matrix_create(&product, core->grid, n, count, block, block));
    if (status == RL_OK) {
        pdgemm_("T", "N", &n, &count, &n, &unit, f->u.a, &one, &one, f->u.descriptor, core->m.a, &one, &jc, desc, &zero,
                product.a, &one, &one, product.descriptor);
        pdgeadd_("N", &n, &count, &unit, product.a, &one, &one, product.descriptor, &zero, core->m.a, &one, &jc, desc);
    }
    rl_block_matrix_destroy(&product);
    return status;
}

static rl_status multiply_right(rl_core *core, const factors *f) {
    const int n = core->columns, count = core->n_right, ic = core->rows + 1, block = core->m.row_block;
    const int *desc = core->m.descriptor;
    rl_block_matrix product = {0};
    const rl_status status =
        rl_process_grid_agree(core->grid, rl_block_matrix_create(&product, core->grid, count, n, block, block));
    if (status == RL_OK) {
        pdgemm_("N", "T", &count, &n, &n, &unit, core->m.a, &ic, &one, desc, f->vt.a, &one, &one, f->vt.descriptor,
                &zero, product.a, &one, &one, product.descriptor);
        pdgeadd_("N", &count, &n, &unit, product.a, &one, &one, product.descriptor, &zero, core->m.a, &ic, &one, desc);
    }
    rl_block_matrix_destroy(&product);
    return status;
}

static rl_status project_by_factors(rl_core *core, factors *f, rl_projection *projection, rl_timings *timings) {
    bool converged = false;
    RL_TRY(rl_process_grid_agree(core->grid, allocate_factors(core, f)));
    RL_TRY(rl_process_grid_agree(core->grid, allocate_work(core, f)));
    const double start = rl_seconds();
    RL_TRY(factorize_core(core, f, &converged));
    const double factorized = rl_seconds();
    RL_TRY(multiply_left(core, f));
    RL_TRY(multiply_right(core, f));
    RL_TRY(rl_core_gather(core, projection));
    memcpy(projection->sigma, f->sigma, (size_t)core->columns * sizeof(double));
    if (!converged) projection->status = RL_CELL_NO_CONVERGENCE;
    timings->diagonalize += factorized - start; /* reduction included: it is inside */
    timings->project += rl_seconds() - factorized;
    return RL_OK;
}

rl_status rl_produce_pdgesvd(rl_core *core, rl_projection *projection, rl_timings *timings) {
    factors f = {0};
    const rl_status status = project_by_factors(core, &f, projection, timings);
    release_factors(&f);
    return status;
}
