/* What a case on a process grid needs, from what its producer or the curve tells. */
#include "ridgeless/case_needs.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "../numbers.h"
#include "case/deal.h"
#include "curve/curve.h"

/* What the heap wastes, and whatever small is not counted. */
static const double heap = 1.04;

rl_case_method rl_case_method_of(rl_producer producer) {
    return (rl_case_method)producer;
}

/* ---- needs ------------------------------------------------------------------------------------------------------- */

/* The longer side of the bordered matrix and one more block. Within the limit no int overflows below. */
static bool has_indices(const rl_case_sizes *c, rl_needs *needs) {
    const int64_t longer = rl_larger(c->n_train, c->n_features);
    const double sum = (double)longer + (double)c->n_test + (double)c->n_population + c->block + RL_N_TARGETS + 1;
    rl_needs_limit(needs, "32-bit indices", sum, INT32_MAX);
    return needs->found.limit == NULL;
}

/* Each variant's predictions read Z once. */
static void tell_fits(const rl_case_sizes *c, int ranks, rl_needs *needs) {
    const double n_modes = (double)rl_smaller(c->n_train, c->n_features);
    const double rows = (double)(c->n_test + c->n_population + 1), z = n_modes * ceil(rows / ranks);
    rl_needs_flops(needs, RL_PART_FIT, 2 * z * ranks * (double)c->n_variants, INFINITY);
    rl_needs_pass(needs, RL_PART_FIT, 0, (double)c->n_variants * sizeof(double) * z, sizeof(double) * z);
}

static void tell_curve(const rl_process_grid *grid, const rl_case_sizes *c, const rl_case *rows, rl_needs *needs) {
    const int sizes[] = {c->n_shortest > 0 ? (int)c->n_shortest : 1, rows->n_train};
    const int n = sizes[0] < sizes[1] ? 2 : 1;
    const rl_curve_case curve = {.rows = *rows, .n_sizes = n, .n_train = sizes + 2 - n};
    rl_grid_curve_needs(grid, c->block, &curve, c->n_sizes, c->n_sigma, needs);
}

rl_case_needs rl_find_case_needs(const rl_case_sizes *c, int ranks) {
    static const double given = 1; /* standard deviations count only as given or not */
    const rl_process_grid grid = rl_process_grid_planned(ranks, c->grid);
    rl_needs needs = {0};
    rl_needs_on_grid(&needs, &grid);
    needs.block = c->block;
    if (!has_indices(c, &needs)) return needs.found;
    const rl_case rows = {.n_train = (int)c->n_train,
                          .n_features = (int)c->n_features,
                          .n_test = (int)c->n_test,
                          .scale = c->n_population > 0 ? &given : NULL};
    rl_needs_work(&needs, RL_PART_GENERATE, RL_WORK_NORMALS, c->normals / ranks);
    rl_needs_hold(&needs, rl_process_grid_bytes(&grid));
    rl_dataset_case_needs(&rows, &needs);
    if (c->method == RL_CASE_CURVE) {
        tell_curve(&grid, c, &rows, &needs);
    } else {
        rl_distributed_spectrum_needs(&grid, (rl_producer)c->method, c->block, &rows, &needs);
        tell_fits(c, ranks, &needs);
    }
    needs.found.bytes_in_all *= heap;
    return needs.found;
}

double rl_case_bytes(const rl_case_sizes *c, int ranks) {
    return rl_find_case_needs(c, ranks).bytes_in_all;
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

int rl_smallest_group(const rl_case_sizes *c, double bytes_per_rank, int max_ranks) {
    rl_needs needs = {0};
    if (!has_indices(c, &needs)) return 0; /* on any number of ranks */
    for (int ranks = 1; ranks <= max_ranks; ranks++) {
        const rl_case_needs found = rl_find_case_needs(c, ranks);
        if (found.limit == NULL && found.bytes_in_all <= bytes_per_rank) return ranks;
    }
    return 0;
}

rl_status rl_case_limits(const rl_case_sizes *c, int max_ranks) {
    const rl_case_needs found = rl_find_case_needs(c, c->ranks);
    char way_out[100];
    if (found.limit == NULL) return RL_OK;
    const int enough = rl_smallest_group(c, INFINITY, max_ranks);
    if (enough > 0)
        snprintf(way_out, sizeof way_out, "use at least %d ranks", enough);
    else
        snprintf(way_out, sizeof way_out, "no number of ranks up to %d will do", max_ranks);
    return rl_fail(RL_ERR_INPUT,
                   "N = %" PRId64 ", P = %" PRId64 " and %" PRId64
                   " test rows on %d rank%s are beyond the limit of %s (%" PRId64 " needed, at most %" PRId64
                   " allowed); %s",
                   c->n_train, c->n_features, c->n_test, c->ranks, rl_plural(c->ranks), found.limit, found.needed,
                   found.allowed, way_out);
}
