/* Private to `autoencoder`: what the tree over hidden vectors and its kernels share. */
#ifndef RL_AUTOENCODER_HALF_PLANES_H
#define RL_AUTOENCODER_HALF_PLANES_H

#include "outputs.h"
#include "ridgeless/half_planes.h"

/* Vectors of eight in a leaf, at most; numbers of a point or its sums; shares of a node: xx, xy, yy, b x, b y. */
enum { RL_LEAF = 4, RL_POINT = 4, RL_NODE_SHARES = 5 };

struct rl_plane_node {
    double middle[RL_PLANE], half[RL_PLANE]; /* of the box: z is within |w| . half of w . middle + b */
    int32_t second;                          /* child; 0: a leaf */
    int32_t first, n_vectors;                /* of a leaf: vectors of eight */
};

/* Of the vectors below a node, about the origin. */
struct rl_plane_moments {
    double n, sum[RL_PLANE], xx, xy, yy;
};

/* What is sorted: hidden vectors by a component, features by their direction. */
struct rl_plane_key {
    double at[RL_PLANE];
    int32_t index;
};

/* A node, and the features that have not yet settled it or have it inside, a bit each. */
struct rl_plane_visit {
    int32_t node;
    uint32_t bits;
};

/* Counts of what the sums took. */
typedef struct rl_plane_counts {
    int64_t tests, inside, outputs; /* of a node by eight features; of these that sum it up; vectors of eight outputs */
} rl_plane_counts;

typedef struct rl_half_planes_kernel {
    /* Makes the hidden vectors of all rows, starts `pulls` with what inputs that are not zero change of them, and adds
     * to *loss what they change of that. */
    void (*make_vectors)(const rl_half_planes *planes, double *loss);
    /* Fits boxes and moments to the vectors, and empties the shares. */
    void (*refit)(const rl_half_planes *planes);
    /* Adds the sums over all outputs of the tree's vectors as if every input were zero: to `sums`, shares and pulls. */
    void (*add_features)(const rl_half_planes *planes, double *squares, rl_plane_counts *counts);
    /* Hands the shares down to the pulls. */
    void (*hand_down)(const rl_half_planes *planes);
    /* Adds to `sums` the derivatives by W that come through h = W x, and what inputs that are not zero change. */
    void (*pass_back)(const rl_half_planes *planes);
} rl_half_planes_kernel;

/* One source, compiled for registers of 2, 4 and 8 numbers. */
extern const rl_half_planes_kernel rl_half_planes_kernel_2, rl_half_planes_kernel_4, rl_half_planes_kernel_8;

#endif
