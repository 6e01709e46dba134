/* Private to `study`: merge keys, in the terms of libyaml. */
#ifndef RL_STUDY_MERGE_H
#define RL_STUDY_MERGE_H

#include <yaml.h>

#include "ridgeless/core.h"

/* Replaces each key `<<` of a mapping by the pairs of the mapping that is its value, or of several in a list, but for
 * the keys that are there already: its own, and those of mappings before. In quotes `<<` is a key like any other.
 * RL_ERR_INPUT, with the line: the value is none, contains itself, or so many that the document would grow large. */
rl_status rl_yaml_merge(const char *path, yaml_document_t *document);

#endif
