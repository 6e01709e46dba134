/* The keys `n_train` and `n_features`: sizes of training sets, and numbers of features. */
#include <limits.h>
#include <math.h>

#include "read.h"

static const rl_number_kind ROWS = {.integer = true, .minimum = 1, .maximum = INT_MAX, .meaning = "training rows"};

static rl_status read_n_train_mapping(rl_node node, rl_sequence *values, rl_sequence *ratios, int *around) {
    enum { VALUES, RANGE, RATIOS, AROUND, N_FIELDS };
    rl_field fields[N_FIELDS] = {{.key = "values"}, {.key = "range"}, {.key = "ratios"}, {.key = "around_threshold"}};
    const rl_number_kind ratio = {.minimum = nextafter(0, 1), .maximum = 1e9, .meaning = "training rows per feature"};
    const rl_number_kind distance = {
        .integer = true, .minimum = 0, .maximum = (RL_STUDY_LIST_LIMIT - 1) / 2, .meaning = "distance from N = P"};
    RL_TRY(rl_node_fields(node, fields, N_FIELDS));
    if (rl_node_n_pairs(node) == 0)
        return rl_node_fail(node, "at least one of values, range, ratios, around_threshold");
    if (fields[VALUES].node.file != NULL) RL_TRY(rl_sequence_values(fields[VALUES].node, ROWS, values));
    if (fields[RANGE].node.file != NULL) RL_TRY(rl_sequence_range(fields[RANGE].node, ROWS, values));
    if (fields[RATIOS].node.file != NULL) RL_TRY(rl_sequence_values(fields[RATIOS].node, ratio, ratios));
    if (fields[AROUND].node.file != NULL) {
        double number;
        RL_TRY(rl_node_number(fields[AROUND].node, distance, &number));
        *around = (int)number;
    }
    return RL_OK;
}

rl_status rl_read_n_train(rl_node node, rl_n_train_spec *spec) {
    *spec = (rl_n_train_spec){.line = node.line, .around = -1};
    rl_sequence values = {0}, ratios = {0};
    rl_status status;
    if (rl_node_kind_of(node) == RL_NODE_MAPPING)
        RL_TRY_GOTO(read_n_train_mapping(node, &values, &ratios, &spec->around), out);
    else
        RL_TRY_GOTO(rl_sequence_values(node, ROWS, &values), out);
    rl_sequence_sort(&values); /* so that the order in which a study names them changes nothing */
    RL_TRY_GOTO(RL_ALLOC(spec->values, values.n), out);
    for (int i = 0; i < values.n; i++) spec->values[i] = (int)values.values[i];
    spec->n_values = values.n;
    spec->n_ratios = rl_sequence_sort(&ratios);
    spec->ratios = ratios.values;
    ratios.values = NULL;
out:
    rl_free(values.values);
    rl_free(ratios.values);
    return status;
}

void rl_n_train_destroy(rl_n_train_spec *spec) {
    rl_free(spec->values);
    rl_free(spec->ratios);
    *spec = (rl_n_train_spec){.around = -1};
}

/* ---- n_features -------------------------------------------------------------------------------------------------- */

static const rl_number_kind FEATURES = {.integer = true, .minimum = 1, .maximum = 1e6, .meaning = "features"};

static rl_status read_features(rl_node node, rl_sequence *values) {
    enum { VALUES, RANGE, LOGSPACE, N_FIELDS };
    static rl_status (*const readers[N_FIELDS])(rl_node, rl_number_kind, rl_sequence *) = {
        rl_sequence_values, rl_sequence_range, rl_sequence_logspace};
    rl_field fields[N_FIELDS] = {{.key = "values"}, {.key = "range"}, {.key = "logspace"}};
    if (rl_node_kind_of(node) != RL_NODE_MAPPING) return rl_sequence_values(node, FEATURES, values);
    RL_TRY(rl_node_fields(node, fields, N_FIELDS));
    if (rl_node_n_pairs(node) == 0) return rl_node_fail(node, "at least one of values, range, logspace");
    for (int i = 0; i < N_FIELDS; i++)
        if (fields[i].node.file != NULL) RL_TRY(readers[i](fields[i].node, FEATURES, values));
    return RL_OK;
}

rl_status rl_read_n_features(rl_node node, rl_n_features_spec *spec) {
    *spec = (rl_n_features_spec){.line = node.line};
    rl_sequence values = {0};
    rl_status status = read_features(node, &values);
    if (rl_sequence_sort(&values) > RL_N_FEATURES_LIMIT && status == RL_OK)
        status = rl_node_refuse(node, "more than %d numbers; expected at most that many", RL_N_FEATURES_LIMIT);
    if (status == RL_OK) status = RL_ALLOC(spec->values, values.n);
    for (int i = 0; status == RL_OK && i < values.n; i++) spec->values[spec->n_values++] = (int)values.values[i];
    rl_free(values.values);
    return status;
}

void rl_n_features_destroy(rl_n_features_spec *spec) {
    rl_free(spec->values);
    *spec = (rl_n_features_spec){0};
}
