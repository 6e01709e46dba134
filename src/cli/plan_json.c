/* What `plan --json` says to programs. */
#include "plan.h"

static json_t *integers_json(const int *values, int n) {
    json_t *list = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(list, json_integer(values[i]));
    return list;
}

/* A data set at one P. */
static json_t *dataset_json(const rl_series *series, const rl_series_estimate *s) {
    const rl_dataset *data = &series->data;
    json_t *object =
        json_pack("{s:s, s:s, s:i, s:i, s:i, s:b, s:i, s:i, s:b, s:i, s:f, s:o}", "name", data->name, "way",
                  rl_how_computed(series), "rows", data->n_rows, "rows_dropped", data->n_dropped, "n_features",
                  data->n_features, "intercept", data->intercept, "rank", data->rank, "threshold",
                  rl_dataset_threshold(data), "scales_apart", data->scales_apart, "variants", series->spec->n_variants,
                  "seconds", s->seconds, "n_train", integers_json(series->n_train, series->n_n_train));
    if (object != NULL && data->map != NULL) json_object_set_new(object, "map", json_string(data->map->name));
    if (object == NULL || !series->on_grid) return object;
    json_object_set_new(object, "producer", json_string(rl_producer_name(series->producer)));
    const rl_grid_shape grid = rl_planned_shape(series, s->ranks);
    json_object_set_new(object, "ranks_per_case", json_integer(s->ranks));
    json_object_set_new(object, "grid_rows", json_integer(grid.rows));
    json_object_set_new(object, "grid_columns", json_integer(grid.columns));
    json_object_set_new(object, "fewest_ranks_per_case", json_integer(s->fewest));
    json_object_set_new(object, "groups", json_integer(s->n_groups));
    json_object_set_new(object, "seconds_of_largest_case", json_real(s->seconds_case));
    json_object_set_new(object, "bytes_per_rank_of_largest_case", json_real(s->bytes));
    return object;
}

static json_t *autoencoder_json(const rl_series *series, const rl_series_estimate *s) {
    const rl_study_autoencoder *a = series->autoencoder;
    return json_pack("{s:s, s:i, s:i, s:i, s:o, s:o}", "name", a->name, "n_features", a->model.n_features, "steps",
                     a->model.steps, "ranks_per_case", s->ranks, "hidden", integers_json(a->hidden, a->n_hidden),
                     "n_train", integers_json(series->n_train, series->n_n_train));
}

static json_t *choice_json(const rl_estimate *e) {
    return json_pack("{s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "ranks", e->ranks, "nodes", e->nodes, "seconds",
                     e->seconds, "start_seconds", e->starting, "compute_seconds", e->computing, "journal_seconds",
                     e->keeping, "results_seconds", e->writing, "memory_per_rank_bytes", e->bytes,
                     "memory_of_other_ranks_bytes", e->other_bytes);
}

static json_t *choices_json(const rl_advice *advice) {
    json_t *list = json_array();
    for (int i = 0; i < advice->n; i++) json_array_append_new(list, choice_json(&advice->choices[i]));
    return list;
}

/* Names with values, added to an object that may be NULL. */
static void add_counts(const rl_answer *a, json_t *object) {
    const struct {
        const char *key;
        int64_t value;
    } counts[] = {{"cells", rl_count_cells(a)},
                  {"spectra", a->curves.points},
                  {"curves", a->curves.pieces},
                  {"curves_done", a->curves.done},
                  {"repeats", a->prepared->study.repeats},
                  {"trainings", a->trainings.pieces},
                  {"trainings_done", a->trainings.done},
                  {"ranks", a->estimate->ranks},
                  {"nodes", a->estimate->nodes},
                  {"fewest_ranks", a->advice.choices[0].ranks},
                  {"ranks_worth_using", a->advice.choices[a->advice.best].ranks},
                  {"cores_per_node", a->outlook.nodes.cores}};
    for (size_t i = 0; object != NULL && i < sizeof counts / sizeof *counts; i++)
        json_object_set_new(object, counts[i].key, json_integer(counts[i].value));
}

static void add_numbers(const rl_answer *a, json_t *object) {
    const struct {
        const char *key;
        double value;
    } numbers[] = {{"flops", a->flops},
                   {"memory_per_rank_bytes", a->estimate->bytes},
                   {"seconds", a->estimate->seconds},
                   {"compute_seconds", a->estimate->computing},
                   {"seconds_on_fewest_ranks", a->advice.choices[0].seconds},
                   {"seconds_of_trainings", a->estimate->trainings}};
    for (size_t i = 0; object != NULL && i < sizeof numbers / sizeof *numbers; i++)
        json_object_set_new(object, numbers[i].key, json_real(numbers[i].value));
}

static void add_lists(const rl_answer *a, json_t *object) {
    const rl_plan *plan = &a->prepared->plan;
    json_t *datasets = json_array(), *autoencoders = json_array();
    for (int i = 0; i < a->outlook.n_of_data; i++)
        json_array_append_new(datasets, dataset_json(&plan->series[i], &a->estimate->series[i]));
    for (int i = a->outlook.n_of_data; i < plan->n_series; i = rl_plan_end_of_group(plan, i))
        json_array_append_new(autoencoders, autoencoder_json(&plan->series[i], &a->estimate->series[i]));
    json_object_set_new(object, "datasets", datasets);
    json_object_set_new(object, "autoencoders", autoencoders);
    json_object_set_new(object, "choices", choices_json(&a->advice));
}

rl_status rl_print_plan_json(const rl_answer *answer) {
    rl_text advice = RL_TEXT_EMPTY;
    const rl_status status = rl_advise_in_words(&answer->advice, &advice);
    json_t *root = status != RL_OK
                       ? NULL
                       : json_pack("{s:s, s:s?, s:s, s:s}", "title", answer->prepared->study.title, "output",
                                   answer->prepared->output, "rates", answer->rates_source, "advice", advice.bytes);
    rl_free(advice.bytes);
    RL_TRY(status);
    add_counts(answer, root);
    add_numbers(answer, root);
    if (root != NULL) add_lists(answer, root);
    return rl_print_json(root);
}
