/* The producer `two-stage`: dense to band by QR and LQ panels alternately, on the grid, nearly all of it
 * multiplications of matrices; band to bidiagonal and on to diagonal on each rank, for the targets and for its own
 * share of the test rows. */
#include "../../numbers.h"
#include "band.h"
#include "panel.h"
#include "producer.h"

/* A = Q B P^T with B upper triangular and as many superdiagonals as a block is wide; Q^T and P are applied to the
 * borders on the way. */
static rl_status reduce_to_band(rl_core *core) {
    const int block = core->m.row_block;
    rl_panels panels;
    rl_status status = rl_process_grid_agree(core->grid, rl_panels_create(&panels, core));
    if (status == RL_OK) {
        for (int first = 0; first < core->columns; first += block) {
            const int width = rl_smaller(block, core->columns - first);
            rl_panel_qr(&panels, first, width);
            rl_panel_lq(&panels, first, width);
        }
        status = rl_panels_check(&panels);
    }
    rl_panels_destroy(&panels);
    return status;
}

/* Gives every rank a copy of the band: of each row of blocks the triangle R of its QR and the trapezoid L of its LQ.
 * What lies beside them are reflectors. `rows`: [block, 2 block]. */
static rl_status replicate_band(const rl_core *core, double *rows, rl_band *band) {
    const int block = core->m.row_block, n = core->columns;
    for (int first = 0; first < n; first += block) {
        const int height = rl_smaller(block, n - first), width = rl_smaller(2 * block, n - first);
        RL_TRY(rl_replicate(&core->m, first, first, height, width, rows));
        for (int j = 0; j < width; j++)
            for (int i = 0; i < height; i++)
                if (j < block ? i <= j : i >= j - block) *rl_band_at(band, first + i, first + j) = rows[i + j * height];
    }
    return RL_OK;
}

static rl_status gather_band(const rl_core *core, rl_band *band) {
    const size_t block = (size_t)core->m.row_block;
    double *rows = NULL;
    rl_status status = rl_band_create(band, core->columns, rl_smaller(core->m.row_block, core->columns));
    if (status == RL_OK) status = RL_ALLOC(rows, 2 * block * block);
    status = rl_process_grid_agree(core->grid, status);
    if (status == RL_OK) status = replicate_band(core, rows, band);
    rl_free(rows);
    return status;
}

static rl_status bidiagonalize_band(const rl_core *core, rl_band *band, rl_projection *projection, double *d,
                                    double *e) {
    const rl_operands operands = rl_core_operands(core, projection);
    return rl_process_grid_agree(core->grid, rl_band_to_bidiagonal(band, &operands, d, e));
}

static rl_status diagonalize_band(const rl_core *core, rl_band *band, rl_projection *projection) {
    double *d = NULL; /* [columns], and after it e [columns - 1] */
    rl_status status = rl_process_grid_agree(core->grid, RL_ALLOC(d, 2 * (size_t)core->columns));
    if (status == RL_OK) status = bidiagonalize_band(core, band, projection, d, d + core->columns);
    if (status == RL_OK) status = rl_core_rotate(core, d, d + core->columns, projection);
    rl_free(d);
    return status;
}

static rl_status project_by_band(rl_core *core, rl_band *band, rl_projection *projection, rl_timings *timings) {
    const double start = rl_seconds();
    RL_TRY(reduce_to_band(core));
    const double reduced = rl_seconds();
    RL_TRY(gather_band(core, band));
    RL_TRY(rl_core_gather(core, projection));
    const double projected = rl_seconds();
    RL_TRY(diagonalize_band(core, band, projection));
    timings->reduce += reduced - start;
    timings->project += projected - reduced;
    timings->diagonalize += rl_seconds() - projected;
    return RL_OK;
}

rl_status rl_produce_two_stage(rl_core *core, rl_projection *projection, rl_timings *timings) {
    rl_band band = {0};
    const rl_status status = project_by_band(core, &band, projection, timings);
    rl_band_destroy(&band);
    return status;
}
