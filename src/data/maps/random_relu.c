/* The map `random-relu`: max(0, w . x + b) with w uniform on the unit sphere, or normal with variance 1 / n_inputs, and
 * b normal. For inputs uniform on the sphere of radius sqrt(n_inputs), and b = 0, these are the features of Mei and
 * Montanari 2022, "The generalization error of random features regression" (arXiv:1908.05355). */
#include <math.h>

#include "../../vectors.h"
#include "map.h"

enum { SPHERE, NORMAL };

static bool on_sphere(const rl_map_use *use) {
    return rl_options_get(use->options, "weights")->number == SPHERE;
}

static void draw_relu(const rl_map_use *use, rl_key key, uint32_t repeat, int j, double *weights) {
    const int n = use->n_inputs;
    rl_philox_normal_row(key, RL_STREAM_MAP_WEIGHTS, repeat, (uint32_t)j, 0, n, weights);
    const double length = sqrt(on_sphere(use) ? rl_sum_of_squares(n, weights) : n);
    for (int i = 0; i < n; i++) weights[i] /= length;
    weights[n] =
        rl_options_real(use->options, "bias") * rl_philox_normal(key, RL_STREAM_PHASES, repeat, (uint32_t)j, 0);
}

static void fill_relu(const rl_map_use *use, const double *inputs, double *features) {
    for (int j = 0; j < use->n_features; j++) {
        const double sum = rl_map_affine(use, j, inputs);
        features[j] = sum > 0 ? sum : 0;
    }
}

/* The arc-cosine kernel of degree 1 (Cho and Saul 2009, "Kernel methods for deep learning"): w . x + b and w . y + b
 * are normal. With weights on the sphere they are not; but without a bias the kernel is the same, as the length of
 * normal weights, which does not depend on their direction, has the mean square 1. */
static double kernel_of(const rl_map_use *use, const double *x, const double *y) {
    const double bias = rl_options_real(use->options, "bias"), extra = bias * bias, n = use->n_inputs;
    if (on_sphere(use) && bias > 0) return NAN;
    const double of_x = rl_sum_of_squares(use->n_inputs, x) / n + extra;
    const double of_y = rl_sum_of_squares(use->n_inputs, y) / n + extra;
    const double of_both = rl_map_dot(use->n_inputs, x, y) / n + extra, lengths = sqrt(of_x) * sqrt(of_y);
    const double cosine = lengths > 0 ? fmax(-1, fmin(1, of_both / lengths)) : 1, angle = acos(cosine);
    return lengths * (sin(angle) + (M_PI - angle) * cosine) / (2 * M_PI);
}

/* ---- theory ------------------------------------------------------------------------------------------------------ */

static double power(double x, int n) {
    double product = 1;
    for (int i = 0; i < n; i++) product *= x;
    return product;
}

/* Mei and Montanari's limit of no ridge penalty, in psi1 = n_features / n_inputs and psi2 = n_train / n_inputs: the
 * error is bias x |beta|^2 + (1 + variance) x noise^2. */
typedef struct limit {
    double bias, variance;
} limit;

static limit ridgeless_limit(double psi1, double psi2, double zeta_squared) {
    const double z2 = zeta_squared, z4 = z2 * z2, z6 = z4 * z2, psi = fmin(psi1, psi2), both = psi1 * psi2;
    const double b = psi * z2 - z2 - 1, chi = -(sqrt(b * b + 4 * psi * z2) + b) / (2 * z2);
    const double c2 = power(chi, 2), c3 = power(chi, 3), c4 = power(chi, 4), c5 = power(chi, 5);
    const double e0 = -c5 * z6 + 3 * c4 * z4 + (both - psi2 - psi1 + 1) * c3 * z6 - 2 * c3 * z4 - 3 * c3 * z2 +
                      (psi1 + psi2 - 3 * both + 1) * c2 * z4 + 2 * c2 * z2 + c2 + 3 * both * chi * z2 - both;
    const double e1 = psi2 * c3 * z4 - psi2 * c2 * z2 + both * chi * z2 - both;
    const double e2 = c5 * z6 - 3 * c4 * z4 + (psi1 - 1) * c3 * z6 + 2 * c3 * z4 + 3 * c3 * z2 + (-psi1 - 1) * c2 * z4 -
                      2 * c2 * z2 - c2;
    return (limit){e1 / e0, e2 / e0};
}

/* zeta^2 of max(0, g), with g standard normal: the square of its linear part, E g max(0, g) = 1/2, over the mean square
 * that remains without the constant and the linear part, 1/2 - 1/(2 pi) - 1/4. */
static double asymptotic_mse(const rl_map_use *use, const rl_sphere_task *task) {
    const double zeta_squared = 0.25 / (0.25 - 0.5 / M_PI);
    if (!on_sphere(use) || rl_options_real(use->options, "bias") > 0) return NAN;
    if (use->n_features == task->n_train) return INFINITY;
    const limit l =
        ridgeless_limit((double)use->n_features / use->n_inputs, (double)task->n_train / use->n_inputs, zeta_squared);
    return task->signal * l.bias + task->noise * (1 + l.variance);
}

static const rl_option_spec options[] = {
    RL_CHOICE_SPEC("weights", "sphere", "sphere|normal",
                   "uniform on the unit sphere, or normal with variance 1 / inputs"),
    RL_REAL_SPEC("bias", 0, 1e100, 0, "standard deviation of the features' biases"),
    RL_OPTION_DRAW,
};

const rl_feature_map rl_map_random_relu = {
    .name = "random-relu",
    .summary = "random ReLU features max(0, w . x + b)",
    .example = "{source: sphere, map: random-relu, n_features: [10, 50]}",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .fill = fill_relu,
    .n_weights = rl_map_affine_weights,
    .draw = draw_relu,
    .kernel = kernel_of,
    .asymptotic_mse = asymptotic_mse,
};
