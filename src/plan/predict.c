/* What a plan's curves take on a machine of known rates. */
#include <math.h>
#include <stdio.h>

#include "cost.h"
#include "ridgeless/case_cost.h"

/* A plan asks for no more: the search for a group that fits ends here. */
enum { MAX_RANKS = 65536 };

/* One full spectrum on a process grid. */
static rl_case_sizes spectrum_case(const rl_study *study, const rl_grid *g, int i, int ranks) {
    const rl_dataset *data = &g->data;
    /* where they lie, and again as the teacher's */
    const double normals = data->fresh && data->map == NULL
                               ? (double)data->n_rows * ((double)data->n_features + data->teacher.n_hidden)
                               : 0;
    return (rl_case_sizes){.method = rl_case_method_of(g->producer),
                           .n_train = g->n_train[i],
                           .n_features = data->n_features,
                           .n_test = data->n_rows - g->n_train[i],
                           .n_population = rl_dataset_scale(data) != NULL ? data->n_features : 0,
                           .n_variants = g->spec->n_variants,
                           .normals = normals,
                           .block = study->block,
                           .ranks = ranks};
}

/* A curve by nested factorization on one, but for its full spectra. */
static rl_case_sizes nested_case(const rl_study *study, const rl_grid *g, int ranks) {
    rl_case_sizes c = spectrum_case(study, g, g->n_n_train - 1, ranks);
    c.method = RL_CASE_CURVE;
    c.n_variants = 0;
    c.n_shortest = g->n_train[0];
    c.n_sizes = g->n_n_train;
    for (int i = 0; i < g->n_n_train; i++) c.n_sigma += g->sigma_wanted[i];
    return c;
}

/* Calls `visit` with every case on a process grid that the grid's curves consist of, until it fails. */
static rl_status visit_cases(const rl_study *study, const rl_grid *g, int first, int n_sizes, int ranks,
                             rl_status (*visit)(void *state, const rl_case_sizes *c), void *state) {
    if (g->way == RL_WAY_GRID_NESTED) {
        const rl_case_sizes c = nested_case(study, g, ranks);
        RL_TRY(visit(state, &c));
    }
    for (int i = first; i < first + n_sizes; i++) {
        if (g->way == RL_WAY_GRID_NESTED && !g->full[i]) continue;
        const rl_case_sizes c = spectrum_case(study, g, i, ranks);
        RL_TRY(visit(state, &c));
    }
    return RL_OK;
}

/* ---- what it takes ----------------------------------------------------------------------------------------------- */

typedef struct sum {
    const rl_rates *rates;
    double together;
    rl_curve_cost cost;
} sum;

/* A factored curve stays in memory while spectra are made from it, each about as large. */
static double cases_together(const rl_grid *g) {
    bool some = false;
    for (int i = 0; i < g->n_n_train; i++) some |= g->full[i];
    return some ? 2 : 1;
}

static rl_status add_case(void *state, const rl_case_sizes *c) {
    sum *s = state;
    const rl_case_cost cost = rl_case_predict(c, s->rates);
    s->cost.seconds += cost.seconds;
    s->cost.bytes = fmax(s->cost.bytes, s->together * cost.bytes);
    return RL_OK;
}

rl_curve_cost rl_predict_curve(const rl_plan *plan, int64_t curve, int ranks, const rl_rates *rates) {
    const rl_curve *c = &plan->curves[curve];
    const rl_grid *g = &plan->grids[c->grid];
    sum s = {.rates = rates, .together = cases_together(g)};
    if (rl_way_on_grid(g->way)) {
        visit_cases(plan->study, g, c->first_size, c->n_sizes, ranks, add_case, &s); /* cannot fail */
        return s.cost;
    }
    return (rl_curve_cost){
        .seconds = plan->cost[curve] / rl_rate_at(&rates->dense, g->data.n_features),
        .bytes = (double)(rl_buffer_bytes(g) + rl_rows_bytes(&g->data) + rl_record_bytes(g) + rl_summary_bytes(g))};
}

/* ---- what fits --------------------------------------------------------------------------------------------------- */

typedef struct fit {
    const rl_study *study;
    const rl_grid *grid;
    double bytes_per_rank, together;
    int fewest;
} fit;

/* What the libraries' integers cannot hold, as a failure of the dataset. */
static rl_status check_limits(const fit *f, const rl_case_sizes *c) {
    if (rl_case_limits(c, MAX_RANKS) == RL_OK) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s: dataset `%s`: %s", f->study->path, f->grid->spec->name, rl_error_message());
}

static rl_status require(void *state, const rl_case_sizes *c) {
    fit *f = state;
    const int ranks = rl_smallest_group(c, f->bytes_per_rank / f->together, MAX_RANKS);
    if (ranks > f->fewest) f->fewest = ranks;
    if (ranks > 0) return RL_OK;
    RL_TRY(check_limits(f, c));
    return rl_fail(
        RL_ERR_INPUT,
        "%s: dataset `%s`: N = %lld, P = %lld and %lld test rows do not fit at %.3g GiB a rank, on any number "
        "of ranks up to %d",
        f->study->path, f->grid->spec->name, (long long)c->n_train, (long long)c->n_features, (long long)c->n_test,
        f->bytes_per_rank / (1 << 30), MAX_RANKS);
}

rl_status rl_fewest_ranks(const rl_study *study, const rl_grid *grid, double bytes_per_rank, int *ranks) {
    fit f = {
        .study = study, .grid = grid, .bytes_per_rank = bytes_per_rank, .together = cases_together(grid), .fewest = 1};
    RL_TRY(visit_cases(study, grid, 0, grid->n_n_train, 1, require, &f));
    *ranks = f.fewest;
    return RL_OK;
}

static rl_status check_case(void *state, const rl_case_sizes *c) {
    const fit *f = state;
    RL_TRY(check_limits(f, c));
    const double bytes = f->together * rl_case_bytes(c, c->ranks);
    if (bytes <= f->bytes_per_rank) return RL_OK;
    const int enough = rl_smallest_group(c, f->bytes_per_rank / f->together, MAX_RANKS);
    char way_out[64];
    if (enough > 0)
        snprintf(way_out, sizeof way_out, "use at least %d ranks a case", enough);
    else
        snprintf(way_out, sizeof way_out, "no number of ranks up to %d will do", MAX_RANKS);
    return rl_fail(
        RL_ERR_INPUT,
        "%s: dataset `%s`: N = %lld, P = %lld and %lld test rows take %.3g GiB a rank on %d rank(s), and there "
        "are %.3g GiB; %s",
        f->study->path, f->grid->spec->name, (long long)c->n_train, (long long)c->n_features, (long long)c->n_test,
        bytes / (1 << 30), c->ranks, f->bytes_per_rank / (1 << 30), way_out);
}

rl_status rl_check_ranks(const rl_study *study, const rl_grid *grid, int ranks, double bytes_per_rank) {
    fit f = {.study = study, .grid = grid, .bytes_per_rank = bytes_per_rank, .together = cases_together(grid)};
    return visit_cases(study, grid, 0, grid->n_n_train, ranks, check_case, &f);
}
