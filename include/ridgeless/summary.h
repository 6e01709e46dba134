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
rl_status rl_summary_create(rl_summary *summary, const rl_curve_layout *layout);
void rl_summary_destroy(rl_summary *summary);
void rl_summary_clear(rl_summary *summary); /* of no repeat */

/* Takes in records[n], one after the other. */
rl_status rl_summary_add(rl_summary *summary, const double *records, int n);

/* ---- packed ------------------------------------------------------------------------------------------------------ */

/* A summary as words of 64 bits: for some sizes one after the other, how many repeats have each status, then its
 * histograms, of which one that is the same as the one before takes a bit. Appends them to `words`. */
rl_status rl_summary_pack(const rl_summary *summary, int n_n_train, const int *sizes, rl_text *words);

/* What is done with each part of a packed summary; each may be NULL. k: which of the sizes; place: of a record of one
 * size. */
typedef struct rl_summary_visitor {
    rl_status (*statuses)(void *state, int k, const int64_t counts[RL_N_STATUSES]);
    rl_status (*buckets)(void *state, int k, int place, const rl_buckets *buckets);
    void *state;
} rl_summary_visitor;

/* Takes a packed summary of n_n_train sizes and of n_repeats repeats apart; places: the histograms of a size
 * (rl_summary_places). What is read may come from anyone: *sound tells whether it is one that rl_summary_pack writes.
 */
typedef struct rl_packed_summary {
    const char *words; /* of any alignment; borrowed */
    size_t n_words;
    int n_n_train, n_repeats, places;
} rl_packed_summary;
rl_status rl_summary_visit(const rl_packed_summary *packed, const rl_summary_visitor *visitor, bool *sound);

/* How many histograms a size has, and where in the record of all sizes the `place`-th of size i is. */
int rl_summary_places(const rl_curve_layout *layout);
size_t rl_summary_index(const rl_curve_layout *layout, int i, int place);

/* Adds size k of a packed summary, whose layout is the summary's but for its sizes, to size target[k], or leaves it out
 * where that is -1. As rl_summary_visit. */
rl_status rl_summary_merge(rl_summary *summary, const rl_packed_summary *packed, const int *target, bool *sound);

/* ---- records ----------------------------------------------------------------------------------------------------- */

/* Adds what a finished record of the kind `summary` holds: its k-th N to N target[k] of the summary, whose layout is
 * the series' (-1: left out). As rl_summary_visit. */
rl_status rl_summary_add_record(rl_summary *summary, const rl_series *series, const rl_record *record,
                                const int *target, bool *sound);

#endif
