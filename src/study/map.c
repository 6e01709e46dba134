/* The feature map of a dataset: its name and options. */
#include <assert.h>

#include "read.h"

enum { MAX_MAPS = 64, MAX_FIELDS = 32 };

static rl_status find_map(rl_node node, const rl_feature_map **map) {
    const char *words[MAX_MAPS];
    int n = 0, index;
    for (; rl_feature_maps[n] != NULL && n < MAX_MAPS; n++) words[n] = rl_feature_maps[n]->name;
    RL_TRY(rl_node_word(node, words, n, &index));
    *map = rl_feature_maps[index];
    return RL_OK;
}

rl_status rl_read_map(rl_node node, const rl_feature_map **map, rl_options *options) {
    rl_field fields[MAX_FIELDS] = {{.key = "name"}};
    *map = rl_feature_maps[0];
    if (node.file == NULL) return RL_OK;
    const rl_node name = rl_node_kind_of(node) == RL_NODE_MAPPING ? rl_node_find(node, "name") : node;
    if (name.file == NULL) return rl_node_missing(node, "name", "`name:` and the name of a feature map");
    RL_TRY(find_map(name, map));
    assert(1 + (*map)->n_options <= MAX_FIELDS);
    RL_TRY(rl_read_fields(node, fields, 1, (*map)->options, (*map)->n_options));
    return rl_read_options(node, fields + 1, (*map)->options, (*map)->n_options, options);
}
