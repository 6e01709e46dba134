/* The producer `two-stage`: dense to band by QR and LQ panels alternately, on the grid, nearly all of it
 * multiplications of matrices; band to bidiagonal by all ranks in turn, test rows lying by columns; and on to diagonal
 * on each rank, for the targets and for its own share of the test rows. */
#include "../../numbers.h"
#include "band.h"
#include "producer.h"

/* The bidiagonal form, on every rank. */
typedef struct bidiagonal {
    size_t n;
    double *d, *e; /* [n] */
} bidiagonal;

static void list_bidiagonal(rl_arena *arena, void *object) {
    bidiagonal *b = object;
    RL_TAKE_REALS(arena, b->n, &b->d, &b->e);
}

static rl_band lay_out_band(const rl_core *core) {
    const int n = core->columns;
    return rl_band_layout(core->grid, n, rl_smaller(core->m.row_block, n), RL_N_TARGETS, core->test_rows_left, 0);
}

static int count_rows(const rl_core *core) {
    return core->test_rows_left ? core->n_left : core->n_right;
}

/* The test rows lie by columns from the gathering until they are reflected. */
static rl_status make_bidiagonal(const rl_core *core, rl_band *band, rl_block_matrix *columns, bidiagonal *b,
                                 rl_projection *projection) {
    RL_TRY(rl_band_to_bidiagonal(band, b->d, b->e, projection->targets));
    RL_TRY(rl_band_reflect_columns(band, columns));
    rl_band_destroy(band);
    return rl_core_deal_rows(core, columns, projection);
}

static rl_status project_by_band(rl_core *core, rl_band *band, bidiagonal *b, rl_projection *projection,
                                 rl_timings *timings) {
    double start = rl_seconds();
    RL_TRY(rl_core_reduce_to_band(core));
    timings->reduce += rl_lap(&start);
    RL_TRY(rl_process_grid_agree(core->grid, rl_arrays_create(b, list_bidiagonal)));
    RL_TRY(rl_process_grid_agree(core->grid, rl_band_create(band)));
    RL_TRY(rl_band_take(band, &core->m));
    rl_block_matrix columns = rl_band_columns(band, count_rows(core));
    rl_status status = rl_core_gather_columns(core, &columns, projection);
    timings->project += rl_lap(&start);
    if (status == RL_OK) status = make_bidiagonal(core, band, &columns, b, projection);
    rl_block_matrix_destroy(&columns);
    if (status == RL_OK) status = rl_core_rotate(core, b->d, b->e, projection);
    timings->diagonalize += rl_lap(&start);
    return status;
}

static rl_status produce_two_stage(rl_core *core, rl_projection *projection, rl_timings *timings) {
    rl_band band = lay_out_band(core);
    bidiagonal b = {.n = (size_t)core->columns};
    const rl_status status = project_by_band(core, &band, &b, projection, timings);
    rl_band_destroy(&band);
    rl_free(b.d);
    return status;
}

/* ---- needs ------------------------------------------------------------------------------------------------------- */

/* As make_bidiagonal. */
static void tell_bidiagonal(const rl_core *core, const rl_band *band, const rl_block_matrix *columns,
                            rl_projection *projection, rl_needs *needs) {
    const size_t reflectors = rl_band_reflectors_bytes(band), frames = rl_band_frames_bytes(band, columns->rows);
    const rl_block_matrix after = rl_band_columns_after(band, columns->rows);
    rl_band_work_needs(band, columns->rows, needs);
    rl_needs_hold(needs, reflectors);
    rl_needs_hold(needs, frames);
    rl_needs_no_matrix(needs, columns);
    rl_needs_matrix(needs, &after);
    needs->held -= (double)frames + (double)reflectors + (double)rl_band_bytes(band);
    rl_core_deal_rows_needs(core, &after, projection, needs);
}

static void tell_needs_of_two_stage(rl_core *core, rl_projection *projection, rl_needs *needs) {
    const rl_band band = lay_out_band(core);
    const rl_block_matrix columns = rl_band_columns(&band, count_rows(core));
    bidiagonal b = {.n = (size_t)core->columns};
    const size_t bytes = rl_arrays_bytes(&b, list_bidiagonal);
    rl_core_reduce_to_band_needs(core, needs);
    rl_needs_hold(needs, bytes);
    rl_needs_hold(needs, rl_band_bytes(&band));
    rl_core_gather_columns_needs(core, &columns, projection, needs);
    tell_bidiagonal(core, &band, &columns, projection, needs);
    rl_core_rotate_needs(core, projection, needs);
    needs->held -= (double)bytes;
}

const rl_producer_row rl_two_stage_row = {produce_two_stage, tell_needs_of_two_stage, .square_only = false};
