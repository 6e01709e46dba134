/* Private to `study`: the parts of the reader of study files. */
#ifndef RL_STUDY_READ_H
#define RL_STUDY_READ_H

#include "ridgeless/study.h"
#include "yaml_node.h"

/* ---- sequences of numbers --------------------------------------------------------------------------------------- */

typedef struct rl_sequence {
    double *values; /* owned: rl_free */
    int n;
    rl_text memory; /* that they stand in */
} rl_sequence;

/* Append the numbers that a node gives, each checked against `kind`. A sequence has at most RL_STUDY_LIST_LIMIT
 * numbers. */
rl_status rl_sequence_values(rl_node node, rl_number_kind kind, rl_sequence *sequence); /* [1, 2, 5], or one number */

/* The same for those of fields[n] that are there. They are the first n of `values`, `range` ([first, last, step]) and
 * `logspace` ([first exponent, last exponent, count]: the doubles of numpy.logspace, rounded when the kind is of
 * integers). */
enum { RL_N_SEQUENCE_FIELDS = 3 };
#define RL_SEQUENCE_FIELDS                 \
    {.key = "values"}, {.key = "range"}, { \
        .key = "logspace"                  \
    }
rl_status rl_sequence_fields(const rl_field *fields, int n, rl_number_kind kind, rl_sequence *sequence);

/* Sorts the values and drops those that are there twice. The second also copies them to integers[*n], owned by the
 * caller; INFINITY as INT_MAX. */
void rl_sequence_sort(rl_sequence *sequence);
rl_status rl_sequence_integers(rl_sequence *sequence, int **integers, int *n);

/* ---- parts of the file ------------------------------------------------------------------------------------------ */

/* The second is of an autoencoder: without ratios or a threshold, and with `inf`, RL_INFINITE. */
rl_status rl_read_n_train(rl_node node, rl_n_train_spec *spec);
rl_status rl_read_examples(rl_node node, rl_n_train_spec *spec);
void rl_n_train_destroy(rl_n_train_spec *spec);

rl_status rl_read_n_features(rl_node node, rl_n_features_spec *spec);

/* Reads the list of ablations; *variants [*n_variants] is owned by the caller, on failure too. */
rl_status rl_read_variants(rl_node node, rl_variant **variants, int *n_variants);
void rl_variants_destroy(rl_variant *variants, int n_variants);

/* Reads a mapping of fields[n], whose keys are set, and of the options that the specs name: fields[n + n_specs]. All
 * are absent where the node is no mapping. */
rl_status rl_read_fields(rl_node node, rl_field *fields, int n, const rl_option_spec *specs, int n_specs);

/* Fills `options` with the defaults and then from fields[n_specs], which are in the order of the specs. `owner` is the
 * mapping that has the fields, for a message about a required one that is missing. The caller owns *options, on failure
 * too. */
rl_status rl_read_options(rl_node owner, const rl_field *fields, const rl_option_spec *specs, int n_specs,
                          rl_options *options);

/* Sets *name, owned by the caller, to that of a group of the results file: as the node says, or `usual` if it is
 * absent. Refuses one that another group of the study has; `owner` is what a message is about if the node is absent. */
rl_status rl_read_name(const rl_study *study, rl_node node, rl_node owner, const char *usual, char **name);

/* Reads a number of ranks, `all` (RL_RANKS_ALL) or `auto` (RL_RANKS_AUTO). `meaning` says in messages what ranks do. */
rl_status rl_read_ranks_per_case(rl_node node, const char *meaning, int *ranks);

/* Fills study->autoencoders, to be released by rl_autoencoders_destroy, on failure too. To be called after the datasets
 * have been read. */
rl_status rl_read_autoencoders(rl_node node, rl_study *study);
void rl_autoencoders_destroy(rl_study *study);

/* Append to the settings: the line "name/of key: value" of one option, and those of an autoencoder. */
rl_status rl_append_setting(rl_text *settings, const char *name, const char *of, const rl_option_spec *spec,
                            const rl_option_value *value);
rl_status rl_autoencoder_settings(const rl_study_autoencoder *autoencoder, rl_text *settings);

/* Of a line of the settings, [length]: the line of the study file that it comes from, as far as it can be found, else
 * that of its data set or autoencoder (0: none); and whether it is an option that the file does not give. */
int rl_setting_line(const rl_study *study, const char *setting, size_t length);
bool rl_setting_is_default(const rl_study *study, const char *setting, size_t length);

#endif
