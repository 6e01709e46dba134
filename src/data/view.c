/* Views: a dataset with some of its features, or with those that a map makes. */
#include <math.h>
#include <xxhash.h>

#include "dataset.h"

/* Refuses inputs outside [-1, 1], as far as they are known before any repeat. */
static rl_status check_bounds(const rl_dataset *d, const rl_feature_map *map) {
    static const char *const expected = "expected inputs in [-1, 1]";
    const size_t n = d->x != NULL ? (size_t)d->n_rows * (size_t)d->n_inputs : 0;
    if (d->teacher.beta != NULL && d->fresh)
        return rl_fail(RL_ERR_INPUT, "dataset `%s`: key `map`: the inputs of `%s` have no bounds; %s", d->name,
                       map->name, expected);
    if (d->fresh && (d->function.low < -1 || d->function.high > 1))
        return rl_fail(RL_ERR_INPUT, "dataset `%s`: key `map`: the inputs of `%s` are from %.6g to %.6g; %s", d->name,
                       map->name, d->function.low, d->function.high, expected);
    for (size_t i = 0; i < n; i++)
        if (fabs(d->x[i]) > 1)
            return rl_fail(RL_ERR_INPUT, "dataset `%s`: key `map`: `%s` got the input %.6g in row %zu; %s", d->name,
                           map->name, d->x[i], i / (size_t)d->n_inputs + 1, expected);
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

rl_status rl_dataset_view(const rl_dataset *dataset, const rl_view_request *request, rl_dataset *view) {
    const rl_feature_map *identity = rl_feature_maps[0];
    *view = *dataset;
    view->map = request->map != NULL ? request->map : identity;
    view->map_options = request->options;
    view->view = request->index;
    if (request->n_features > 0) view->n_features = request->n_features;
    if (view->map == identity && view->n_features > dataset->n_features)
        return rl_fail(RL_ERR_INPUT,
                       "dataset `%s`: key `n_features`: got %d; expected at most the features that there are, or a "
                       "`map` that makes more",
                       dataset->name, view->n_features);
    if (is_plain(dataset, view)) {
        view->map = NULL;
        if (view->n_features == dataset->n_features) return RL_OK;
        view->n_inputs = view->n_features;
    } else {
        view->axes = view->deviations = NULL; /* those of other features */
        if (rl_dataset_in_blocks(dataset))
            return rl_fail(RL_ERR_INPUT,
                           "dataset `%s`: its table is read in blocks, which a map cannot be; expected no `map` and no "
                           "`n_features`, or `load: whole`",
                           dataset->name);
        RL_TRY(check_map(dataset, view->map));
        view->beta_star = NULL;
    }
    view->checksum = XXH3_64bits_withSeed(&view->n_features, sizeof view->n_features, dataset->checksum);
    return RL_OK;
}

bool rl_dataset_sphere_task(const rl_dataset *dataset, rl_sphere_task *task) {
    if (dataset->map == NULL || dataset->map->asymptotic_mse == NULL || dataset->source->law != RL_INPUTS_SPHERE)
        return false;
    const rl_teacher *teacher = &dataset->teacher;
    *task = (rl_sphere_task){.noise = teacher->noise * teacher->noise};
    for (int j = 0; j < teacher->n_hidden; j++) task->signal += teacher->beta[j] * teacher->beta[j];
    return true;
}
