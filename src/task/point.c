/* What one N comes to, a point or a spectrum, into the record of its curve. Records come cleared: what is not set here
 * says so. */
#include <string.h>

#include "task_private.h"

/* v_r of all modes, one after the other. */
static void record_directions(const rl_record_layout *l, const rl_spectrum *s, double *directions) {
    const size_t features = (size_t)l->n_directions, modes = (size_t)s->n_modes;
    for (size_t r = 0; r < modes; r++)
        for (size_t j = 0; j < features; j++) directions[r * features + j] = s->vt[r + j * modes];
}

/* test_projection_rms NULL: it comes from the spectrum's test rows. */
static rl_status record_modes(const rl_record_layout *l, const rl_spectrum *s, const double *test_projection_rms, int i,
                              double *record) {
    const size_t first = (size_t)i * (size_t)l->max_modes, bytes = (size_t)s->n_modes * sizeof *record;
    double *const test = record + l->test_projection_rms + first, *const residual =
                                                                      record + l->residual_projection + first;
    memcpy(record + l->sigma + first, s->sigma, bytes);
    if (l->n_directions > 0) record_directions(l, s, record + l->direction + first * (size_t)l->n_directions);
    if (test_projection_rms == NULL) return rl_mode_factors(s, test, residual);
    memcpy(test, test_projection_rms, bytes);
    memcpy(residual, s->c[RL_TARGET_RESIDUAL], bytes);
    return RL_OK;
}

static void record_scalars(const rl_record_layout *l, const rl_point *p, int i_n, double *record) {
    const size_t i = (size_t)i_n;
    record[l->status + i] = RL_CELL_DONE;
    record[l->sigma_min + i] = p->sigma_min;
    record[l->sigma_max + i] = p->sigma_max;
    record[l->rank + i] = p->rank;
    record[l->test_bias_sq + i] = p->test_bias * p->test_bias;
    record[l->test_bias_mse + i] = p->test_bias_mse;
}

void rl_task_record_errors(const rl_record_layout *l, const rl_errors *errors, int i, double *record) {
    const size_t first = (size_t)i * (size_t)l->n_variants;
    for (int v = 0; v < l->n_variants; v++) {
        record[l->test_mse + first + (size_t)v] = errors[v].test_mse;
        record[l->train_mse + first + (size_t)v] = errors[v].train_mse;
        if (l->has_population) record[l->population_mse + first + (size_t)v] = errors[v].population_mse;
        if (l->has_distance) record[l->distance + first + (size_t)v] = errors[v].distance;
    }
}

rl_status rl_task_record_spectrum(const rl_record_layout *l, const rl_spectrum *s, int i, double *record) {
    if (s->status != RL_CELL_DONE) {
        record[l->status + (size_t)i] = s->status;
        if (s->status == RL_CELL_ZERO_MATRIX) record[l->rank + (size_t)i] = 0;
        return RL_OK;
    }
    const rl_point p = {.rank = s->rank,
                        .sigma_min = s->sigma[s->rank - 1],
                        .sigma_max = s->sigma[0],
                        .test_bias = s->test_bias,
                        .test_bias_mse = s->test_bias_mse};
    record_scalars(l, &p, i, record);
    return l->has_modes ? record_modes(l, s, NULL, i, record) : RL_OK;
}

rl_status rl_task_record_point(rl_task *t, const rl_grid *g, const rl_point *p, int i, double *record) {
    const rl_population population = rl_task_population(g);
    RL_TRY(rl_point_errors(t->evaluator, p, &population, g->spec->n_variants, g->spec->variants, t->errors));
    rl_task_record_errors(&t->layout, t->errors, i, record);
    record_scalars(&t->layout, p, i, record);
    if (p->test_projection_rms == NULL) return RL_OK; /* it has no modes */
    return record_modes(&t->layout, p->spectrum, p->test_projection_rms, i, record);
}
