/* What the results file says of every cell, spectrum and mode, and how rank 0 reduces it over the repeats: two tables
 * from which all variables are defined and filled. */
#ifndef RL_RESULTS_FIELDS_H
#define RL_RESULTS_FIELDS_H

#include <netcdf.h>

#include "ridgeless/results.h"

typedef enum rl_statistic_kind {
    RL_MEAN = 1,
    RL_STANDARD_ERROR = 2,
    RL_MEDIAN = 4,
    RL_GEOMETRIC_MEAN = 8,
    RL_COUNT = 16,
    RL_QUANTILES = 32
} rl_statistic_kind;

/* A member of rl_reduced, stored as `<field>_<name>`. */
typedef struct rl_statistic {
    rl_statistic_kind kind;
    const char *name, *long_name; /* the long name follows the field's */
    const char *cell_methods;     /* NULL where CF has no word for it */
    nc_type type;
    size_t offset; /* in rl_reduced */
} rl_statistic;

#define RL_N_STATISTICS 6
extern const rl_statistic rl_statistics[RL_N_STATISTICS];

typedef enum rl_field_kind {
    RL_FIELD_CELL,     /* (variant, n_features, n_train, repeat) */
    RL_FIELD_SPECTRUM, /* (n_features, n_train, repeat) */
    RL_FIELD_STATUS,   /* the same; known even where there is no record */
    RL_FIELD_MODE,     /* (n_features, n_train, repeat, mode) */
    RL_FIELD_DIRECTION /* (n_features, n_train, repeat, mode, feature) */
} rl_field_kind;

/* An array of a curve's record. */
typedef struct rl_field {
    const char *name, *long_name, *comment; /* comment may be NULL */
    rl_field_kind kind;
    nc_type type;
    size_t offset;       /* of its size_t in rl_record_layout */
    unsigned statistics; /* rl_statistic_kind, or-ed */
    bool mean_diverges;  /* near the threshold */
} rl_field;

#define RL_N_FIELDS 14
extern const rl_field rl_fields[RL_N_FIELDS];

/* The variable's: `<field>_<name>`. */
enum { RL_FIELD_NAME = 64 };
void rl_statistic_name(const rl_field *field, const rl_statistic *statistic, char name[RL_FIELD_NAME]);

/* Of summaries also `<field>_bucket_count`, `_minimum` and `_maximum`. */
#define RL_BUCKET_COUNT "bucket_count"
#define RL_MINIMUM      "minimum"
#define RL_MAXIMUM      "maximum"
enum { RL_N_OF_SUMMARIES = 3 };
void rl_summary_name(const rl_field *field, const char *what, char name[RL_FIELD_NAME]);

/* Which statistics the results file has of a field. */
unsigned rl_field_statistics(const rl_field *field, const rl_keep *keep);

/* Where the field begins in records of this layout. */
size_t rl_field_offset(const rl_field *field, const rl_record_layout *layout);

/* Whether records of this layout have the field. */
bool rl_field_present(const rl_field *field, const rl_record_layout *layout);

/* Whether each repeat's values of the field go into the results file. */
bool rl_field_kept(const rl_field *field, const rl_keep *keep);

#endif
