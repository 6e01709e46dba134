/* The group of a data set whose curves are kept one by one, as the sources that fill it share it. */
#ifndef RL_RESULTS_CURVES_H
#define RL_RESULTS_CURVES_H

#include "dataset.h"

typedef struct curves {
    dataset d;
    size_t n_repeats, n_modes, n_directions, n_points, n_predicted, n_trainable; /* lengths; 0: not there */
    extent extents[RL_N_FIELDS]; /* of what is filled from records: sets of repeats, or else numbers of one repeat */
    extent predictions;
    int *place;      /* [n_p, n_n]: of each N of a series, its index in d.n_train; owned */
    double *scratch; /* [2 n_repeats], while the group is filled; owned */
    bool is_whole;   /* see rl_lacks_nothing */
    bool *repeated;  /* [n_variants, n_p, n_n], of the part that is reduced: of sets that are those of the variant
                        before; owned */
} curves;

/* Whether a field is reduced over the repeats, which takes all of them at once. */
static inline bool rl_is_reduced(const rl_field *field) {
    return field->statistics != 0;
}

/* ---- from records (take_curves.c) -------------------------------------------------------------------------------- */

/* N `k` of a record. */
typedef struct point {
    const rl_curve_layout *layout; /* of the record's curve */
    const double *curve;
    size_t k;
    size_t set, repeat; /* set: the index of its (P, N) */
} point;

/* Takes n points of the same (P, N) into a part of a slab. */
typedef void (*rl_point_taker)(const curves *c, const part *q, const point *at, int n);

/* What the journal has of some repeats for a slab, and of their fields in the place of what is in it. */
rl_status rl_read_slab(writer *w, const group *g, const slab *s, rl_range repeats, rl_point_taker take);
rl_status rl_make_slab(writer *w, const group *g, const curves *c, const slab *s);

/* Its two steps, of which one need not do all: a part as it is without any record, if that shows; what some tasks of
 * the group have for a slab. */
void rl_clear_part(const curves *c, const part *q);
rl_status rl_collect_tasks(writer *w, const group *g, const slab *s, int64_t first, int64_t end);

/* Whether the journal has every number of the group, so that nothing shows of what stood in a slab before. */
bool rl_lacks_nothing(const writer *w, const group *g, const curves *c);

/* ---- to the file (put_curves.c, blocks.c) ------------------------------------------------------------------------ */

/* A part of a slab is reduced and written; with the last one of a field go its statistics. */
rl_status rl_put_part(writer *w, const group *g, const curves *c, const part *q);

/* Numbers of the fields that are in memory at one time. */
size_t rl_fields_room(const writer *w, const curves *c);

/* All fields, from slabs of all repeats or of blocks of them. */
rl_status rl_fill_fields(writer *w, const group *g, const curves *c);

#endif
