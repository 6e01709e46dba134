/* Private to `study`: typed reading of a YAML document in which every node knows its line.
 *
 * The functions look at most one level below the node that they are given. So a document that contains itself (an alias
 * inside its own anchor) does no harm: that is just a node of the wrong type. All failures are RL_ERR_INPUT, worded
 * "path:line: key `...`: got `...`; expected ...". */
#ifndef RL_STUDY_YAML_NODE_H
#define RL_STUDY_YAML_NODE_H

#include "ridgeless/core.h"

typedef struct rl_yaml rl_yaml;

typedef struct rl_node {
    const rl_yaml *file; /* borrowed; NULL: absent */
    int index;           /* in the document, from 1 */
    int line;            /* of the study file, from 1: that of its key, or that in which an item of a list begins */
    bool is_value;       /* of a key, and no item of a list */
    const char *key;     /* the key whose value it belongs to, "" at the top; borrowed */
} rl_node;

typedef enum rl_node_kind { RL_NODE_SCALAR, RL_NODE_LIST, RL_NODE_MAPPING } rl_node_kind;

/* Parses a file of exactly one document. Merge keys (`<<`) are gone: their mappings have what they gave. `path` is for
 * messages and borrowed. */
rl_status rl_yaml_create(const char *path, const char *text, rl_yaml **file);
void rl_yaml_destroy(rl_yaml *file);

rl_node rl_yaml_root(const rl_yaml *file);
rl_node_kind rl_node_kind_of(rl_node node);

/* Whether it is a scalar without text, as the value of `key:` is, or the value null, which YAML also writes `~`. In a
 * list, and in quotes, null is a word: people have columns and missing values of that name. */
bool rl_node_is_empty(rl_node node);

/* Fails with a message that says what the node is and what was expected instead. */
rl_status rl_node_fail(rl_node node, const char *expected, ...) RL_PRINTF(2);

/* Fails with any wording after "path:line: key `...`: ". */
rl_status rl_node_refuse(rl_node node, const char *format, ...) RL_PRINTF(2);

/* ---- lists and mappings ----------------------------------------------------------------------------------------- */

/* The items of a list. Any other node counts as a list of itself, so that a list of one needs no brackets. */
int rl_node_count(rl_node node);
rl_node rl_node_item(rl_node node, int index);

/* The number of keys of a mapping, and one of the keys with its value. The key must be a text. Asserts that the node is
 * a mapping. */
int rl_node_n_pairs(rl_node mapping);
rl_status rl_node_pair(rl_node mapping, int index, const char **key, rl_node *value);

/* A key that a mapping may have, and its value: absent when the mapping has no such key. */
typedef struct rl_field {
    const char *key;
    rl_node node;
} rl_field;

/* Fills the nodes of fields[n]. Refuses a key that is not among them, or that is given twice. A key that begins with
 * `x-` is passed over: a place for what merge keys and aliases take from. */
rl_status rl_node_fields(rl_node mapping, rl_field *fields, int n);

/* The value of one key, or an absent node. Does not check the other keys. */
rl_node rl_node_find(rl_node mapping, const char *key);

/* Fails with a message that the mapping lacks `key`. */
rl_status rl_node_missing(rl_node mapping, const char *key, const char *expected);

/* ---- scalars ---------------------------------------------------------------------------------------------------- */

typedef struct rl_number_kind {
    bool integer;            /* values are then within +-2^53, where doubles are exact */
    bool or_infinite;        /* `inf` stands for INFINITY, beyond the bounds */
    double minimum, maximum; /* both allowed; infinite: no bound */
    const char *meaning;     /* for messages; may be NULL */
} rl_number_kind;

/* *text is borrowed from the document. `expected` is for the message. */
rl_status rl_node_text(rl_node node, const char *expected, const char **text);
rl_status rl_node_number(rl_node node, rl_number_kind kind, double *value);
rl_status rl_node_unsigned(rl_node node, uint64_t *value); /* the whole range of 64 bits */
rl_status rl_node_flag(rl_node node, bool *value);
rl_status rl_node_word(rl_node node, const char *const *words, int n, int *index);

/* Writes a text like "an integer from 1 to 5 (steps)" into buffer[size] and returns it. */
const char *rl_number_kind_text(rl_number_kind kind, char *buffer, size_t size);

#endif
