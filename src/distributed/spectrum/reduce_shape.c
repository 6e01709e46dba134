/* QR first: what is far from square becomes a square core. */
#include <string.h>

#include "../../numbers.h"
#include "../matrix/scalapack.h"
#include "panel.h"
#include "producer.h"

static rl_status apply_panels(rl_core *core) {
    const int block = core->m.row_block;
    rl_panels panels;
    rl_status status = rl_process_grid_agree(core->grid, rl_panels_create(&panels, core));
    if (status == RL_OK) {
        for (int first = 0; first < core->columns; first += block)
            rl_panel_qr(&panels, first, rl_smaller(block, core->columns - first));
        status = rl_panels_check(&panels);
    }
    rl_panels_destroy(&panels);
    return status;
}

void rl_core_clear_below_diagonal(rl_core *core) {
    rl_block_matrix *m = &core->m;
    const int row_end = rl_rows_before(m, core->rows);
    for (int lj = rl_columns_before(m, core->columns) - 1; lj >= 0; lj--) {
        const int begin = rl_rows_before(m, rl_block_matrix_global_column(m, lj) + 1);
        if (begin < row_end)
            memset(m->a + (size_t)lj * (size_t)m->ld + begin, 0, (size_t)(row_end - begin) * sizeof(double));
    }
}

rl_status rl_core_factor(rl_core *core) {
    RL_TRY(apply_panels(core));
    rl_core_clear_below_diagonal(core);
    return RL_OK;
}

/* QR of A, carried on to the left border. */
void rl_core_factor_needs(const rl_core *core, rl_needs *needs) {
    const double r = core->rows, n = core->columns, left = core->n_left;
    const rl_process_grid *grid = core->grid;
    rl_panels_needs(core, needs);
    rl_needs_products(needs, RL_PART_REDUCE, grid,
                      2 * r * n * n - 2.0 / 3 * n * n * n + 4 * r * n * left - 2 * n * n * left);
    rl_needs_panels(needs, RL_PART_REDUCE, core, r - n / 2, grid->n_rows);
    rl_needs_calls(needs, RL_PART_REDUCE, grid, n * RL_CALLS_PER_PANEL_COLUMN);
    rl_needs_spreading(needs, RL_PART_REDUCE, grid, n * (r + n + left));
}

/* Some rows of the right border on their way up. */
static rl_block_matrix lay_out_some(const rl_core *core) {
    const int64_t height = (int64_t)core->m.row_block * core->grid->n_rows;
    return rl_core_matrix(core, core->n_right < height ? core->n_right : (int)height, core->columns);
}

/* The right border from row `rows` up to row `columns`, some rows at a time: the two places overlap. */
static rl_status move_right_border(rl_core *core) {
    rl_block_matrix *m = &core->m, some = lay_out_some(core);
    const int one = 1, height = some.rows;
    RL_TRY(rl_process_grid_agree(core->grid, rl_block_matrix_allocate(&some)));
    for (int done = 0; done < core->n_right; done += height) {
        const int count = rl_smaller(height, core->n_right - done);
        const int from = core->rows + done + 1, to = core->columns + done + 1;
        pdgemr2d_(&count, &core->columns, m->a, &from, &one, m->descriptor, some.a, &one, &one, some.descriptor,
                  &core->grid->context);
        pdgemr2d_(&count, &core->columns, some.a, &one, &one, some.descriptor, m->a, &to, &one, m->descriptor,
                  &core->grid->context);
    }
    rl_block_matrix_destroy(&some);
    return RL_OK;
}

rl_status rl_reduce_shape(rl_core *core) {
    RL_TRY(rl_core_factor(core));
    RL_TRY(move_right_border(core));
    core->rows = core->columns;
    return RL_OK;
}

void rl_reduce_shape_needs(rl_core *core, rl_needs *needs) {
    const rl_block_matrix some = lay_out_some(core);
    const double before = needs->held;
    rl_core_factor_needs(core, needs);
    rl_needs_matrix(needs, &some);
    rl_needs_lend(needs, 2 * rl_elements(&some)); /* pdgemr2d packs what goes and what comes */
    needs->held = before;
    core->rows = core->columns;
}
