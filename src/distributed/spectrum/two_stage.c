/* The producer `two-stage`: dense to band by QR and LQ panels alternately, on the grid, nearly all of it
 * multiplications of matrices; band to bidiagonal and on to diagonal on each rank, for the targets and for its own
 * share of the test rows. */
#include "../../numbers.h"
#include "band.h"
#include "producer.h"

/* What every rank has of its own. */
typedef struct own_band {
    rl_band band;
    double *rows;  /* [block, 2 block]: a row of blocks of the band on its way */
    double *d, *e; /* [columns], [columns - 1]: of the bidiagonal form */
} own_band;

static own_band lay_out_own_band(const rl_core *core) {
    return (own_band){.band = rl_band_of(core->columns, rl_smaller(core->m.row_block, core->columns))};
}

static void list_own_band(rl_arena *arena, void *object) {
    own_band *own = object;
    const size_t width = (size_t)own->band.width, n = (size_t)own->band.n;
    RL_TAKE(arena, own->rows, 2 * width * width);
    RL_TAKE_REALS(arena, n, &own->d, &own->e);
    rl_band_list(&own->band, arena);
}

/* Gives every rank a copy of the band: of each row of blocks the triangle R of its QR and the trapezoid L of its LQ.
 * What lies beside them means nothing. */
static rl_status replicate_band(const rl_core *core, own_band *own) {
    const int block = core->m.row_block, n = core->columns;
    double *const rows = own->rows;
    for (int first = 0; first < n; first += block) {
        const int height = rl_smaller(block, n - first), width = rl_smaller(2 * block, n - first);
        RL_TRY(rl_replicate(&core->m, first, first, height, width, rows));
        for (int j = 0; j < width; j++)
            for (int i = 0; i < height; i++)
                if (j < block ? i <= j : i >= j - block)
                    *rl_band_at(&own->band, first + i, first + j) = rows[i + j * height];
    }
    return RL_OK;
}

static rl_status diagonalize_band(const rl_core *core, own_band *own, rl_projection *projection) {
    const rl_operands operands = rl_core_operands(core, projection);
    RL_TRY(rl_process_grid_agree(core->grid, rl_band_to_bidiagonal(&own->band, &operands, own->d, own->e)));
    return rl_core_rotate(core, own->d, own->e, projection);
}

static rl_status project_by_band(rl_core *core, own_band *own, rl_projection *projection, rl_timings *timings) {
    double start = rl_seconds();
    RL_TRY(rl_core_reduce_to_band(core));
    timings->reduce += rl_lap(&start);
    RL_TRY(rl_process_grid_agree(core->grid, rl_arrays_create(own, list_own_band)));
    RL_TRY(replicate_band(core, own));
    RL_TRY(rl_core_gather(core, projection));
    timings->project += rl_lap(&start);
    RL_TRY(diagonalize_band(core, own, projection));
    timings->diagonalize += rl_lap(&start);
    return RL_OK;
}

static rl_status produce_two_stage(rl_core *core, rl_projection *projection, rl_timings *timings) {
    own_band own = lay_out_own_band(core);
    const rl_status status = project_by_band(core, &own, projection, timings);
    rl_free(own.rows);
    return status;
}

/* ---- needs ------------------------------------------------------------------------------------------------------- */

/* Each rank gets the band, and reflects its own test rows on the band's way to bidiagonal form. */
static void tell_band(const rl_core *core, const rl_band *band, const rl_projection *projection, rl_needs *needs) {
    const double n = core->columns, width = core->m.row_block, hops = rl_hops(needs);
    const double reflected = projection->z.row_block + RL_N_TARGETS;
    rl_needs_work(needs, RL_PART_PROJECT, RL_WORK_MESSAGES, 2 * hops * n / width);
    rl_needs_work(needs, RL_PART_PROJECT, RL_WORK_MESSAGE_BYTES, 2 * hops * 2 * sizeof(double) * n * width);
    needs->found.flops += needs->ranks * n * n * (8 * width + 4 * reflected);
    rl_needs_work(needs, RL_PART_DIAGONALIZE, RL_WORK_BAND, n * n * width);
    rl_needs_work(needs, RL_PART_DIAGONALIZE, RL_WORK_BAND_ROTATIONS, n * n * reflected);
    rl_needs_briefly(needs, rl_band_work_bytes(band));
}

static void tell_needs_of_two_stage(rl_core *core, rl_projection *projection, rl_needs *needs) {
    own_band own = lay_out_own_band(core);
    rl_core_reduce_to_band_needs(core, needs);
    const size_t bytes = rl_arrays_bytes(&own, list_own_band);
    rl_needs_hold(needs, bytes);
    rl_core_gather_needs(core, projection, needs);
    tell_band(core, &own.band, projection, needs);
    rl_core_rotate_needs(core, projection, needs);
    needs->held -= (double)bytes;
}

const rl_producer_row rl_two_stage_row = {produce_two_stage, tell_needs_of_two_stage, .square_only = false};
