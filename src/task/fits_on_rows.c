/* Beside the errors of a full spectrum on one rank: algorithms that run on its training rows, and what its fits say at
 * test points. */
#include "../lapack.h"
#include "../numbers.h"
#include "task_private.h"

static const rl_grid *grid_of(const rl_task *t) {
    return &t->plan->grids[t->grid];
}

static bool has_steps(const rl_grid *g) {
    return rl_steps_on_rows(g->spec->n_variants, g->spec->variants) > 0;
}

rl_status rl_task_prepare_rows(rl_task *t) {
    const rl_grid *g = grid_of(t);
    const size_t features = (size_t)g->data.n_features;
    if (!has_steps(g) && g->n_points == 0) return RL_OK;
    RL_TRY(RL_ALLOC(t->betas, features * (size_t)g->spec->n_variants));
    RL_TRY(RL_ALLOC(t->start, features));
    RL_TRY(RL_ALLOC(t->points, features * (size_t)g->n_points));
    return RL_ALLOC(t->room, rl_larger(t->max_train, rl_larger(t->factor.order, g->n_points)));
}

/* Another start for each repeat, the same for all N of it. */
void rl_task_run_on_rows(rl_task *t, const rl_training_set *train, const rl_spectrum *s) {
    const rl_grid *g = grid_of(t);
    const rl_population population = rl_task_population(g);
    const rl_rows_problem problem = {.train = train, .spectrum = s, .test = &t->factor, .start = t->start};
    if (!has_steps(g)) return;
    rl_philox_normal_row(t->rows.key, RL_STREAM_START, t->rows.repeat, 0, 0, g->data.n_features, t->start);
    rl_evaluate_rows(&problem, &population, g->spec->n_variants, g->spec->variants, t->betas, t->room, t->errors);
}

/* The parameters V beta of a fit that has coordinates alone; the algorithms on rows have left theirs. */
static const double *parameters_of(rl_task *t, const rl_spectrum *s, int v) {
    const int one = 1;
    const double unit = 1, zero = 0;
    double *beta = t->betas + (size_t)v * (size_t)s->n_features;
    if (grid_of(t)->spec->variants[v].ablation->need != RL_NEED_ROWS)
        dgemv_("T", &s->n_modes, &s->n_features, &unit, s->vt, &s->n_modes, rl_evaluated_fit(t->evaluator, v)->beta,
               &one, &zero, beta, &one, 1);
    return beta;
}

void rl_task_record_predictions(rl_task *t, const rl_spectrum *s, int i, double *record) {
    const rl_grid *g = grid_of(t);
    const int n = g->n_points, features = g->data.n_features, variants = g->spec->n_variants, one = 1;
    const double unit = 1, zero = 0;
    if (n == 0 || t->rows.repeat >= RL_PREDICTED_REPEATS || s->status != RL_CELL_DONE) return;
    rl_rows_get(&t->rows, g->data.n_rows - n, n, t->points, features, t->room);
    double *out = record + t->layout.predictions + (size_t)i * (size_t)variants * (size_t)n;
    for (int v = 0; v < variants; v++, out += n) {
        const double *beta = parameters_of(t, s, v);
        dgemv_("T", &features, &n, &unit, t->points, &features, beta, &one, &zero, out, &one, 1);
        const bool has_shift = g->spec->variants[v].ablation->need != RL_NEED_ROWS;
        const double shift = has_shift ? rl_evaluated_fit(t->evaluator, v)->shift : 0;
        for (int k = 0; k < n; k++) out[k] += shift;
    }
}
