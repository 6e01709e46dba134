/* Private to `study`: the parts of the study file's reader. */
#ifndef RL_STUDY_READ_H
#define RL_STUDY_READ_H

#include "ridgeless/study.h"
#include "yaml_node.h"

/* ---- sequences of numbers --------------------------------------------------------------------------------------- */

typedef struct rl_sequence {
    double *values; /* owned: rl_free */
    int n, capacity;
} rl_sequence;

/* Append what a node says, each number checked against `kind`. RL_STUDY_LIST_LIMIT bounds the whole sequence. */
rl_status rl_sequence_values(rl_node node, rl_number_kind kind, rl_sequence *sequence); /* [1, 2, 5], or one number */
rl_status rl_sequence_range(rl_node node, rl_number_kind kind, rl_sequence *sequence);  /* [first, last, step] */

/* [first exponent, last exponent, count]: numpy.logspace, double for double; rounded when the kind is of integers. */
rl_status rl_sequence_logspace(rl_node node, rl_number_kind kind, rl_sequence *sequence);

/* ---- parts of the file ------------------------------------------------------------------------------------------ */

rl_status rl_read_n_train(rl_node node, rl_n_train_spec *spec);
void rl_n_train_destroy(rl_n_train_spec *spec);

rl_status rl_read_n_features(rl_node node, rl_n_features_spec *spec);
void rl_n_features_destroy(rl_n_features_spec *spec);

/* `name`, or `{name: ..., its options}`. An absent node is the identity. *options is owned by the caller, also on
 * failure. */
rl_status rl_read_map(rl_node node, const rl_feature_map **map, rl_options *options);

/* Reads the list of ablations; *variants [*n_variants] is owned by the caller, also on failure. */
rl_status rl_read_variants(rl_node node, rl_variant **variants, int *n_variants);
void rl_variants_destroy(rl_variant *variants, int n_variants);

/* Fills `options` from fields[n_specs], in the specs' order, over the defaults. `owner` is the node that has them, for
 * what is missing. The caller owns *options, also on failure. */
rl_status rl_read_options(rl_node owner, const rl_field *fields, const rl_option_spec *specs, int n_specs,
                          rl_options *options);

/* Gives every variant its label; the variants must be distinct. */
rl_status rl_variants_label(rl_variant *variants, int n_variants);

#endif
