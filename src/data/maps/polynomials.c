/* The maps `legendre` and `chebyshev`: orthogonal polynomials of degrees 1 ... P in one input, without a constant. */
#include "map.h"

/* (k + 1) L_{k+1} = (2 k + 1) x L_k - k L_{k-1}. */
static void fill_legendre(const rl_map_use *use, const double *inputs, double *features) {
    double before = 1, now = inputs[0];
    for (int k = 1; k <= use->n_features; k++) {
        features[k - 1] = now;
        const double next = ((2.0 * k + 1) * inputs[0] * now - k * before) / (k + 1);
        before = now;
        now = next;
    }
}

/* T_{k+1} = 2 x T_k - T_{k-1}. */
static void fill_chebyshev(const rl_map_use *use, const double *inputs, double *features) {
    double before = 1, now = inputs[0];
    for (int k = 1; k <= use->n_features; k++) {
        features[k - 1] = now;
        const double next = 2 * inputs[0] * now - before;
        before = now;
        now = next;
    }
}

const rl_feature_map rl_map_legendre = {
    .name = "legendre",
    .summary = "Legendre polynomials of degrees 1 ... P",
    .example = "{source: function, map: legendre, n_features: [5, 10, 20]}",
    .n_inputs = 1,
    .bounded = true,
    .fill = fill_legendre,
};

const rl_feature_map rl_map_chebyshev = {
    .name = "chebyshev",
    .summary = "Chebyshev polynomials (first kind) of degrees 1 ... P",
    .example = "{source: function, map: chebyshev, n_features: [5, 10, 20]}",
    .n_inputs = 1,
    .bounded = true,
    .fill = fill_chebyshev,
};
