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

/* Sorts the values and leaves out those that are there twice; returns how many are left. */
int rl_sequence_sort(rl_sequence *sequence);

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

/* A name of a group of the results file from a node, or the usual one where there is no node; owned by the caller. */
rl_status rl_read_name(rl_node node, const char *usual, char **name);

/* A number of ranks, RL_RANKS_ALL or RL_RANKS_AUTO; what a number means is for messages. */
rl_status rl_read_ranks_per_case(rl_node node, const char *meaning, int *ranks);

/* Fills study->autoencoders, which rl_autoencoders_destroy releases, also after a failure. The datasets have been read.
 */
rl_status rl_read_autoencoders(rl_node node, rl_study *study);
void rl_autoencoders_destroy(rl_study *study);

/* Append to settings: one option's value on a line, and an autoencoder's lines. */
rl_status rl_append_option(rl_text *settings, const rl_option_spec *spec, const rl_option_value *value);
rl_status rl_autoencoder_settings(const rl_study_autoencoder *autoencoder, rl_text *settings);

/* Gives every variant its label; the variants must be distinct. */
rl_status rl_variants_label(rl_variant *variants, int n_variants);

#endif
