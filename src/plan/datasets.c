/* The data sets of a plan: loaded from their files, or taken over. */
#include <string.h>

#include "../numbers.h"
#include "lay_out.h"

rl_view_request rl_view_request_of(const rl_study_dataset *spec, int index) {
    return (rl_view_request){.map = spec->map,
                             .options = &spec->map_options,
                             .n_features = spec->n_features.n_values > 0 ? spec->n_features.values[index] : 0,
                             .index = index};
}

/* The folder of the study file, "." when its path has none; owned by the caller. */
static rl_status folder_of(const char *path, char **folder) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL) return rl_strdup(folder, ".");
    RL_TRY(rl_strdup(folder, path));
    (*folder)[slash == path ? 1 : slash - path] = '\0';
    return RL_OK;
}

/* Whether a data set before this one lacks a file of the same source. */
static bool is_told(const rl_study *study, const bool *missing, int dataset) {
    for (int i = 0; i < dataset; i++)
        if (missing[i] && study->datasets[i].source == study->datasets[dataset].source) return true;
    return false;
}

/* A line for each data set; and how to get what is missing, once a source. */
static rl_status append_missing(const rl_study *study, const rl_data_path *path, const bool *missing,
                                rl_text *message) {
    for (int i = 0; i < study->n_datasets; i++) {
        const rl_study_dataset *dataset = &study->datasets[i];
        const char *file = NULL, *advice = dataset->source->how_to_get;
        if (!missing[i] || rl_source_available(dataset->source, path, &file)) continue;
        RL_TRY(rl_text_append(message, "\n  `%s` of the dataset `%s` (line %d)", file, dataset->name, dataset->line));
        if (advice != NULL && !is_told(study, missing, i)) RL_TRY(rl_text_append(message, ": %s", advice));
    }
    return RL_OK;
}

static rl_status append_folders(const rl_data_path *path, rl_text *message) {
    bool first = true;
    RL_TRY(rl_text_append(message, "; looked in"));
    for (int i = 0; i < path->n_folders; i++) {
        if (path->folders[i] == NULL) continue;
        RL_TRY(rl_text_append(message, "%s %s", first ? "" : ",", path->folders[i]));
        first = false;
    }
    return RL_OK;
}

/* The data sets come last: they are what may be cut when the message grows too long. */
static rl_status fail_missing(const rl_study *study, const rl_data_path *path, const bool *missing, bool others) {
    const char *way_out = others ? "; --skip-missing runs the other datasets" : "";
    rl_text message = RL_TEXT_EMPTY;
    rl_status status;
    RL_TRY_GOTO(rl_text_append(&message, "%s: data files are missing%s", study->path, way_out), out);
    RL_TRY_GOTO(append_folders(path, &message), out);
    RL_TRY_GOTO(append_missing(study, path, missing, &message), out);
    status = rl_fail(RL_ERR_INPUT, "%s", message.bytes);
out:
    rl_free(message.bytes);
    return status;
}

static rl_status fail_unknown(const rl_study *study, const char *name) {
    const int n = study->n_datasets + study->n_autoencoders;
    const char **names;
    char list[700], hint[RL_WORD_HINT];
    RL_TRY(RL_ALLOC(names, n));
    for (int i = 0; i < n; i++)
        names[i] = i < study->n_datasets ? study->datasets[i].name : study->autoencoders[i - study->n_datasets].name;
    rl_list_words(names, n, list, sizeof list);
    const rl_status status = rl_fail(RL_ERR_INPUT, "%s: has no dataset `%s`%s expected one of %s", study->path, name,
                                     rl_word_hint(name, names, n, hint), list);
    rl_free(names);
    return status;
}

/* wanted[i]: whether dataset i is asked for. */
static rl_status choose_datasets(const rl_study *study, const rl_plan_options *options, bool *wanted, int *n_wanted) {
    *n_wanted = 0;
    for (int i = 0; i < options->n_datasets; i++) {
        const rl_study_dataset *spec = rl_find_dataset(study, options->datasets[i]);
        if (spec == NULL && rl_find_autoencoder(study, options->datasets[i]) >= 0) continue;
        if (spec == NULL) return fail_unknown(study, options->datasets[i]);
        wanted[spec - study->datasets] = true;
    }
    for (int i = 0; i < study->n_datasets; i++) {
        wanted[i] |= options->n_datasets == 0;
        *n_wanted += wanted[i];
    }
    return RL_OK;
}

/* missing[i]: whether dataset i is wanted and a file of it is not there; it is not wanted any more then. */
static rl_status check_files(const rl_study *study, const rl_plan_options *options, bool *wanted, bool *missing) {
    int n_wanted, n_missing = 0;
    RL_TRY(choose_datasets(study, options, wanted, &n_wanted));
    for (int i = 0; i < study->n_datasets; i++) {
        const char *file = NULL;
        missing[i] = wanted[i] && !rl_source_available(study->datasets[i].source, options->path, &file);
        n_missing += missing[i];
        wanted[i] &= !missing[i];
        if (missing[i] && options->skip_missing)
            rl_warn("dataset `%s` is left out: `%s` is missing", study->datasets[i].name, file);
    }
    if (n_missing == 0 || (options->skip_missing && n_missing < n_wanted)) return RL_OK;
    return fail_missing(study, options->path, missing, n_missing < n_wanted);
}

static rl_status find_ranks(const rl_study *study, const rl_study_dataset *spec, rl_dataset *dataset) {
    rl_view_request *views;
    const int n = rl_larger(1, spec->n_features.n_values);
    RL_TRY(RL_ALLOC(views, n));
    for (int i = 0; i < n; i++) views[i] = rl_view_request_of(spec, i);
    const rl_status status = rl_dataset_find_ranks(dataset, views, n, study->random, study->seed);
    rl_free(views);
    return status;
}

static rl_status load_dataset(const rl_study *study, const rl_study_dataset *spec, const rl_data_path *path,
                              const char *base_folder, rl_dataset *dataset) {
    const rl_source_request request = {.name = spec->name,
                                       .options = &spec->options,
                                       .path = path,
                                       .base_folder = base_folder,
                                       .random = study->random,
                                       .seed = study->seed,
                                       .n_views = spec->n_features.n_values,
                                       .n_repeats = study->repeats,
                                       .intercept = spec->intercept};
    rl_status status = rl_dataset_load(spec->source, &request, dataset);
    if (status == RL_OK) {
        status = find_ranks(study, spec, dataset);
        if (status != RL_OK) rl_dataset_destroy(dataset);
    }
    if (status != RL_ERR_INPUT && status != RL_ERR_MEMORY) return status;
    return rl_fail(status, "%s:%d: %s", study->path, spec->line, rl_error_message());
}

rl_status rl_load_datasets(const rl_study *study, const rl_plan_options *options, rl_plan *plan) {
    bool *wanted; /* and behind it which of them are missing */
    char *base_folder = NULL;
    RL_TRY(RL_ALLOC(wanted, 2 * study->n_datasets));
    rl_status status = check_files(study, options, wanted, wanted + study->n_datasets);
    if (status == RL_OK) status = folder_of(study->path, &base_folder);
    for (int i = 0; i < study->n_datasets && status == RL_OK; i++) {
        if (!wanted[i]) continue;
        status =
            load_dataset(study, &study->datasets[i], options->path, base_folder, &plan->datasets[plan->n_datasets]);
        plan->n_datasets += status == RL_OK;
    }
    rl_free(base_folder);
    rl_free(wanted);
    return status;
}

/* They get the order of the study. */
rl_status rl_take_datasets(const rl_study *study, rl_dataset *datasets, int n, rl_plan *plan) {
    for (int i = 0; i < n; i++)
        if (rl_find_dataset(study, datasets[i].name) == NULL)
            return rl_fail(RL_ERR_INPUT, "%s: has no dataset `%s`; expected one of the study's", study->path,
                           datasets[i].name);
    for (int i = 0; i < study->n_datasets; i++)
        for (int j = 0; j < n; j++) {
            if (datasets[j].name == NULL || strcmp(datasets[j].name, study->datasets[i].name) != 0) continue;
            datasets[j].source = study->datasets[i].source; /* an address of this process */
            plan->datasets[plan->n_datasets++] = datasets[j];
            datasets[j] = (rl_dataset){0};
            break;
        }
    if (plan->n_datasets > 0 || study->n_autoencoders > 0) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s: no dataset is there; expected at least one", study->path);
}
