/* Private to `autoencoder`: what the tree over hidden vectors and its kernels share. */
#ifndef RL_AUTOENCODER_HALF_PLANES_H
#define RL_AUTOENCODER_HALF_PLANES_H

#include "outputs.h"
#include "ridgeless/half_planes.h"

/* Vectors of eight in a leaf and children of a node, at most; numbers of a point, and of what a feature has in
 * `points`; rows side by side; moments of a node; its shares: the sums of xx, xy, yy, b x and b y over the lines (x,
 * y, b) that have it inside. */
enum { RL_LEAF = 4, RL_CHILDREN = 8, RL_POINT = 4, RL_ROOM = 8, RL_QUAD = 4, RL_MOMENTS = 6, RL_SHARES = 5 };

/* A list of lines has room for those of all features, and for eight more where it ends. */
static inline size_t rl_room_for_lines(int n_features) {
    return ((size_t)n_features + 2 * RL_LANES) / RL_LANES * RL_LANES;
}

/* A box, with z within |w| . half of w . middle + b, and the moments of its vectors about the origin. Node i of a level
 * has the children from RL_CHILDREN x i on in the level below. */
struct rl_plane_node {
    double middle[RL_PLANE], half[RL_PLANE];
    double moments[RL_MOMENTS]; /* sums of 1, x, y, xx, xy, yy */
};

/* What is sorted: hidden vectors by a component, lines by their direction. */
struct rl_plane_key {
    float at[RL_PLANE];
    int32_t index, length; /* of a row: its entries */
};

/* Counts of what the sums took. */
typedef struct rl_plane_counts {
    int64_t tests, outputs; /* of a node by a line; vectors of eight outputs */
} rl_plane_counts;

typedef struct rl_half_planes_kernel {
    /* Makes the hidden vectors of all rows, and fits boxes and moments to them. */
    void (*make_vectors)(const rl_half_planes *planes);
    /* Adds what all outputs of the tree's rows make of the loss, and of the derivatives in `points`. */
    void (*add_features)(const rl_half_planes *planes, double *loss, rl_plane_counts *counts);
    /* Of n quads of rows from `first` on: adds what inputs that are not zero change of the loss, and what they make of
     * the derivatives. pulls, as `vectors`: half the derivatives by these as if every input were zero. */
    void (*finish_quads)(const rl_half_planes *planes, int first, int n, const double *pulls, double *loss);
} rl_half_planes_kernel;

/* One source, compiled for registers of 2, 4 and 8 numbers. */
extern const rl_half_planes_kernel rl_half_planes_kernel_2, rl_half_planes_kernel_4, rl_half_planes_kernel_8;

#endif
