/* What the groups of data sets share, whether they hold curves or summaries of them: the tables of what the file says
 * of every cell, spectrum and mode, and of how rank 0 reduces it over the repeats; and what is done by these tables. */
#ifndef RL_RESULTS_DATASET_H
#define RL_RESULTS_DATASET_H

#include "writer.h"

/* ---- tables ------------------------------------------------------------------------------------------------------ */

typedef enum rl_statistic_kind {
    RL_MINIMUM = 1,
    RL_MAXIMUM = 2,
    RL_MEAN = 4,
    RL_STANDARD_ERROR = 8,
    RL_MEDIAN = 16,
    RL_GEOMETRIC_MEAN = 32,
    RL_COUNT = 64,
    RL_QUANTILES = 128
} rl_statistic_kind;

/* A member of rl_reduced, stored as `<field>_<name>`. */
typedef struct rl_statistic {
    rl_statistic_kind kind;
    const char *name, *long_name; /* the long name follows the field's */
    const char *cell_methods;     /* NULL where CF has no word for it */
    nc_type type;
    size_t offset; /* in rl_reduced */
} rl_statistic;

#define RL_N_STATISTICS 8
extern const rl_statistic rl_statistics[RL_N_STATISTICS];

typedef enum rl_field_kind {
    RL_FIELD_CELL,     /* (variant, n_features, n_train, repeat) */
    RL_FIELD_SPECTRUM, /* (n_features, n_train, repeat) */
    RL_FIELD_STATUS,   /* the same; known even where there is no curve */
    RL_FIELD_MODE,     /* (n_features, n_train, repeat, mode) */
    RL_FIELD_DIRECTION /* (n_features, n_train, repeat, mode, feature) */
} rl_field_kind;

/* An array of a curve. */
typedef struct rl_field {
    const char *name, *long_name, *comment; /* comment may be NULL */
    rl_field_kind kind;
    nc_type type;
    size_t offset;       /* of its size_t in rl_curve_layout */
    unsigned statistics; /* rl_statistic_kind, or-ed */
    bool mean_diverges;  /* near the threshold */
    bool is_count;       /* whole numbers, of which the statistics alone go into the file */
} rl_field;

#define RL_N_FIELDS (15 + RL_N_MEASURES)
extern const rl_field rl_fields[RL_N_FIELDS];

/* The coordinates and the dimensions of a field, but for those of repeats. */
const char *rl_field_coordinates(const rl_field *field);
const char *rl_field_sets(const rl_field *field);

/* Where the field begins in curves of this layout; and whether they have it. */
size_t rl_field_offset(const rl_field *field, const rl_curve_layout *layout);
bool rl_field_present(const rl_field *field, const rl_curve_layout *layout);

/* Whether each repeat's values of the field go into the results file. */
bool rl_field_kept(const rl_field *field, const rl_keep *keep);

/* ---- a data set -------------------------------------------------------------------------------------------------- */

/* Indices of a data set's n_train: the N at the threshold and at its flanks; -1: the study has no such N. */
typedef struct rl_places {
    int threshold, flank[RL_N_FLANKS];
} rl_places;

typedef struct dataset {
    const rl_series *series; /* the first; borrowed */
    bool summary;            /* statistics are worked out from buckets, and there are no repeats */
    rl_curve_layout layout;  /* of any of the series, but for its N and modes */
    size_t n_p, n_n, n_variants;
    int *n_features;            /* [n_p]; owned */
    int *n_train;               /* [n_n]: every N that some P has, ascending; owned */
    int *index;                 /* [n_p, n_n]: of that N in the series; -1: it does not have it; owned */
    rl_places *places;          /* [n_p]; owned */
    rl_target_moments *moments; /* [n_p]; owned */
    rl_reduced *reduced;        /* [n_variants, n_p, n_n], while the group is filled; owned */
    rl_spike *spikes;           /* [n_variants, n_p], from when the test errors have been reduced; owned */
} dataset;

/* All but what is NULL until it is filled, and what rl_find_places makes. */
rl_status rl_make_dataset(const group *g, dataset *d);
void rl_release_dataset(dataset *d);

/* What it takes in memory while the group is filled; and the numbers of its largest array of statistics. */
size_t rl_dataset_state_bytes(const dataset *d);
size_t rl_quantile_values(const dataset *d);

/* Whether theory is worked out from the table. */
bool rl_has_table_theory(const group *g);

/* What working out theory takes in memory meanwhile. */
size_t rl_theory_bytes(const group *g, const dataset *d);

/* Makes d->places and d->moments; and d->spikes from d->reduced, which has the test errors. */
rl_status rl_find_places(const group *g, dataset *d);
void rl_take_spikes(const dataset *d);

static inline const rl_keep *rl_group_keep(const group *g) {
    return &g->series->spec->keep;
}

/* ---- defining ---------------------------------------------------------------------------------------------------- */

/* Of a group that has begun: its attributes, and the coordinates that it has dimensions for. */
rl_status rl_describe_dataset(writer *w, const group *g, const dataset *d);

/* The statistics of a field; and what theory says, where it says anything. */
rl_status rl_define_statistics(writer *w, const group *g, const dataset *d, const rl_field *field);
rl_status rl_define_theory(writer *w, const group *g, const dataset *d);

/* Places of threshold and flanks, what predictions without a fit cost, and heights of spikes. */
rl_status rl_define_spike(writer *w, const group *g, const dataset *d);

/* Whether it is the name of one of these, which change with the repeats and the N of a study. */
bool rl_is_of_spike(const char *name);

/* What the numbers of a spectrum's status mean, for the last array defined. */
rl_status rl_put_cell_flags(const writer *w);

/* ---- filling ----------------------------------------------------------------------------------------------------- */

/* Allocates d->reduced and fills the coordinates, but for those of buckets. */
rl_status rl_fill_dataset(writer *w, const group *g, dataset *d);

/* The statistics of a field from d->reduced, of which w->overflow takes note; and theory. */
rl_status rl_fill_statistics(writer *w, const dataset *d, const rl_field *field);
rl_status rl_fill_theory(writer *w, const group *g, const dataset *d);
rl_status rl_fill_spike(writer *w, const dataset *d);

/* How many sets of repeats a field has. */
static inline size_t rl_count_sets(const dataset *d, const rl_field *field) {
    return (field->kind == RL_FIELD_CELL ? d->n_variants : 1) * d->n_p * d->n_n;
}

#endif
