/* band: an upper band matrix to upper bidiagonal form, shared by the ranks of a grid. Private to `distributed`.
 *
 * B = Q D P^T with D upper bidiagonal: Householder reflectors, made from one row and one column at a time, whose fill
 * is chased down the band in steps of the band's width (Lang 1993; the second stage of two-stage reductions). Neither Q
 * nor P is formed: what is to be in their bases is transformed by the same reflectors, so that singular vectors of the
 * two sides stay paired, also where singular values are equal or zero.
 *
 * Sweep s makes row s bidiagonal. Its step k is a reflector on columns [s + 1 + k width, + width), and one on the same
 * rows. A *stretch* is `steps` steps of every sweep. Each rank has several stretches, dealt out to and fro (0, 1, 2, 2,
 * 1, 0, 0, ...: those on the left have more to do), with the columns that their steps work on: these move on by one
 * from a sweep to the next, so a stretch hands its first column to the stretch on its left and takes one from the
 * right. The targets' rows go with the columns of their number. A rank keeps the reflectors of one side, as Z's
 * columns, which lie in stretches too, wait for them (band_columns.c).
 *
 * Every number is computed from the same numbers in the same order wherever it is: the bits do not depend on the ranks
 * and the stretches. */
#ifndef RL_BAND_H
#define RL_BAND_H

#include "../matrix/block_matrix.h"
#include "../matrix/needs.h"
#include "ridgeless/arena.h"

/* Sweeps whose reflectors Z's columns take together. */
enum { RL_BAND_GROUP = 32 };

typedef struct rl_stretch {
    int index, first;   /* among all stretches; its first step */
    int base;           /* the first column of `a` */
    double *a;          /* columns of 3 width - 1 elements, from 2 width - 1 above the diagonal on; see band.c */
    int *next;          /* [together]: the next step of each sweep under way, those of the stretch */
    double *pending;    /* [together] reflectors with their tau: what the last step's right neighbours wait for */
    double *targets;    /* [room, n_targets]: the rows of these columns' numbers */
    double *reflectors; /* [width] each, those that Z waits for; see rl_stretch_slot */
    double *tau;
    size_t *group;        /* [n_groups + 1]: the slots of earlier groups of sweeps */
    double *messages[4];  /* on their way: two columns to the left, two reflectors to the right */
    MPI_Request *sent[4]; /* one for each of them */
} rl_stretch;

typedef struct rl_band {
    const rl_process_grid *grid; /* borrowed */
    int n, width;                /* of B: n columns, `width` superdiagonals */
    int n_targets;
    bool rows_left; /* Z becomes Z Q and the targets become P^T targets; otherwise Z P and Q^T targets */
    int steps;      /* of a stretch */
    int together;   /* sweeps that a stretch works on side by side */
    int n_stretches, n_own;
    rl_stretch *own; /* [n_own]: stretches rank, rank + size, ...; owned, with all arrays */
    int room;        /* columns of a stretch: its own and some to move on by */
    double *a, *targets, *reflectors, *tau, *messages, *block, *other, *pending, *blocks;
    int *next;
    size_t *groups;
    MPI_Request *sent;
} rl_band;

/* Local. n >= 1, 1 <= width <= n; steps of a stretch, at least 3, or 0: as suits. It has no arrays yet. */
rl_band rl_band_layout(const rl_process_grid *grid, int n, int width, int n_targets, bool rows_left, int steps);

/* Local. Its arrays, and the bytes of them; of the reflectors, which come later and are given back with them. */
rl_status rl_band_create(rl_band *band);
size_t rl_band_bytes(const rl_band *band);
size_t rl_band_reflectors_bytes(const rl_band *band);
void rl_band_destroy(rl_band *band);

/* Collective. Takes B from the first rows and columns of a matrix in blocks of `width` (or larger than n): of each
 * block on the diagonal the upper triangle, of the block on its right the lower one. What lies beside them is not
 * looked at. */
rl_status rl_band_take(rl_band *band, const rl_block_matrix *m);

/* Collective. The bidiagonal form, d [n] and e [n - 1], and the targets [n, n_targets] in its basis, which are the same
 * on all ranks before and after. Destroys B's elements; the reflectors stay. */
rl_status rl_band_to_bidiagonal(rl_band *band, double *d, double *e, double *targets);

/* Local. Where Z's columns must lie before they are reflected, and where they lie after it. */
rl_block_matrix rl_band_columns(const rl_band *band, int n_rows);
rl_block_matrix rl_band_columns_after(const rl_band *band, int n_rows);

/* Collective. The columns of Z, rows up to whole lanes, become those of Z P or Z Q; their layout changes. *status of a
 * failure leaves them empty or as they were. */
rl_status rl_band_reflect_columns(const rl_band *band, rl_block_matrix *columns);

/* Local. Bytes that this allocates beside either layout. */
size_t rl_band_frames_bytes(const rl_band *band, int n_rows);

/* Local. The work and messages of the whole stage on the rank that has the most. */
void rl_band_work_needs(const rl_band *band, int n_rows, rl_needs *needs);

/* ---- shared by its two files: local ------------------------------------------------------------------------------ */

/* Steps of a sweep that begin on a column, all of them and those of a stretch. */
int rl_band_steps(const rl_band *band, int sweep);
int rl_stretch_steps(const rl_band *band, const rl_stretch *t, int sweep);

/* The place of a reflector: first the groups of sweeps, then steps, then sweeps. */
size_t rl_stretch_slot(const rl_stretch *t, int sweep, int step);

/* A message to or from a stretch that lies anywhere. */
typedef enum rl_band_message {
    RL_BAND_BLOCK, /* to a rank, whichever stretch it is for; likewise the last two */
    RL_REFLECTOR,
    RL_COLUMN,
    RL_Z_COLUMNS,
    RL_LAST_COLUMNS,
    RL_DEALT_COLUMNS,
    RL_N_BAND_MESSAGES
} rl_band_message;
int rl_stretch_rank(const rl_band *band, int stretch);
int rl_stretch_own(const rl_band *band, int stretch);                       /* its place in `own`; -1: another rank's */
int rl_stretch_of(const rl_band *band, int rank, int own);                  /* whether there is one or not */
size_t rl_band_most_own(const rl_band *band);                               /* of any rank: all take as much memory */
int rl_stretch_tag(const rl_band *band, int stretch, rl_band_message kind); /* of messages to it */

#endif
