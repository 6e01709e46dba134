/* The table of feature maps, and the weights of a map at work. */
#include <string.h>

#include "map.h"

const rl_feature_map *const rl_feature_maps[] = {&rl_map_identity,       &rl_map_legendre,    &rl_map_chebyshev,
                                                 &rl_map_random_fourier, &rl_map_random_relu, NULL};

const rl_feature_map *rl_feature_map_find(const char *name) {
    for (const rl_feature_map *const *map = rl_feature_maps; *map != NULL; map++)
        if (strcmp((*map)->name, name) == 0) return *map;
    return NULL;
}

bool rl_map_varies(const rl_feature_map *map, const rl_options *options) {
    return map->draw != NULL && rl_options_find(options, "draw") >= 0 &&
           rl_options_get(options, "draw")->number == RL_MAP_DRAWS_REPEAT;
}

rl_status rl_map_use_create(rl_map_use *use, const rl_feature_map *map, const rl_options *options, int n_inputs,
                            int n_features) {
    *use = (rl_map_use){.n_inputs = n_inputs, .n_features = n_features, .options = options};
    if (map->draw == NULL) return RL_OK;
    use->n_weights = map->n_weights(n_inputs);
    return RL_ALLOC(use->weights, (size_t)n_features * (size_t)use->n_weights);
}

void rl_map_use_destroy(rl_map_use *use) {
    rl_free(use->weights);
    *use = (rl_map_use){0};
}

void rl_map_draw(rl_map_use *use, const rl_feature_map *map, rl_key key, uint32_t repeat) {
    const uint32_t drawn_for = rl_map_varies(map, use->options) ? repeat : 0;
    for (int j = 0; map->draw != NULL && j < use->n_features; j++)
        map->draw(use, key, drawn_for, j, use->weights + (size_t)j * (size_t)use->n_weights);
}
