/* half_planes: loss and gradient of an autoencoder with two hidden dimensions, exactly, from few of its outputs. A
 * further header of `autoencoder`.
 *
 * An output ReLU(w . h + b) of a feature is more than zero for the hidden vectors h of a half-plane, where it is linear
 * in h. So a tree over the hidden vectors has the sums over all vectors below a node, once the half-plane has the
 * node's box wholly inside, from that node's moments (their number, the sum of h and that of h h^T), and none where the
 * box is wholly outside. Only vectors of leaves that the line cuts need outputs of their own: some 2 sqrt(T) of T. The
 * derivatives by the hidden vectors come the same way: a node keeps the sums of w w^T and b w over the features that
 * had it wholly inside, and hands them down to its vectors in the end. These are the sums of `rl_autoencoder_gradient`
 * in another order.
 *
 * Features go eight at a time, sorted by direction, so that most nodes are inside, outside or cut for all eight alike.
 * The tree is planted now and then; in between, boxes and moments are refitted to the vectors as they move. All local.
 */
#ifndef RIDGELESS_HALF_PLANES_H
#define RIDGELESS_HALF_PLANES_H

#include "ridgeless/autoencoder.h"

enum { RL_PLANE = 2 /* hidden dimensions */ };

typedef struct rl_plane_node rl_plane_node;
typedef struct rl_plane_moments rl_plane_moments;
typedef struct rl_plane_key rl_plane_key;
typedef struct rl_plane_visit rl_plane_visit;

/* For up to max_rows examples with up to max_entries inputs that are not zero; set these, n_features and max_lanes,
 * then list the arrays for an arena. */
typedef struct rl_half_planes {
    int n_features, max_rows;
    int64_t max_entries;
    int max_lanes; /* numbers in a vector register, which change no bits; 0: the processor's */
    int n_rows;    /* in the tree, and a few that make no whole vector of eight */
    int n_nodes;
    rl_plane_node *nodes;      /* a node's first child follows it */
    rl_plane_moments *moments; /* [n_nodes] */
    double *shares;            /* [n_nodes, 8], five in use: sums over features that have the node wholly inside */
    int64_t *start;            /* [n_rows + 1]: the examples as sparse rows, in the tree's order */
    int32_t *column;           /* [entries] */
    double *value;             /* [entries] */
    uint8_t *above;            /* [entries]: 1: the output is above zero */
    double squares;            /* the sum of those of all values */
    double *vectors;           /* [places / 8, 2, 8]: hidden vectors, eight by eight */
    double *pulls;             /* as vectors: half the derivatives by them */
    double *points;            /* [n_features, 4]: w, b, 0 */
    double *sums;              /* [n_features, 4]: half the derivatives by them */
    int32_t *order;            /* [n_features]: those of like lines beside each other */
    rl_plane_visit *visits, *inside, *leaves; /* [n_nodes + 2]: of eight features: to test, inside, cut */
    rl_plane_key *keys;                       /* to sort by */
} rl_half_planes;
void rl_half_planes_list(rl_arena *arena, void *planes);

/* Makes a tree for the hidden vectors of rows under these parameters. What it is depends on these alone, and not on a
 * tree before. */
void rl_half_planes_plant(rl_half_planes *planes, const double *parameters, const rl_sparse_rows *rows);

/* The sums of rl_autoencoder_gradient under any parameters, for the rows that the tree was planted for. *work: what
 * that took, in vectors of eight outputs of the dense sums, of which those have n_rows x n_features / 8. */
void rl_half_planes_gradient(rl_half_planes *planes, const double *parameters, double *loss, double *gradient,
                             double *work);

#endif
