/* The keys `n_train` and `n_features`: sizes of training sets, and numbers of features. */
#include <limits.h>
#include <math.h>

#include "read.h"

static const rl_number_kind ROWS = {.integer = true, .minimum = 1, .maximum = INT_MAX, .meaning = "training rows"};

static const rl_number_kind EXAMPLES = {
    .integer = true, .or_infinite = true, .minimum = 1, .maximum = RL_INFINITE - 1, .meaning = "training examples"};

static rl_status read_n_train_mapping(rl_node node, rl_number_kind rows, rl_sequence *values, rl_sequence *ratios,
                                      int *around) {
    enum { VALUES, RANGE, RATIOS, AROUND, N_FIELDS };
    rl_field fields[N_FIELDS] = {{.key = "values"}, {.key = "range"}, {.key = "ratios"}, {.key = "around_threshold"}};
    const rl_number_kind ratio = {.minimum = nextafter(0, 1), .maximum = 1e9, .meaning = "training rows per feature"};
    const rl_number_kind distance = {
        .integer = true, .minimum = 0, .maximum = (RL_STUDY_LIST_LIMIT - 1) / 2, .meaning = "distance from N = P"};
    double number = *around;
    RL_TRY(rl_node_fields(node, fields, N_FIELDS));
    if (rl_node_n_pairs(node) == 0)
        return rl_node_fail(node, "at least one of values, range, ratios, around_threshold");
    RL_TRY(rl_sequence_fields(fields, RATIOS, rows, values));
    RL_TRY(rl_sequence_fields(fields + RATIOS, 1, ratio, ratios));
    if (fields[AROUND].node.file != NULL) RL_TRY(rl_node_number(fields[AROUND].node, distance, &number));
    *around = (int)number;
    return RL_OK;
}

static rl_status read_sizes(rl_node node, rl_number_kind rows, rl_n_train_spec *spec) {
    *spec = (rl_n_train_spec){.line = node.line, .around = -1};
    rl_sequence values = {0}, ratios = {0};
    rl_status status = rl_node_kind_of(node) == RL_NODE_MAPPING
                           ? read_n_train_mapping(node, rows, &values, &ratios, &spec->around)
                           : rl_sequence_values(node, rows, &values);
    /* Sorted, so that the order in which a study names them changes nothing. */
    if (status == RL_OK) status = rl_sequence_integers(&values, &spec->values, &spec->n_values);
    rl_free(values.values);
    rl_sequence_sort(&ratios);
    spec->ratios = ratios.values; /* the spec's, on failure too */
    spec->n_ratios = ratios.n;
    return status;
}

rl_status rl_read_n_train(rl_node node, rl_n_train_spec *spec) {
    return read_sizes(node, ROWS, spec);
}

rl_status rl_read_examples(rl_node node, rl_n_train_spec *spec) {
    RL_TRY(read_sizes(node, EXAMPLES, spec));
    if (spec->n_ratios == 0 && spec->around < 0) return RL_OK;
    return rl_node_refuse(node, "an autoencoder has no threshold at N = P; expected values or a range alone");
}

void rl_n_train_destroy(rl_n_train_spec *spec) {
    rl_free(spec->values);
    rl_free(spec->ratios);
    *spec = (rl_n_train_spec){.around = -1};
}

/* ---- n_features -------------------------------------------------------------------------------------------------- */

static const rl_number_kind FEATURES = {.integer = true, .minimum = 1, .maximum = 1e6, .meaning = "features"};

static rl_status read_features(rl_node node, rl_sequence *values) {
    rl_field fields[RL_N_SEQUENCE_FIELDS] = {RL_SEQUENCE_FIELDS};
    if (rl_node_kind_of(node) != RL_NODE_MAPPING) return rl_sequence_values(node, FEATURES, values);
    RL_TRY(rl_node_fields(node, fields, RL_N_SEQUENCE_FIELDS));
    if (rl_node_n_pairs(node) == 0) return rl_node_fail(node, "at least one of values, range, logspace");
    return rl_sequence_fields(fields, RL_N_SEQUENCE_FIELDS, FEATURES, values);
}

rl_status rl_read_n_features(rl_node node, rl_n_features_spec *spec) {
    *spec = (rl_n_features_spec){0};
    rl_sequence values = {0};
    rl_status status = read_features(node, &values);
    if (status == RL_OK) status = rl_sequence_integers(&values, &spec->values, &spec->n_values);
    rl_free(values.values);
    if (status == RL_OK && spec->n_values > RL_N_FEATURES_LIMIT)
        status = rl_node_refuse(node, "more than %d numbers; expected at most that many", RL_N_FEATURES_LIMIT);
    return status;
}
