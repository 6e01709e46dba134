/* Beside the errors of a full spectrum on one rank: algorithms that run on its training rows, and what its fits say at
 * test points. */
#include "../vectors.h"
#include "curves.h"

bool rl_fits_on_rows(const rl_series *series) {
    return rl_needs_rows(series) || series->n_points > 0;
}

/* Another start for each repeat, the same for all N of it. */
void rl_fit_on_rows(rl_curves *c, const rl_training_set *train, const rl_spectrum *s) {
    const rl_series *g = c->series;
    const rl_rows_problem problem = {.train = train,
                                     .spectrum = s,
                                     .test = &c->factor,
                                     .start = c->start,
                                     .key = c->rows.key,
                                     .repeat = c->rows.repeat,
                                     .room = c->solver_room};
    if (!rl_has_need(g, RL_NEED_ROWS)) return;
    rl_philox_normal_row(c->rows.key, RL_STREAM_START, c->rows.repeat, 0, 0, g->n_features, c->start);
    rl_evaluate_rows(&problem, &c->population, g->spec->n_variants, g->spec->variants, c->betas, c->room, c->errors);
}

/* The parameters V beta of a fit that has coordinates alone; the algorithms on rows have left theirs. */
const double *rl_parameters_of(rl_curves *c, const rl_spectrum *s, int v) {
    double *beta = c->betas + (size_t)v * (size_t)s->n_features;
    if (c->series->spec->variants[v].ablation->need != RL_NEED_ROWS)
        rl_gemv('T', s->n_modes, s->n_features, 1, s->vt, s->n_modes, rl_evaluated_fit(c->evaluator, v)->beta, 0, beta);
    return beta;
}

void rl_record_predictions(rl_curves *c, const rl_spectrum *s, int i, double *curve) {
    const rl_series *g = c->series;
    const int n = g->n_points, features = g->n_features, variants = g->spec->n_variants;
    if (n == 0 || c->rows.repeat >= RL_PREDICTED_REPEATS || s->status != RL_CELL_DONE) return;
    rl_rows_get(&c->rows, g->data.n_rows - n, n, c->points, features, c->room);
    double *out = curve + c->layout.predictions + (size_t)i * (size_t)variants * (size_t)n;
    for (int v = 0; v < variants; v++, out += n) {
        rl_gemv('T', features, n, 1, c->points, features, rl_parameters_of(c, s, v), 0, out);
        const bool has_shift = g->spec->variants[v].ablation->need != RL_NEED_ROWS;
        const double shift = has_shift ? rl_evaluated_fit(c->evaluator, v)->shift : 0;
        for (int k = 0; k < n; k++) out[k] += shift;
    }
}
