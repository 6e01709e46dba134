/* src/data/maps/hat_functions.c: P tents side by side on [-1, 1] */
#include <math.h>

#include "map.h"

static void fill_tents(const rl_map_use *use, const double *inputs, double *features) {
    const double width = 2.0 / use->n_features;
    for (int j = 0; j < use->n_features; j++) /* feature j stands over the middle of the j-th of P intervals */
        features[j] = fmax(0, 1 - fabs(inputs[0] - (-1 + (j + 0.5) * width)) / width);
}

const rl_feature_map rl_map_hat_functions = {
    .name = "hat-functions",
    .summary = "P tents side by side",
    .example = "{source: function, map: hat-functions, n_features: [5, 10, 20]}", /* for `ridgeless maps` */
    .n_inputs = 1,
    .bounded = true,
    .fill = fill_tents,
};
