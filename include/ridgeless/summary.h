/* summary: the numbers that the records of many repeats of a curve have at each place, as histograms. Part of task; all
 * functions are local.
 *
 * A summary has a histogram for each number that a record has before its statuses: all errors of the variants, and what
 * is told of spectra (rl_curve_layout). Repeats without a spectrum (RL_CELL_NO_CONVERGENCE, RL_CELL_ZERO_MATRIX) are
 * counted, and their numbers are not. Counts add up to the same whatever the order. */
#ifndef RIDGELESS_SUMMARY_H
#define RIDGELESS_SUMMARY_H

#include "ridgeless/histogram.h"
#include "ridgeless/task.h"

typedef struct rl_summary {
    rl_curve_layout layout;             /* of the records: without modes, directions and predictions */
    rl_histogram *histograms;           /* [layout.status], of the numbers at that place of the records; owned */
    int64_t (*statuses)[RL_N_STATUSES]; /* [n_n_train]: repeats with each rl_cell_status but the missing ones; owned */
} rl_summary;
/* What the histograms of a series come to, in bytes, about: it depends on how numbers spread. */
size_t rl_summary_bytes(const rl_series *series);

rl_status rl_summary_create(rl_summary *summary, const rl_curve_layout *layout);
void rl_summary_destroy(rl_summary *summary);
void rl_summary_clear(rl_summary *summary); /* of no repeat */

/* Takes in records[n], one after the other. */
rl_status rl_summary_add(rl_summary *summary, const double *records, int n);

/* ---- packed ------------------------------------------------------------------------------------------------------ */

/* A summary as words of 64 bits: for some sizes one after the other, how many repeats have each status, then its
 * histograms, of which one that is the same as the one before takes a bit. Appends them to `words`. */
rl_status rl_summary_pack(const rl_summary *summary, int n_n_train, const int *sizes, rl_text *words);

/* How many histograms a size has, and where in the record of all sizes the `place`-th of size i is. */
int rl_summary_places(const rl_curve_layout *layout);
size_t rl_summary_index(const rl_curve_layout *layout, int i, int place);

/* ---- records ----------------------------------------------------------------------------------------------------- */

/* Repeats without a spectrum, of those with each status. */
int64_t rl_summary_failed(const int64_t statuses[RL_N_STATUSES]);

/* Adds what a finished record of the kind `summary` holds: its k-th N to N target[k] of the summary, whose layout is
 * the series' (-1: left out). What is read may come from anyone: *sound tells whether it is one that such a worker
 * leaves. summary NULL: nothing but that. */
rl_status rl_summary_add_record(rl_summary *summary, const rl_series *series, const rl_record *record,
                                const int *target, bool *sound);

#endif
