/* Views: a dataset with some of its features, or with those that a map makes. */
#include <math.h>

#include "../checksum.h"
#include "dataset.h"

/* Refuses inputs outside [-1, 1], as far as they are known before any repeat. */
static rl_status check_bounds(const rl_dataset *d, const rl_feature_map *map) {
    static const char *const expected = "expected inputs in [-1, 1]";
    const size_t ld = (size_t)d->n_inputs + d->intercept, n = d->x != NULL ? (size_t)d->n_rows * ld : 0;
    if (d->teacher.beta != NULL && d->fresh)
        return rl_fail(RL_ERR_INPUT, "dataset `%s`: key `map`: the inputs of `%s` have no bounds; %s", d->name,
                       map->name, expected);
    if (d->fresh && (d->function.low < -1 || d->function.high > 1))
        return rl_fail(RL_ERR_INPUT, "dataset `%s`: key `map`: the inputs of `%s` are from %.6g to %.6g; %s", d->name,
                       map->name, d->function.low, d->function.high, expected);
    for (size_t i = 0; i < n; i++)
        if (fabs(d->x[i]) > 1)
            return rl_fail(RL_ERR_INPUT, "dataset `%s`: key `map`: `%s` got the input %.6g in row %zu; %s", d->name,
                           map->name, d->x[i], i / ld + 1, expected);
    return RL_OK;
}

static rl_status check_map(const rl_dataset *d, const rl_feature_map *map) {
    if (map->n_inputs > 0 && map->n_inputs != d->n_inputs)
        return rl_fail(RL_ERR_INPUT, "dataset `%s`: key `map`: `%s` takes %d input%s, and there are %d", d->name,
                       map->name, map->n_inputs, rl_plural(map->n_inputs), d->n_inputs);
    return map->bounded ? check_bounds(d, map) : RL_OK;
}

/* Whether no map is needed: the first features as they are, and their best linear model is known. */
static bool is_plain(const rl_dataset *d, const rl_dataset *view) {
    return view->map == rl_feature_maps[0] && d->beta_star != NULL && (d->fresh || view->n_features == d->n_features);
}

/* But for its rank. */
static rl_status make_view(const rl_dataset *dataset, const rl_view_request *request, rl_dataset *view) {
    const rl_feature_map *identity = rl_feature_maps[0];
    *view = *dataset;
    view->map = request->map != NULL ? request->map : identity;
    view->map_options = request->options;
    view->view = request->index;
    if (request->n_features > 0) view->n_features = request->n_features + dataset->intercept;
    if (view->map == identity && view->n_features > dataset->n_features)
        return rl_fail(RL_ERR_INPUT,
                       "dataset `%s`: key `n_features`: got %d; expected at most the features that there are, or a "
                       "`map` that makes more",
                       dataset->name, request->n_features);
    if (is_plain(dataset, view)) {
        view->map = NULL;
        if (view->n_features == dataset->n_features) return RL_OK;
        view->n_inputs = request->n_features;
    } else {
        view->axes = view->deviations = NULL; /* those of other features */
        if (rl_dataset_in_blocks(dataset))
            return rl_fail(RL_ERR_INPUT,
                           "dataset `%s`: its table is read in blocks, which a map cannot be; expected no `map` and no "
                           "`n_features`, or `load: whole`",
                           dataset->name);
        RL_TRY(check_map(dataset, view->map));
        view->beta_star = NULL;
        view->scales_apart &= view->map == identity;
    }
    view->rank = rl_rank_of_law(view);
    view->checksum = XXH3_64bits_withSeed(&view->n_features, sizeof view->n_features, dataset->checksum);
    return RL_OK;
}

rl_status rl_dataset_view(const rl_dataset *dataset, const rl_view_request *request, rl_dataset *view) {
    RL_TRY(make_view(dataset, request, view));
    if (dataset->view_ranks != NULL) view->rank = dataset->view_ranks[request->index];
    return RL_OK;
}

/* Of views whose features all repeats share: ranks[n], from the features of the last one, which has the most. */
static rl_status rank_views(const rl_dataset *views, int n, int *ranks, rl_random_kind random, uint64_t seed) {
    const rl_dataset *last = &views[n - 1];
    rl_rows rows = {0};
    int *n_features;
    RL_TRY(RL_ALLOC(n_features, n));
    for (int i = 0; i < n; i++) n_features[i] = views[i].n_features;
    rl_status status = rl_rows_create(&rows, last, random, seed);
    if (status == RL_OK) status = rl_rows_make_features(&rows);
    if (status == RL_OK) status = rl_leading_ranks(last->n_rows, last->n_features, rows.x, n, n_features, ranks);
    rl_rows_destroy(&rows);
    rl_free(n_features);
    return status;
}

rl_status rl_dataset_find_ranks(rl_dataset *dataset, const rl_view_request *requests, int n, rl_random_kind random,
                                uint64_t seed) {
    rl_dataset *views;
    int *ranks = NULL, n_mapped = 0;
    RL_TRY(RL_ALLOC(views, n));
    rl_status status = RL_ALLOC(ranks, n);
    for (int i = 0; i < n && status == RL_OK; i++) {
        status = make_view(dataset, &requests[i], &views[i]);
        ranks[i] = views[i].rank;
        n_mapped += views[i].map != NULL; /* all but one of all features as they are, which has the most */
    }
    if (status == RL_OK && n_mapped > 0 && !rl_dataset_varies(views))
        status = rank_views(views, n_mapped, ranks, random, seed);
    rl_free(views);
    dataset->n_views = n;
    dataset->view_ranks = ranks;
    return status;
}

bool rl_dataset_sphere_task(const rl_dataset *dataset, rl_sphere_task *task) {
    if (dataset->map == NULL || dataset->map->asymptotic_mse == NULL || dataset->source->law != RL_INPUTS_SPHERE)
        return false;
    const rl_teacher *teacher = &dataset->teacher;
    *task = (rl_sphere_task){.noise = teacher->noise * teacher->noise};
    for (int j = 0; j < teacher->n_hidden; j++) task->signal += teacher->beta[j] * teacher->beta[j];
    return true;
}
