/* half_planes: loss and gradient of an autoencoder with two hidden dimensions, exactly, from few of its outputs. A
 * further header of `autoencoder`.
 *
 * An output ReLU(w . h + b) of a feature is more than zero for the hidden vectors h of a half-plane, where it is linear
 * in h; its line is the edge of that. So a tree over the hidden vectors has the sums over all vectors below a node,
 * once the half-plane has the node's box wholly inside, from that node's moments (their number, the sum of h and that
 * of h h^T), and none where the box is wholly outside. Only vectors of leaves that the line cuts need outputs of their
 * own: some 5 sqrt(T) of T. The derivatives by the hidden vectors come the same way: a node has the sums of w w^T and b
 * w over the features that have it wholly inside, and hands them down to its vectors. These are the sums of
 * `rl_autoencoder_gradient` in another order.
 *
 * A step walks down the tree once. A node takes the list of lines that cut the node above, and those that cut it too go
 * on to its children, so that what a node needs is read once for all lines. At a leaf, the derivatives by its vectors
 * are then complete, and its rows are done with.
 *
 * The tree is planted now and then; in between, boxes and moments are fitted to the vectors as they move. All local.
 */
#ifndef RIDGELESS_HALF_PLANES_H
#define RIDGELESS_HALF_PLANES_H

#include "ridgeless/autoencoder.h"

enum { RL_PLANE = 2 /* hidden dimensions */, RL_MOST_LEVELS = 16 };

typedef struct rl_plane_node rl_plane_node;
typedef struct rl_plane_key rl_plane_key;

/* For up to max_rows examples that take up to max_entries (rl_half_planes_room); set these, n_features and max_lanes,
 * then list the arrays for an arena. */
typedef struct rl_half_planes {
    int n_features, max_rows;
    int64_t max_entries;
    int max_lanes;                 /* numbers in a vector register, which change no bits; 0: the processor's */
    int n_rows;                    /* in the tree, and a few that make no whole vector of eight */
    int n_levels;                  /* of nodes: leaves, the nodes above them, and so on to the one above all */
    int level[RL_MOST_LEVELS + 1]; /* where the nodes of each begin, and where the last one ends */
    rl_plane_node *nodes;
    int64_t *start;     /* [quads + 1]: the rows of the examples, in the tree's order, four side by side */
    int32_t *column;    /* [entries / 4, 4]; zeros where a row is shorter than others of its quad */
    double *value;      /* [entries / 4, 4] */
    double *above;      /* [n_features, 4]: of one quad, less the values whose outputs are above zero */
    double squares;     /* the sum of those of all values */
    double *vectors;    /* [places / 8, 2, 8]: hidden vectors, eight by eight */
    double *weights;    /* [n_features, 2]: w */
    double *points;     /* [n_features, 8]: w, b, 0, and half the derivatives by them */
    int32_t *order;     /* [n_features]: of their lines, like ones beside each other */
    double *lines;      /* [n_levels, 8, 3, room]: for each child of a node, those that cut it: w and b */
    double *line_sums;  /* [n_levels, 3, room]: over the outputs of a line: of z h and z */
    uint8_t *cuts;      /* [n_levels, 8, room]: which of the lines of a node cut a child, as bits */
    uint8_t *inside;    /* [8, room]: which of them have it inside */
    rl_plane_key *keys; /* to sort by */
} rl_half_planes;

/* The entries that rows take in any tree, where the longest has so many: more than they have, as they go four by four.
 */
int64_t rl_half_planes_room(int n_rows, int64_t n_entries, int64_t longest);
void rl_half_planes_list(rl_arena *arena, void *planes);

/* Makes a tree for the hidden vectors of rows under these parameters. What it is depends on these alone, and not on a
 * tree before. */
void rl_half_planes_plant(rl_half_planes *planes, const double *parameters, const rl_sparse_rows *rows);

/* The sums of rl_autoencoder_gradient under any parameters, for the rows that the tree was planted for. *work: what
 * that took, in vectors of eight outputs of the dense sums, of which those have n_rows x n_features / 8. */
void rl_half_planes_gradient(rl_half_planes *planes, const double *parameters, double *loss, double *gradient,
                             double *work);

#endif
