/* What the results file says of every cell, spectrum and mode of a data set, and how rank 0 reduces it over the
 * repeats: two tables from which the arrays of data sets are defined and filled. */
#ifndef RL_RESULTS_FIELDS_H
#define RL_RESULTS_FIELDS_H

#include "internal.h"

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
} rl_field;

#define RL_N_FIELDS 14
extern const rl_field rl_fields[RL_N_FIELDS];

/* The coordinates and the dimensions of a field, but for those of repeats. */
const char *rl_field_coordinates(const rl_field *field);
const char *rl_field_sets(const rl_field *field);

/* Where the field begins in curves of this layout; and whether they have it. */
size_t rl_field_offset(const rl_field *field, const rl_curve_layout *layout);
bool rl_field_present(const rl_field *field, const rl_curve_layout *layout);

/* Whether each repeat's values of the field go into the results file. */
bool rl_field_kept(const rl_field *field, const rl_keep *keep);

#endif
