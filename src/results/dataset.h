/* What the groups of data sets share, whether they hold curves or summaries of them. */
#ifndef RL_RESULTS_DATASET_H
#define RL_RESULTS_DATASET_H

#include "fields.h"
#include "writer.h"

typedef struct dataset {
    bool summary;           /* statistics are worked out from buckets, and there are no repeats */
    rl_curve_layout layout; /* of any of the series, but for its N and modes */
    size_t n_p, n_n, n_variants;
    int *n_features;     /* [n_p]; owned */
    int *n_train;        /* [n_n]: every N that some P has, ascending; owned */
    int *index;          /* [n_p, n_n]: of that N in the series; -1: it does not have it; owned */
    rl_reduced *reduced; /* [n_variants, n_p, n_n], while the group is filled; owned */
} dataset;

rl_status rl_make_dataset(const group *g, dataset *d);
void rl_release_dataset(dataset *d);

static inline const rl_keep *rl_group_keep(const group *g) {
    return &g->series->spec->keep;
}

/* ---- defining ---------------------------------------------------------------------------------------------------- */

/* Of a group that has begun: its attributes, and the coordinates that it has dimensions for. */
rl_status rl_describe_dataset(writer *w, const group *g, const dataset *d);

/* The statistics of a field; and what theory says, where it says anything. */
rl_status rl_define_statistics(writer *w, const group *g, const dataset *d, const rl_field *field);
rl_status rl_define_theory(writer *w, const group *g, const dataset *d);

/* What the numbers of a spectrum's status mean, for the last array defined. */
rl_status rl_put_cell_flags(const writer *w);

/* ---- filling ----------------------------------------------------------------------------------------------------- */

/* Allocates d->reduced and fills the coordinates, but for those of buckets. */
rl_status rl_fill_dataset(writer *w, const group *g, dataset *d);

/* The statistics of a field from d->reduced; and theory. */
rl_status rl_fill_statistics(writer *w, const dataset *d, const rl_field *field);
rl_status rl_fill_theory(writer *w, const group *g, const dataset *d);

/* How many sets of repeats a field has. */
static inline size_t rl_count_sets(const dataset *d, const rl_field *field) {
    return (field->kind == RL_FIELD_CELL ? d->n_variants : 1) * d->n_p * d->n_n;
}

#endif
