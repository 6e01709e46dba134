/* The producer `projected`: A = Q B P^T (pdgebrd), Q^T and P applied to the borders (pdormbr), then B made diagonal on
 * each rank for its share of the test rows. Neither U nor V is ever formed. */
#include <math.h>

#include "../matrix/scalapack.h"
#include "producer.h"

static const int one = 1;

typedef struct bidiagonal {
    double *d, *e;                             /* [columns], [columns - 1]: on all ranks */
    double *local_d, *local_e, *tau_q, *tau_p; /* as pdgebrd deals them out */
    double *work;
    int lwork;
} bidiagonal;

static void release_bidiagonal(bidiagonal *b) {
    double *const arrays[] = {b->d, b->e, b->local_d, b->local_e, b->tau_q, b->tau_p, b->work};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) rl_free(arrays[i]);
}

static int apply_q(rl_core *core, bidiagonal *b, double *work, int lwork) {
    const int jc = core->columns + 1, *desc = core->m.descriptor;
    int info = 0;
    pdormbr_("Q", "L", "T", &core->rows, &core->n_left, &core->columns, core->m.a, &one, &one, desc, b->tau_q,
             core->m.a, &one, &jc, desc, work, &lwork, &info, 1, 1, 1);
    return info;
}

static int apply_p(rl_core *core, bidiagonal *b, double *work, int lwork) {
    const int ic = core->rows + 1, *desc = core->m.descriptor;
    int info = 0;
    if (core->columns == 1) return 0; /* P is the identity */
    pdormbr_("P", "R", "N", &core->n_right, &core->columns, &core->rows, core->m.a, &one, &one, desc, b->tau_p,
             core->m.a, &ic, &one, desc, work, &lwork, &info, 1, 1, 1);
    return info;
}

static int call_pdgebrd(rl_core *core, bidiagonal *b, double *work, int lwork) {
    int info = 0;
    pdgebrd_(&core->rows, &core->columns, core->m.a, &one, &one, core->m.descriptor, b->local_d, b->local_e, b->tau_q,
             b->tau_p, work, &lwork, &info);
    return info;
}

static rl_status allocate_bidiagonal(const rl_core *core, bidiagonal *b) {
    const size_t rows = (size_t)core->m.local_rows + 1, columns = (size_t)core->m.local_columns + 1;
    RL_TRY(RL_ALLOC(b->d, core->columns));
    RL_TRY(RL_ALLOC(b->e, core->columns));
    RL_TRY(RL_ALLOC(b->local_d, columns));
    RL_TRY(RL_ALLOC(b->local_e, rows));
    RL_TRY(RL_ALLOC(b->tau_q, columns));
    return RL_ALLOC(b->tau_p, rows);
}

/* The queries are collective: only once everybody has its arrays. */
static rl_status allocate_work(rl_core *core, bidiagonal *b) {
    double asked[3] = {0};
    call_pdgebrd(core, b, &asked[0], -1);
    apply_q(core, b, &asked[1], -1);
    apply_p(core, b, &asked[2], -1);
    return rl_alloc_work("ScaLAPACK pdgebrd", fmax(asked[0], fmax(asked[1], asked[2])), &b->work, &b->lwork);
}

/* pdgebrd leaves d on the columns of the process grid and e on its rows, the same on each row and on each column. */
static rl_status replicate_bidiagonal(const rl_core *core, bidiagonal *b) {
    const rl_block_matrix *m = &core->m;
    const rl_process_grid *grid = core->grid;
    if (grid->row == 0)
        for (int lj = rl_columns_before(m, core->columns) - 1; lj >= 0; lj--)
            b->d[rl_block_matrix_global_column(m, lj)] = b->local_d[lj];
    if (grid->column == 0)
        for (int li = rl_rows_before(m, core->columns - 1) - 1; li >= 0; li--)
            b->e[rl_block_matrix_global_row(m, li)] = b->local_e[li];
    RL_TRY(rl_sum_over_ranks(grid, b->d, core->columns));
    return rl_sum_over_ranks(grid, b->e, core->columns - 1);
}

static rl_status bidiagonalize_core(rl_core *core, bidiagonal *b) {
    int info = call_pdgebrd(core, b, b->work, b->lwork);
    RL_TRY(rl_agree_info(core->grid, "ScaLAPACK pdgebrd", &info));
    return replicate_bidiagonal(core, b);
}

static rl_status carry_borders(rl_core *core, bidiagonal *b) {
    int info = apply_q(core, b, b->work, b->lwork);
    RL_TRY(rl_agree_info(core->grid, "ScaLAPACK pdormbr", &info));
    info = apply_p(core, b, b->work, b->lwork);
    return rl_agree_info(core->grid, "ScaLAPACK pdormbr", &info);
}

static rl_status project_by_bidiagonal(rl_core *core, bidiagonal *b, rl_projection *projection, rl_timings *timings) {
    RL_TRY(rl_process_grid_agree(core->grid, allocate_bidiagonal(core, b)));
    RL_TRY(rl_process_grid_agree(core->grid, allocate_work(core, b)));
    const double start = rl_seconds();
    RL_TRY(bidiagonalize_core(core, b));
    const double reduced = rl_seconds();
    RL_TRY(carry_borders(core, b));
    RL_TRY(rl_core_gather(core, projection));
    const double projected = rl_seconds();
    RL_TRY(rl_core_rotate(core, b->d, b->e, projection));
    timings->reduce += reduced - start;
    timings->project += projected - reduced;
    timings->diagonalize += rl_seconds() - projected;
    return RL_OK;
}

rl_status rl_produce_projected(rl_core *core, rl_projection *projection, rl_timings *timings) {
    bidiagonal b = {0};
    const rl_status status = project_by_bidiagonal(core, &b, projection, timings);
    release_bidiagonal(&b);
    return status;
}
