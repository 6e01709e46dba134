/* Private to `data`: what feature maps share. */
#ifndef RL_DATA_MAP_H
#define RL_DATA_MAP_H

#include "../../option_specs.h"
#include "ridgeless/feature_map.h"

extern const rl_feature_map rl_map_identity, rl_map_legendre, rl_map_chebyshev, rl_map_random_fourier,
    rl_map_random_relu;

/* The option `draw` of random maps. RL_MAP_DRAWS_REPEAT is the index of its first word. */
#define RL_OPTION_DRAW                              \
    RL_CHOICE_SPEC("draw", "repeat", "repeat|once", \
                   "random weights anew for each repeat, or the same for the whole study")
enum { RL_MAP_DRAWS_REPEAT = 0 };

/* a . b, with four partial sums: fast, and the same bits on every machine. */
static inline double rl_map_dot(int n, const double *a, const double *b) {
    double sum[4] = {0};
    int i = 0;
    for (; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; k++) sum[k] += a[i + k] * b[i + k];
    for (; i < n; i++) sum[0] += a[i] * b[i];
    return sum[0] + sum[1] + (sum[2] + sum[3]);
}

/* Of maps with weights w and b for each feature, in this order: how many that are, and w . x + b of feature j. */
int rl_map_affine_weights(int n_inputs);
static inline double rl_map_affine(const rl_map_use *use, int j, const double *inputs) {
    const double *w = use->weights + (size_t)j * (size_t)use->n_weights;
    return w[use->n_inputs] + rl_map_dot(use->n_inputs, w, inputs);
}

#endif
