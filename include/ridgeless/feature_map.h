/* feature_map: functions that make P features of the inputs of a row. Part of `data`.
 *
 * A new map is one file in src/data/maps/ that fills an rl_feature_map, and one row of the table in
 * src/data/maps/feature_map.c. Feature j does not depend on how many there are, so that features are nested in P as
 * training sets are in N. All local. */
#ifndef RIDGELESS_FEATURE_MAP_H
#define RIDGELESS_FEATURE_MAP_H

#include "ridgeless/core.h"
#include "ridgeless/random.h"

/* A map with its options, sizes and random weights. */
typedef struct rl_map_use {
    int n_inputs, n_features;
    const rl_options *options; /* borrowed; checked against the map's specs */
    int n_weights;             /* per feature; 0 when the map is not random */
    double *weights;           /* [n_features, n_weights], row-major; borrowed */
} rl_map_use;

/* A linear teacher on inputs that are uniform on the sphere of radius sqrt(n_inputs): y = x . beta + noise e. */
typedef struct rl_sphere_task {
    int n_train;
    double signal; /* |beta|^2 */
    double noise;  /* variance */
} rl_sphere_task;

typedef struct rl_feature_map {
    const char *name;    /* in study files */
    const char *summary; /* one line */
    const char *example; /* an entry of the list `datasets` of a study file with this map, without its dash */
    const rl_option_spec *options;
    int n_options;
    int n_inputs; /* how many it takes; 0: any number */
    bool bounded; /* every input must lie in [-1, 1] */
    /* Makes features [n_features] of the inputs [n_inputs] of one row. */
    void (*fill)(const rl_map_use *use, const double *inputs, double *features);
    /* Of random maps, NULL otherwise: tells how many weights a feature has, and draws those of feature j, weights
     * [n_weights]. Weights are drawn once, or for each repeat where the option `draw` (RL_OPTION_DRAW of
     * src/data/maps/map.h) says so. */
    int (*n_weights)(int n_inputs);
    void (*draw)(const rl_map_use *use, rl_key key, uint32_t repeat, int j, double *weights);
    /* Of random maps whose features have one law, NULL otherwise: the mean over the weights of what a feature makes of
     * one row times what it makes of another, inputs x and y [n_inputs]; NAN where no formula is known for these
     * options. It depends on lengths and the angle of x and y alone. */
    double (*kernel)(const rl_map_use *use, const double *x, const double *y);
    /* The limit of the minimum-norm fit's test error as n_train, n_features and n_inputs grow in proportion: INFINITY
     * where it diverges, NAN where no formula is known for these options. NULL: no formula is known. */
    double (*asymptotic_mse)(const rl_map_use *use, const rl_sphere_task *task);
} rl_feature_map;

/* The table: every map, NULL-terminated; the first is the identity. */
extern const rl_feature_map *const rl_feature_maps[];

/* NULL when there is none of that name. */
const rl_feature_map *rl_feature_map_find(const char *name);

/* Whether each repeat draws weights of its own. */
bool rl_map_varies(const rl_feature_map *map, const rl_options *options);

/* A map with these options and sizes. The caller sets `weights`, of the size that n_weights says. */
rl_map_use rl_map_use_of(const rl_feature_map *map, const rl_options *options, int n_inputs, int n_features);

/* Draws the weights of a random map: those of the repeat or, where they do not vary, those of all repeats. */
void rl_map_draw(rl_map_use *use, const rl_feature_map *map, rl_key key, uint32_t repeat);

#endif
