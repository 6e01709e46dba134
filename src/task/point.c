/* What one N comes to, a point or a spectrum, into its curve. Curves come cleared: what is not set here
 * says so. */
#include <math.h>
#include <string.h>

#include "curves.h"

/* v_r of all modes, one after the other. */
static void record_directions(const rl_curve_layout *l, const rl_spectrum *s, double *directions) {
    const size_t features = (size_t)l->n_directions, modes = (size_t)s->n_modes;
    for (size_t r = 0; r < modes; r++)
        for (size_t j = 0; j < features; j++) directions[r * features + j] = s->vt[r + j * modes];
}

/* test_projection_rms NULL: it comes from the spectrum's test rows. */
static rl_status record_modes(const rl_curve_layout *l, const rl_spectrum *s, const double *test_projection_rms, int i,
                              double *curve) {
    const size_t first = (size_t)i * (size_t)l->max_modes, bytes = (size_t)s->n_modes * sizeof *curve;
    double *const test = curve + l->test_projection_rms + first, *const residual =
                                                                     curve + l->residual_projection + first;
    memcpy(curve + l->sigma + first, s->sigma, bytes);
    if (l->n_directions > 0) record_directions(l, s, curve + l->direction + first * (size_t)l->n_directions);
    if (test_projection_rms == NULL) return rl_mode_factors(s, test, residual);
    memcpy(test, test_projection_rms, bytes);
    memcpy(residual, s->c[RL_TARGET_RESIDUAL], bytes);
    return RL_OK;
}

static void record_scalars(const rl_curve_layout *l, const rl_point *p, int i_n, double *curve) {
    const size_t i = (size_t)i_n;
    curve[l->status + i] = RL_CELL_DONE;
    curve[l->sigma_min + i] = p->sigma_min;
    curve[l->sigma_max + i] = p->sigma_max;
    curve[l->rank + i] = p->rank;
    curve[l->test_bias_sq + i] = p->test_bias * p->test_bias;
    curve[l->test_bias_mse + i] = p->test_bias_mse;
}

static void record_measures(rl_curves *c, const rl_spectrum *s, size_t first, double *curve) {
    const rl_curve_layout *l = &c->layout;
    const rl_variant *variants = c->series->spec->variants;
    if (l->measures == 0) return;
    rl_measure(c->evaluator, s, l->measures, l->n_variants, variants, c->measured);
    if (rl_measures_need_test_rows(l->measures) && s != NULL && s->status == RL_CELL_DONE) rl_measure_test_rows(c, s);
    for (int k = 0; k < RL_N_MEASURES; k++)
        for (int v = 0; v < l->n_variants && (l->measures & 1u << k) != 0; v++)
            curve[l->measured[k] + first + (size_t)v] = c->measured[v].value[k];
}

void rl_record_errors(rl_curves *c, const rl_spectrum *s, int i, double *curve) {
    const rl_curve_layout *l = &c->layout;
    const size_t first = (size_t)i * (size_t)l->n_variants;
    record_measures(c, s, first, curve);
    for (int v = 0; v < l->n_variants; v++) {
        curve[l->test_mse + first + (size_t)v] = c->errors[v].test_mse;
        curve[l->train_mse + first + (size_t)v] = c->errors[v].train_mse;
        if (l->has_population) curve[l->population_mse + first + (size_t)v] = c->errors[v].population_mse;
        if (l->has_modes_kept) curve[l->modes_kept + first + (size_t)v] = c->errors[v].modes_kept;
        if (l->has_distance) curve[l->distance + first + (size_t)v] = c->errors[v].distance;
    }
}

rl_status rl_record_spectrum(const rl_curve_layout *l, const rl_spectrum *s, int i, double *curve) {
    curve[l->status + (size_t)i] = s->status;
    if (s->status != RL_CELL_DONE) return RL_OK;
    const rl_point p = {.rank = s->rank,
                        .sigma_min = s->rank > 0 ? s->sigma[s->rank - 1] : NAN, /* the smallest that is not zero */
                        .sigma_max = s->sigma[0],
                        .test_bias = s->test_bias,
                        .test_bias_mse = s->test_bias_mse};
    record_scalars(l, &p, i, curve);
    return l->has_modes ? record_modes(l, s, NULL, i, curve) : RL_OK;
}

rl_status rl_record_point(rl_curves *c, const rl_point *p, int i, double *curve) {
    const rl_study_dataset *spec = c->series->spec;
    RL_TRY(rl_point_errors(c->evaluator, p, &c->population, spec->n_variants, spec->variants, c->errors));
    rl_record_errors(c, p->spectrum, i, curve);
    record_scalars(&c->layout, p, i, curve);
    if (p->test_projection_rms == NULL) return RL_OK; /* it has no modes */
    return record_modes(&c->layout, p->spectrum, p->test_projection_rms, i, curve);
}

rl_status rl_record_points(rl_curves *c, const bool *wanted, double *curve) {
    for (int i = 0; i < c->series->n_n_train; i++) {
        const bool here = rl_is_wanted(wanted, i), done = c->found[i].done && !c->series->full[i];
        c->remaining[i] = here && !done;
        if (here && done) RL_TRY(rl_record_point(c, &c->found[i], i, curve));
    }
    return RL_OK;
}
