/* Merge keys of a YAML document: `<<: *name` (https://yaml.org/type/merge.html). */
#include "merge.h"

#include <string.h>

/* No mapping of a study has as many keys, and no study as many mappings: nothing small becomes large. */
enum { MOST_KEYS = 128, MOST_MERGES = 10000 };

typedef struct merger {
    const char *path;
    yaml_document_t *document;
    char *state; /* [n_nodes]: whether a mapping's merge keys are yet to be looked at */
    int n_merges;
} merger;
enum { NOT_MERGED, BEING_MERGED, MERGED };

/* `key`: the node of that merge key. */
static rl_status refuse_merge(const merger *m, int key, const char *expected) {
    const yaml_node_t *node = &m->document->nodes.start[key - 1];
    return rl_fail(RL_ERR_INPUT, "%s:%d: key `<<`: expected %s", m->path, (int)node->start_mark.line + 1, expected);
}

static const char *key_text(const yaml_document_t *document, const yaml_node_pair_t *pair) {
    const yaml_node_t *key = &document->nodes.start[pair->key - 1];
    return key->type == YAML_SCALAR_NODE ? (const char *)key->data.scalar.value : "";
}

/* In quotes it is a key like any other. */
static bool is_merge_key(const yaml_document_t *document, const yaml_node_pair_t *pair) {
    const yaml_node_t *key = &document->nodes.start[pair->key - 1];
    return strcmp(key_text(document, pair), "<<") == 0 && key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static yaml_node_pair_t *find_pair(const yaml_document_t *document, const yaml_node_t *mapping, const char *key) {
    yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
    while (pair < mapping->data.mapping.pairs.top && strcmp(key_text(document, pair), key) != 0) pair++;
    return pair < mapping->data.mapping.pairs.top ? pair : NULL;
}

static rl_status merge_keys(merger *m, int index);

static rl_status merge_pairs(merger *m, int index, int key, int from) {
    yaml_node_t *nodes = m->document->nodes.start; /* no node is added */
    const yaml_node_t *mapping = &nodes[index - 1], *source = &nodes[from - 1];
    if (source->type != YAML_MAPPING_NODE)
        return refuse_merge(m, key, "a mapping, like the `*name` of one, or a list of mappings");
    if (++m->n_merges > MOST_MERGES) return refuse_merge(m, key, "no more than 10000 mappings merged in a study");
    if (m->state[from - 1] == BEING_MERGED) return refuse_merge(m, key, "a mapping that does not contain this one");
    RL_TRY(merge_keys(m, from));
    const long n = source->data.mapping.pairs.top - source->data.mapping.pairs.start;
    if (n + (mapping->data.mapping.pairs.top - mapping->data.mapping.pairs.start) > MOST_KEYS)
        return refuse_merge(m, key, "mappings of at most 128 keys together");
    for (const yaml_node_pair_t *pair = source->data.mapping.pairs.start; pair < source->data.mapping.pairs.top; pair++)
        if (find_pair(m->document, mapping, key_text(m->document, pair)) == NULL &&
            !yaml_document_append_mapping_pair(m->document, index, pair->key, pair->value))
            return rl_fail(RL_ERR_MEMORY, "out of memory while reading %s", m->path);
    return RL_OK;
}

static rl_status merge_value(merger *m, int index, int key, int value) {
    const yaml_node_t *node = &m->document->nodes.start[value - 1];
    if (node->type != YAML_SEQUENCE_NODE) return merge_pairs(m, index, key, value);
    const yaml_node_item_t *items = node->data.sequence.items.start;
    for (long i = 0; i < node->data.sequence.items.top - items; i++) RL_TRY(merge_pairs(m, index, key, items[i]));
    return RL_OK;
}

static rl_status merge_keys(merger *m, int index) {
    yaml_node_t *mapping = &m->document->nodes.start[index - 1];
    if (mapping->type != YAML_MAPPING_NODE || m->state[index - 1] == MERGED) return RL_OK;
    m->state[index - 1] = BEING_MERGED;
    yaml_node_pair_t *pair = find_pair(m->document, mapping, "<<");
    if (pair != NULL && is_merge_key(m->document, pair)) {
        const int key = pair->key, value = pair->value;
        const size_t behind = (size_t)(--mapping->data.mapping.pairs.top - pair);
        memmove(pair, pair + 1, behind * sizeof *pair);
        if (find_pair(m->document, mapping, "<<") != NULL)
            return refuse_merge(m, key, "it once; a list merges several");
        RL_TRY(merge_value(m, index, key, value));
    }
    m->state[index - 1] = MERGED;
    return RL_OK;
}

rl_status rl_yaml_merge(const char *path, yaml_document_t *document) {
    const int n = (int)(document->nodes.top - document->nodes.start);
    merger m = {.path = path, .document = document};
    RL_TRY(RL_ALLOC(m.state, n));
    rl_status status = RL_OK;
    for (int i = 1; i <= n && status == RL_OK; i++) status = merge_keys(&m, i);
    rl_free(m.state);
    return status;
}
