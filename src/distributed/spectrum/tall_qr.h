/* tall_qr: QR of a tall panel whose rows are shared by all ranks of a grid. Private to `distributed`.
 *
 * Each rank factors its own rows; triangles go up a binomial tree of ranks, one upon the other, and parts of Q come
 * back down (TSQR: Demmel, Grigori, Hoemmen and Langou, 2012). So a panel costs one message up and one down for each
 * level of the tree, whatever its width. From Q its Householder form is reconstructed (Ballard, Demmel, Grigori,
 * Jacquelin, Nguyen and Solomonik, 2014):
 *
 *     panel = (I - V T V^T) [R; 0]        V [rows, reflectors] with a unit lower triangle on top, T upper triangular
 *
 * which is what LAPACK's blocked routines make, and as stable. The same bits for the same number of ranks. */
#ifndef RL_TALL_QR_H
#define RL_TALL_QR_H

#include "ridgeless/arena.h"
#include "ridgeless/distributed.h"

/* Two triangles, one upon the other, made one: kept [kept, width] of this rank, and those of a child. */
typedef struct rl_tall_node {
    int kept, child; /* rows; child = 0: none */
    double *v, *t;   /* of their QR: [kept + child, made], [made, made], made = min(kept + child, width); in the end
                        v [child, reflectors] is what goes down to the child */
} rl_tall_node;

enum { RL_TALL_LEVELS = 31 };

typedef struct rl_tall_qr {
    /* Set by the owner before anything else: the largest panel. */
    const rl_process_grid *grid; /* borrowed */
    int most_rows, most_columns; /* of one rank; of a panel */
    /* Set by the owner for each panel, the same on all ranks but for `rows` and `a`. */
    int root;       /* rank that has the panel's first `reflectors` rows */
    int width;      /* columns */
    int reflectors; /* min(rows of all ranks, width) */
    int rows;       /* of this rank, perhaps none */
    double *a;      /* [rows, width], ld = rows; overwritten. Has room for the largest panel */
    /* Results. */
    double *t; /* [reflectors, reflectors]: T, on all ranks; zeros below its diagonal */
    double *r; /* [reflectors, width]: on the root R, with zeros below its diagonal; elsewhere nothing of use */
    int info;  /* the lowest of LAPACK's so far */
    /* Its own. */
    rl_tall_node nodes[RL_TALL_LEVELS];
    int made; /* rows of r */
    double *leaf, *factor, *c, *lu, *sign, *work, *message;
} rl_tall_qr;

/* Local. The arrays. */
void rl_tall_qr_list(rl_tall_qr *q, rl_arena *arena);

/* Collective on the grid. vt [reflectors, rows]: V^T of this rank's rows. */
void rl_tall_qr_factor(rl_tall_qr *q, double *vt);

#endif
