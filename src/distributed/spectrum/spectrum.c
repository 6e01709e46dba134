/* The spectrum of a case: the chosen producer, and what its projection comes to. */
#include <string.h>

#include "generate.h"

typedef struct producer {
    rl_produce produce;
    bool square_only; /* QR or LQ first however nearly square the matrix is */
} producer;

static const producer producers[] = {
    [RL_PRODUCER_PDGESVD] = {rl_produce_pdgesvd, true},
    [RL_PRODUCER_PROJECTED] = {rl_produce_projected, false},
    [RL_PRODUCER_TWO_STAGE] = {rl_produce_two_stage, false},
};

/* Half of a bidiagonal reduction's flops run at the speed of memory and none of QR's do: QR first pays off soon. */
static bool far_from_square(const rl_core *core) {
    return (int64_t)core->rows * 10 > (int64_t)core->columns * 11;
}

static rl_status project_core(const producer *chosen, rl_core *core, rl_projection *projection, rl_timings *timings) {
    if (far_from_square(core) || (chosen->square_only && core->rows > core->columns)) {
        const double start = rl_seconds();
        RL_TRY(rl_reduce_shape(core));
        timings->reduce += rl_seconds() - start;
    }
    return chosen->produce(core, projection, timings);
}

void rl_spectrum_store_destroy(rl_spectrum_store *store) {
    rl_free(store->arrays);
    rl_free(store->z);
    *store = (rl_spectrum_store){0};
}

/* ---- from projection to spectrum --------------------------------------------------------------------------------- */

/* Local. Hands out all arrays but Z. */
static rl_status allocate_arrays(rl_spectrum_store *store, rl_spectrum *s) {
    const size_t modes = (size_t)s->n_modes, m = (size_t)s->m, more = (size_t)s->n_population;
    RL_TRY(RL_ALLOC(store->arrays, modes * (2 + RL_N_TARGETS) + m * (1 + RL_N_TARGETS) + more));
    double *next = store->arrays;
    s->sigma = next, next += modes;
    s->b_star = next, next += modes;
    for (int t = 0; t < RL_N_TARGETS; t++) s->c[t] = next, next += modes;
    s->z_one = next, next += m;
    for (int t = 0; t < RL_N_TARGETS; t++) s->z_target[t] = next, next += m;
    s->population_target = next;
    return RL_OK;
}

static void take_modes(const rl_projection *projection, double scale, rl_spectrum *s) {
    for (int r = 0; r < s->n_modes; r++) s->sigma[r] = projection->sigma[r] * scale;
    for (int t = 0; t < RL_N_TARGETS; t++) {
        memcpy(s->c[t], projection->targets + (size_t)t * (size_t)s->n_modes, (size_t)s->n_modes * sizeof(double));
        s->outside_sq[t] = s->n_train > s->n_features ? projection->tail_sq[t] : 0;
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
    s->b_outside_sq = has_tails ? projection->tail_sq[z->rows - 1] : 0;
    for (int r = s->rank; r < s->n_modes; r++) s->b_outside_sq += s->b_star[r] * s->b_star[r];
    for (int i = 0; i < s->m; i++) {
        double lost = has_tails ? projection->tail_last[rl_block_matrix_global_row(z, i)] : 0;
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
    if (s->status == RL_CELL_DONE && !(projection->sigma[0] > 0)) s->status = RL_CELL_ZERO_MATRIX;
    if (s->status != RL_CELL_DONE) return RL_OK;
    take_share(z, s);
    RL_TRY(rl_process_grid_agree(z->grid, allocate_arrays(store, s)));
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

static rl_status make_spectrum(const producer *chosen, rl_placed_case *placed, rl_spectrum_store *store, rl_spectrum *s,
                               rl_timings *timings) {
    rl_projection projection = {0};
    if (placed->scale == 0) {
        s->status = RL_CELL_ZERO_MATRIX;
        return RL_OK;
    }
    rl_status status = project_core(chosen, &placed->core, &projection, timings);
    if (status == RL_OK) status = assemble_spectrum(placed, &projection, store, s);
    rl_projection_destroy(&projection);
    return status;
}

static rl_spectrum nothing_yet(const rl_case *c) {
    return (rl_spectrum){.n_train = c->n_train,
                         .n_features = c->n_features,
                         .n_test = c->n_test,
                         .n_modes = c->n_train < c->n_features ? c->n_train : c->n_features};
}

rl_status rl_placed_case_spectrum(rl_placed_case *placed, rl_producer which, rl_spectrum_store *store,
                                  rl_spectrum *spectrum, rl_timings *timings) {
    rl_spectrum_store_destroy(store);
    *spectrum = nothing_yet(placed->c);
    return make_spectrum(&producers[which], placed, store, spectrum, timings);
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
