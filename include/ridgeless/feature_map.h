/* feature_map: what makes P features of a row's inputs. Part of `data`.
 *
 * A new map is one file in src/data/maps/ that fills an rl_feature_map, and one row of the table in
 * src/data/maps/feature_map.c. Feature j does not depend on how many there are, so that features are nested in P as
 * training sets are in N. All local. */
#ifndef RIDGELESS_FEATURE_MAP_H
#define RIDGELESS_FEATURE_MAP_H

#include "ridgeless/core.h"
#include "ridgeless/random.h"

/* A map at work. */
typedef struct rl_map_use {
    int n_inputs, n_features;
    const rl_options *options; /* borrowed; checked against the map's specs */
    int n_weights;             /* of a feature; 0 where the map is not random */
    double *weights;           /* [n_features, n_weights], row-major, owned */
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
    const rl_option_spec *options;
    int n_options;
    int n_inputs; /* that it takes; 0: any number */
    bool bounded; /* every input must lie in [-1, 1] */
    /* features [n_features] of one row's inputs [n_inputs]. */
    void (*fill)(const rl_map_use *use, const double *inputs, double *features);
    /* Of random maps (NULL otherwise): how many numbers a feature has, and draws those of feature j, weights
     * [n_weights]. With the option `draw` (RL_OPTION_DRAW of src/data/maps/map.h) there is one draw a repeat, else one.
     */
    int (*n_weights)(int n_inputs);
    void (*draw)(const rl_map_use *use, rl_key key, uint32_t repeat, int j, double *weights);
    /* The test error of the minimum-norm fit as n_train, n_features and n_inputs grow in proportion; NAN where none is
     * known for these options, INFINITY where it diverges. NULL: none is known. */
    double (*asymptotic_mse)(const rl_map_use *use, const rl_sphere_task *task);
} rl_feature_map;

/* The table: every map, NULL-terminated; the first is the identity. */
extern const rl_feature_map *const rl_feature_maps[];

/* NULL when there is none of that name. */
const rl_feature_map *rl_feature_map_find(const char *name);

/* Whether there is another draw of weights for each repeat. */
bool rl_map_varies(const rl_feature_map *map, const rl_options *options);

/* Room for the weights. Released by rl_map_use_destroy. */
rl_status rl_map_use_create(rl_map_use *use, const rl_feature_map *map, const rl_options *options, int n_inputs,
                            int n_features);
void rl_map_use_destroy(rl_map_use *use);

/* Draws the weights, if there are any, of a repeat or, where they do not vary, the same for all. */
void rl_map_draw(rl_map_use *use, const rl_feature_map *map, rl_key key, uint32_t repeat);

#endif
