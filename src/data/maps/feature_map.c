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

rl_map_use rl_map_use_of(const rl_feature_map *map, const rl_options *options, int n_inputs, int n_features) {
    return (rl_map_use){.n_inputs = n_inputs,
                        .n_features = n_features,
                        .options = options,
                        .n_weights = map->draw != NULL ? map->n_weights(n_inputs) : 0};
}

void rl_map_draw(rl_map_use *use, const rl_feature_map *map, rl_key key, uint32_t repeat) {
    const uint32_t drawn_for = rl_map_varies(map, use->options) ? repeat : 0;
    for (int j = 0; map->draw != NULL && j < use->n_features; j++)
        map->draw(use, key, drawn_for, j, use->weights + (size_t)j * (size_t)use->n_weights);
}

int rl_map_affine_weights(int n_inputs) {
    return n_inputs + 1;
}
