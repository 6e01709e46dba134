/* The effective settings of a study as text, by which two studies are told apart. */
#include <math.h>
#include <string.h>

#include "read.h"

/* Appends a text in quotes, on one line whatever is in it. */
static rl_status append_quoted(rl_text *settings, const char *text) {
    RL_TRY(rl_text_append(settings, "\""));
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            RL_TRY(rl_text_append(settings, "\\%c", *c));
        else if ((unsigned char)*c < ' ' || *c == 127)
            RL_TRY(rl_text_append(settings, "\\x%02x", (unsigned)*c));
        else
            RL_TRY(rl_text_append_bytes(settings, c, 1));
    }
    return rl_text_append(settings, "\"");
}

static rl_status append_option(rl_text *settings, const rl_option_spec *spec, const rl_option_value *value) {
    switch (spec->type) {
        case RL_OPTION_INTEGER:
        case RL_OPTION_REAL:
            return rl_text_append(settings, "%.17g", value->number);
        case RL_OPTION_FLAG:
            return rl_text_append(settings, "%s", value->number != 0 ? "true" : "false");
        case RL_OPTION_TEXT_LIST:
            if (spec->once_text && value->n_list == 0) return rl_text_append(settings, "none");
            if (spec->once_text && value->n_list == 1) return append_quoted(settings, value->list[0]);
            RL_TRY(rl_text_append(settings, "["));
            for (int i = 0; i < value->n_list; i++) {
                if (i > 0) RL_TRY(rl_text_append(settings, ", "));
                RL_TRY(append_quoted(settings, value->list[i]));
            }
            return rl_text_append(settings, "]");
        default:
            return value->text == NULL ? rl_text_append(settings, "none") : append_quoted(settings, value->text);
    }
}

static bool is_default(const rl_option_spec *spec, const rl_option_value *value) {
    const bool same_text =
        spec->default_text == NULL ? value->text == NULL : strcmp(value->text, spec->default_text) == 0;
    return !value->given || (value->n_list == 0 && same_text && value->number == spec->default_number);
}

rl_status rl_append_setting(rl_text *settings, const char *name, const char *of, const rl_option_spec *spec,
                            const rl_option_value *value) {
    if (spec->later && is_default(spec, value)) return RL_OK;
    RL_TRY(rl_text_append(settings, "%s/%s%s: ", name, of, spec->key));
    RL_TRY(append_option(settings, spec, value));
    return rl_text_append(settings, "\n");
}

static rl_status append_n_train(rl_text *settings, const char *name, const rl_n_train_spec *spec) {
    if (spec->line == 0) return rl_text_append(settings, "%s: all\n", name);
    RL_TRY(rl_text_append(settings, "%s/values:", name));
    for (int i = 0; i < spec->n_values; i++) RL_TRY(rl_text_append(settings, " %d", spec->values[i]));
    RL_TRY(rl_text_append(settings, "\n%s/ratios:", name));
    for (int i = 0; i < spec->n_ratios; i++) RL_TRY(rl_text_append(settings, " %.17g", spec->ratios[i]));
    if (spec->around < 0) return rl_text_append(settings, "\n%s/around_threshold: none\n", name);
    return rl_text_append(settings, "\n%s/around_threshold: %d\n", name, spec->around);
}

static rl_status append_variant(rl_text *settings, const char *name, const rl_variant *variant) {
    RL_TRY(rl_text_append(settings, "%s/variant: %s", name, variant->ablation->name));
    if (!isnan(variant->parameter)) RL_TRY(rl_text_append(settings, " %.17g", variant->parameter));
    for (int i = 0; i < variant->options.n; i++) {
        RL_TRY(rl_text_append(settings, " %s=", variant->options.specs[i].key));
        RL_TRY(append_option(settings, &variant->options.specs[i], &variant->options.values[i]));
    }
    return rl_text_append(settings, "\n");
}

/* Whether there are process grids changes more than rounding. How many ranks each has does not, and is left out. */
static rl_status append_grids(rl_text *settings, const rl_study_dataset *d) {
    const char *producer = d->producer == RL_PRODUCER_AUTO ? "auto" : rl_producer_name((rl_producer)d->producer);
    const char *grids = d->ranks_per_case == RL_RANKS_AUTO ? "auto" : "yes";
    RL_TRY(rl_text_append(settings, "%s/producer: %s\n", d->name, producer));
    return rl_text_append(settings, "%s/process grids: %s\n", d->name, grids);
}

static rl_status append_options(rl_text *settings, const char *name, const char *of, const rl_options *options) {
    for (int i = 0; i < options->n; i++)
        RL_TRY(rl_append_setting(settings, name, of, &options->specs[i], &options->values[i]));
    return RL_OK;
}

static rl_status append_map(rl_text *settings, const rl_study_dataset *d) {
    if (d->map == NULL || d->map == rl_feature_maps[0]) return RL_OK;
    RL_TRY(rl_text_append(settings, "%s/map: %s\n", d->name, d->map->name));
    return append_options(settings, d->name, "map/", &d->map_options);
}

/* One generator draws the inputs of all P and repeats in a row. */
static rl_status append_draws(rl_text *settings, const rl_study *study, const rl_study_dataset *d) {
    if (study->random != RL_RANDOM_NUMPY || !d->source->draws_in_a_row) return RL_OK;
    RL_TRY(rl_text_append(settings, "%s/repeats: %d\n%s/n_features:", d->name, study->repeats, d->name));
    for (int i = 0; i < d->n_features.n_values; i++) RL_TRY(rl_text_append(settings, " %d", d->n_features.values[i]));
    return rl_text_append(settings, "\n");
}

static rl_status append_measures(rl_text *settings, const rl_study_dataset *d) {
    if (d->measures == 0) return RL_OK;
    RL_TRY(rl_text_append(settings, "%s/measures:", d->name));
    for (int k = 0; k < RL_N_MEASURES; k++)
        if ((d->measures & 1u << k) != 0) RL_TRY(rl_text_append(settings, " %s", rl_measure_words[k]));
    return rl_text_append(settings, "\n");
}

static rl_status append_dataset(rl_text *settings, const rl_study *study, const rl_study_dataset *dataset) {
    RL_TRY(rl_text_append(settings, "%s/source: %s\n", dataset->name, dataset->source->name));
    RL_TRY(append_options(settings, dataset->name, "", &dataset->options));
    RL_TRY(append_map(settings, dataset));
    if (dataset->intercept) RL_TRY(rl_text_append(settings, "%s/intercept: true\n", dataset->name));
    RL_TRY(append_draws(settings, study, dataset));
    RL_TRY(append_grids(settings, dataset));
    RL_TRY(rl_text_append(settings, "%s/modes: %s\n", dataset->name, dataset->keep.modes ? "true" : "false"));
    RL_TRY(rl_text_append(settings, "%s/directions: %s\n", dataset->name, dataset->keep.directions ? "true" : "false"));
    if (dataset->keep.predictions) RL_TRY(rl_text_append(settings, "%s/predictions: true\n", dataset->name));
    if (dataset->keep.summary) RL_TRY(rl_text_append(settings, "%s/summary: true\n", dataset->name));
    RL_TRY(append_measures(settings, dataset));
    for (int i = 0; i < dataset->n_variants; i++)
        RL_TRY(append_variant(settings, dataset->name, &dataset->variants[i]));
    return RL_OK;
}

rl_status rl_study_settings(const rl_study *study, rl_text *settings) {
    RL_TRY(rl_text_append(settings, "seed: %llu\n", (unsigned long long)study->seed));
    RL_TRY(rl_text_append(settings, "random: %s\n", study->random == RL_RANDOM_NUMPY ? "numpy" : "philox"));
    RL_TRY(rl_text_append(settings, "block: %d\n", study->block));
    RL_TRY(append_n_train(settings, "singular_values", &study->singular_values));
    RL_TRY(append_n_train(settings, "full_spectra", &study->full_spectra));
    for (int i = 0; i < study->n_datasets; i++) RL_TRY(append_dataset(settings, study, &study->datasets[i]));
    for (int i = 0; i < study->n_autoencoders; i++) RL_TRY(rl_autoencoder_settings(&study->autoencoders[i], settings));
    return RL_OK;
}
