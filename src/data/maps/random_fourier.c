/* The map `random-fourier`, after Rahimi and Recht 2007, "Random features for large-scale kernel machines": sqrt(2)
 * cos(w . x + b), w normal with standard deviation 1 / bandwidth and b uniform on the circle. The products of two rows'
 * features have the Gaussian kernel of that bandwidth as their mean. */
#include <math.h>

#include "map.h"

static void draw_fourier(const rl_map_use *use, rl_key key, uint32_t repeat, int j, double *weights) {
    const double bandwidth = rl_options_real(use->options, "bandwidth");
    rl_philox_normal_row(key, RL_STREAM_MAP_WEIGHTS, repeat, (uint32_t)j, 0, use->n_inputs, weights);
    for (int i = 0; i < use->n_inputs; i++) weights[i] /= bandwidth;
    weights[use->n_inputs] = 2 * M_PI * rl_philox_uniform(key, RL_STREAM_PHASES, repeat, (uint32_t)j, 0);
}

static void fill_fourier(const rl_map_use *use, const double *inputs, double *features) {
    for (int j = 0; j < use->n_features; j++) features[j] = M_SQRT2 * cos(rl_map_affine(use, j, inputs));
}

/* The Gaussian kernel. */
static double kernel_of(const rl_map_use *use, const double *x, const double *y) {
    const double bandwidth = rl_options_real(use->options, "bandwidth");
    double sum = 0;
    for (int i = 0; i < use->n_inputs; i++) sum += (x[i] - y[i]) / bandwidth * ((x[i] - y[i]) / bandwidth);
    return exp(-sum / 2);
}

static const rl_option_spec options[] = {
    RL_REAL_SPEC("bandwidth", 1e-100, 1e100, 1,
                 "of the Gaussian kernel that the features stand for, in units of the inputs"),
    RL_OPTION_DRAW,
};

const rl_feature_map rl_map_random_fourier = {
    .name = "random-fourier",
    .summary = "random Fourier features sqrt(2) cos(w . x + b) of a Gaussian kernel",
    .example = "{source: diabetes, map: {name: random-fourier, bandwidth: 0.1}, n_features: [10, 50]}",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .fill = fill_fourier,
    .n_weights = rl_map_affine_weights,
    .draw = draw_fourier,
    .kernel = kernel_of,
};
