/* The spectrum of a case: the chosen producer, and what its projection comes to. */
#include <string.h>

#include "../../numbers.h"
#include "generate.h"

static const rl_producer_row *const producers[] = {
    [RL_PRODUCER_PDGESVD] = &rl_pdgesvd_row,
    [RL_PRODUCER_PROJECTED] = &rl_projected_row,
    [RL_PRODUCER_TWO_STAGE] = &rl_two_stage_row,
};

/* Half of a bidiagonal reduction's flops run at the speed of memory and none of QR's do: QR first pays off soon. */
static bool wants_qr_first(const rl_producer_row *row, const rl_core *core) {
    return (int64_t)core->rows * 10 > (int64_t)core->columns * 11 || (row->square_only && core->rows > core->columns);
}

double rl_lap(double *start) {
    const double since = *start;
    *start = rl_seconds();
    return *start - since;
}

static rl_status project_core(const rl_producer_row *row, rl_core *core, rl_projection *projection,
                              rl_timings *timings) {
    if (wants_qr_first(row, core)) {
        double start = rl_seconds();
        RL_TRY(rl_reduce_shape(core));
        timings->reduce += rl_lap(&start);
    }
    return row->produce(core, projection, timings);
}

void rl_spectrum_store_destroy(rl_spectrum_store *store) {
    rl_free(store->arrays);
    rl_free(store->z);
    *store = (rl_spectrum_store){0};
}

/* ---- from projection to spectrum --------------------------------------------------------------------------------- */

/* All arrays but Z; the store owns them by the first. */
static void list_spectrum(rl_arena *arena, void *object) {
    rl_spectrum *s = object;
    const size_t modes = (size_t)s->n_modes, m = (size_t)s->m;
    RL_TAKE(arena, s->sigma, modes);
    RL_TAKE(arena, s->b_star, modes);
    for (int t = 0; t < RL_N_TARGETS; t++) RL_TAKE(arena, s->c[t], modes);
    RL_TAKE(arena, s->z_one, m);
    for (int t = 0; t < RL_N_TARGETS; t++) RL_TAKE(arena, s->z_target[t], m);
    RL_TAKE(arena, s->population_target, s->n_population);
}

static void take_modes(const rl_projection *projection, double scale, rl_spectrum *s) {
    for (int r = 0; r < s->n_modes; r++) s->sigma[r] = projection->sigma[r] * scale;
    for (int t = 0; t < RL_N_TARGETS; t++) {
        memcpy(s->c[t], projection->targets + (size_t)t * (size_t)s->n_modes, (size_t)s->n_modes * sizeof(double));
        s->outside_sq[t] = s->n_train > s->n_features ? projection->tails.square[t] : 0;
    }
    s->rank = rl_spectrum_rank(s);
}

static void take_test_rows(const rl_placed_case *placed, const rl_block_matrix *z, rl_spectrum *s) {
    for (int i = 0; i < s->m; i++) {
        const int row = placed->c->n_train + rl_block_matrix_global_row(z, i);
        s->z_one[i] = 1;
        for (int t = 0; t < RL_N_TARGETS; t++) s->z_target[t][i] = placed->target[t][row];
    }
}

static void take_population(const rl_case *c, const rl_block_matrix *z, rl_spectrum *s) {
    if (c->scale == NULL) return;
    s->population_z = s->z + s->m;
    s->ld_population = s->ldz;
    for (int i = 0; i < s->n_population; i++) {
        const int j = rl_block_matrix_global_row(z, s->m + i) - c->n_test;
        s->population_target[i] = c->scale[j] * c->beta_star[j];
    }
}

/* Local. In every mode v_r . beta* becomes at least 0: Z's column and the targets' coordinates change sign together. */
static void fix_signs(rl_spectrum *s) {
    const size_t rows = (size_t)s->m + (size_t)s->n_population;
    for (int r = 0; r < s->n_modes; r++) {
        if (s->b_star[r] >= 0) continue;
        s->b_star[r] *= -1;
        for (int t = 0; t < RL_N_TARGETS; t++) s->c[t][r] *= -1;
        for (size_t i = 0; i < rows; i++) s->z[(size_t)r * (size_t)s->ldz + i] *= -1;
    }
}

/* Collective. What the modes in use do not reach of beta* is its tail and its coordinates on the other modes; of a test
 * row likewise, and the two meet in an inner product: no difference of large numbers anywhere. */
static rl_status find_bias(const rl_projection *projection, const rl_block_matrix *z, rl_spectrum *s) {
    const bool has_tails = s->n_train < s->n_features;
    double sums[2] = {0};
    if (s->rank == s->n_features) return RL_OK;
    s->b_outside_sq = has_tails ? projection->tails.square[z->rows - 1] : 0;
    for (int r = s->rank; r < s->n_modes; r++) s->b_outside_sq += s->b_star[r] * s->b_star[r];
    for (int i = 0; i < s->m; i++) {
        double lost = has_tails ? projection->tails.last[rl_block_matrix_global_row(z, i)] : 0;
        for (int r = s->rank; r < s->n_modes; r++) lost += s->z[(size_t)r * (size_t)s->ldz + (size_t)i] * s->b_star[r];
        sums[0] -= lost;
        sums[1] += lost * lost;
    }
    RL_TRY(rl_spectrum_add_up(s, sums, 2));
    s->test_bias = sums[0] / s->n_test;
    s->test_bias_mse = sums[1] / s->n_test;
    return RL_OK;
}

static rl_status add_up_over_ranks(const void *holders, double *sums, int64_t n) {
    return rl_sum_over_ranks(holders, sums, n);
}

/* This rank's part of Z: test rows first, then the population's; beta* comes last of all. */
static void take_share(const rl_block_matrix *z, rl_spectrum *s) {
    s->m = rl_rows_before(z, s->n_test);
    s->n_population = rl_rows_before(z, z->rows - 1) - s->m;
    s->z = z->a;
    s->ldz = z->ld;
    s->add_up = add_up_over_ranks;
    s->holders = z->grid;
}

static rl_status assemble_spectrum(const rl_placed_case *placed, rl_projection *projection, rl_spectrum_store *store,
                                   rl_spectrum *s) {
    rl_block_matrix *const z = &projection->z;
    s->status = projection->status;
    if (s->status != RL_CELL_DONE) return RL_OK;
    take_share(z, s);
    const rl_status allocated = rl_arrays_create(s, list_spectrum);
    store->arrays = s->sigma;
    RL_TRY(rl_process_grid_agree(z->grid, allocated));
    RL_TRY(rl_replicate(z, z->rows - 1, 0, 1, s->n_modes, s->b_star));
    take_modes(projection, placed->scale, s);
    take_test_rows(placed, z, s);
    take_population(placed->c, z, s);
    fix_signs(s);
    RL_TRY(find_bias(projection, z, s));
    store->z = z->a; /* handed over */
    z->a = NULL;
    return RL_OK;
}

static rl_spectrum nothing_yet(const rl_case *c) {
    return (rl_spectrum){.n_train = c->n_train,
                         .n_features = c->n_features,
                         .n_test = c->n_test,
                         .n_modes = rl_smaller(c->n_train, c->n_features)};
}

rl_status rl_placed_case_spectrum(rl_placed_case *placed, rl_producer which, rl_spectrum_store *store,
                                  rl_spectrum *spectrum, rl_timings *timings) {
    rl_projection projection = {0};
    rl_spectrum_store_destroy(store);
    *spectrum = nothing_yet(placed->c);
    rl_status status = project_core(producers[which], &placed->core, &projection, timings);
    if (status == RL_OK) status = assemble_spectrum(placed, &projection, store, spectrum);
    rl_projection_destroy(&projection);
    return status;
}

rl_status rl_distributed_spectrum(const rl_process_grid *grid, rl_producer which, int block, const rl_case *c,
                                  rl_spectrum_store *store, rl_spectrum *spectrum, rl_timings *timings) {
    const double start = rl_seconds();
    rl_timings spent = {0};
    rl_placed_case placed;
    rl_spectrum_store_destroy(store);
    *spectrum = nothing_yet(c);
    rl_status status = rl_placed_case_create(&placed, grid, block, c);
    spent.generate = rl_seconds() - start;
    if (status == RL_OK) status = rl_placed_case_spectrum(&placed, which, store, spectrum, &spent);
    rl_placed_case_destroy(&placed);
    spent.total = rl_seconds() - start;
    if (timings != NULL) *timings = spent;
    return status;
}

/* The stages of rl_distributed_spectrum: generate, project, assemble. */
void rl_distributed_spectrum_needs(const rl_process_grid *grid, rl_producer which, int block, const rl_case *c,
                                   rl_needs *needs) {
    const rl_producer_row *row = producers[which];
    rl_core core = rl_core_of_case(grid, block, c);
    rl_projection projection;
    rl_spectrum s = nothing_yet(c);
    rl_needs_on_grid(needs, grid);
    needs->libraries += rl_needs_libraries(&core);
    rl_placed_case_needs(&core, c, needs);
    if (wants_qr_first(row, &core)) rl_reduce_shape_needs(&core, needs);
    row->tell_needs(&core, &projection, needs);
    take_share(&projection.z, &s);
    rl_needs_arrays(needs, &s, list_spectrum);
}
