/* One results file on its way: what writing and defining share. */
#ifndef RL_RESULTS_WRITER_H
#define RL_RESULTS_WRITER_H

#include "fields.h"
#include "internal.h"

/* FEATURE, ROW and AXIS are of kept directions, POINT to TRAINABLE_ROW of kept predictions, and the last two of
 * summaries, which have no REPEAT. */
typedef enum dimension {
    VARIANT,
    N_FEATURES,
    N_TRAIN,
    REPEAT,
    QUANTILE,
    MODE,
    FEATURE,
    ROW,
    AXIS,
    POINT,
    PREDICTED_REPEAT,
    TRAINABLE_ROW,
    BUCKET,
    CELL_STATUS,
    N_DIMENSIONS
} dimension;
extern const char *const rl_dimension_names[N_DIMENSIONS];

/* One variable of the file: defined, then filled, in one and the same order. */
typedef struct variable {
    char name[RL_FIELD_NAME];
    const char *in; /* the group's name, borrowed */
    int group, id;
    nc_type type;
    size_t count;  /* of values */
    uint64_t hash; /* of the values put */
    bool original; /* cannot be worked out from other variables */
} variable;

/* One dataset's group: the grids [first, end) of the plan. */
typedef struct group {
    int first, end, id;
    size_t length[N_DIMENSIONS];
    bool has[N_DIMENSIONS];
    int dimension[N_DIMENSIONS]; /* ids */
    int *n_features;             /* [length[N_FEATURES]], owned */
    int *n_train;                /* [length[N_TRAIN]], owned: every N that some P has, ascending */
    rl_record_layout layout;     /* of any grid, but for its sizes and modes */
    int *buckets;                /* [length[BUCKET]]: all that the group has something in, ascending; owned */
    rl_summary *summaries;       /* [end - first], while the group is filled */
} group;

typedef struct writer {
    rl_nc file;
    const rl_plan *plan;
    rl_journal *journal;
    group *groups; /* [n_groups] */
    int n_groups;
    variable *variables; /* in the order of definition */
    int n_variables, n_filled;
    /* Buffers for the largest variable. */
    double *values, *scratch;
    rl_reduced *reduced;
    void *stored;
    int64_t n_failed;
} writer;

static inline const rl_keep *rl_group_keep(const writer *w, const group *g) {
    return &w->plan->grids[g->first].spec->keep;
}

/* Fills the next variable in the order of definition, which is this one; its values are compared afterwards. */
rl_status rl_put_values(writer *w, const char *name, const void *values);

/* Behind the last curve of a group. */
int64_t rl_end_of_curves(const writer *w, const group *g);

/* Fills the statistics of a field from w->reduced[sets]. */
rl_status rl_put_statistics(writer *w, const group *g, const rl_field *field, size_t sets);

/* ---- summaries (summaries.c) ------------------------------------------------------------------------------------- */

/* Finds the group's buckets; fills bucket_lower, bucket_upper and status; fills all of its fields, read from the
 * journal once more, as the summaries of one group at a time are in memory. */
rl_status rl_measure_summaries(const writer *w, group *g);
rl_status rl_fill_bucket_coordinates(writer *w, const group *g);
rl_status rl_fill_summaries(writer *w, group *g);
void rl_unload_summaries(group *g);

/* ---- trainings (trainings.c) ------------------------------------------------------------------------------------- */

/* Variables of a group of trainings at most, and the values of the largest one of any. */
enum { RL_TRAINING_VARIABLES = 13 };
size_t rl_training_values(const rl_plan *plan);

/* Define and fill a group an autoencoder. */
rl_status rl_define_trainings(writer *w);
rl_status rl_fill_trainings(writer *w);

/* Defines the whole file: root attributes, then each dataset's group with its dimensions, variables and attributes.
 * Allocates w->groups, with what they own, and w->variables. */
rl_status rl_define_file(writer *w);
void rl_groups_destroy(writer *w);

#endif
