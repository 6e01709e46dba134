/* What the comparison of two results files is made of: a group that both have, with its axes, and the comparison of one
 * variable's values. */
#ifndef RL_RESULTS_COMPARE_H
#define RL_RESULTS_COMPARE_H

#include "internal.h"

/* A dimension that both files have, matched by its coordinates; where it has none, by index. */
typedef struct rl_axis {
    char name[NC_MAX_NAME + 1];
    size_t lengths[2];
    size_t n;       /* entries that both have */
    size_t *at[2];  /* [n]: their indices in each file, ascending in the first; owned */
    bool whole;     /* both have the same entries, in the same order */
    double *number; /* [lengths[0]]: the coordinates of the first file; owned */
    char **text;    /* or, if they are texts; NetCDF's, owned */
} rl_axis;

/* A group that both files have. */
typedef struct rl_pair {
    const rl_nc *files; /* [2] */
    const char *name;
    int ids[2];
    rl_axis *axes; /* [n_axes]; owned */
    int n_axes;
    bool other_repeats; /* so that what tells of all repeats together is not to be compared */
    bool other_n;       /* so that what tells of all N together is not, either */
} rl_pair;

/* Makes the axes, and adds what one file alone has along them to the mismatches. *pair is to be released, on failure
 * too. */
rl_status rl_pair_match(rl_pair *pair, rl_comparison *comparison);
void rl_pair_release(rl_pair *pair);

/* NULL: there is none. */
const rl_axis *rl_pair_axis(const rl_pair *pair, const char *name);

/* Room for one more mismatch, which begins with zeros. */
rl_status rl_add_mismatch(rl_comparison *comparison, rl_mismatch **mismatch);

/* The coordinate of entry i of an axis. */
rl_coordinate rl_axis_coordinate(const rl_axis *axis, size_t i);

/* Compares the values of a variable at the coordinates that both files have. */
rl_status rl_compare_values(const rl_pair *pair, const char *variable, rl_difference *difference);

#endif
