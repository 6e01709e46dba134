/* results: finished work on disk. The journal is the truth; the results file (NetCDF-4) is assembled from it and
 * replaced whole. Used by one process (rank 0). Local. */
#ifndef RIDGELESS_RESULTS_H
#define RIDGELESS_RESULTS_H

#include "ridgeless/core.h"
#include "ridgeless/study.h"
#include "ridgeless/task.h"

/* ---- journal ---------------------------------------------------------------------------------------------------- */

/* An append-only file beside the results file (its name + ".journal"): a header with the study's settings
 * (rl_study_settings and the data sets' checksums), then one checksummed record a finished curve, keyed by (dataset
 * name, P, repeat), each written by one write(2). Byte order and sizes are the machine's and are checked on opening. */
typedef struct rl_journal rl_journal;

/* Opens or creates the journal of `plan` for the results file `output`; records of a previous run are read. A torn tail
 * (killed in the middle of a write) is cut off with a warning. RL_ERR_INPUT: the journal belongs to another study (the
 * first settings line that differs is in the message), is not a journal, or cannot be written. `read_only` never
 * creates or changes it; *journal is NULL then when there is none. Only one process at a time may have it open for
 * writing (an advisory lock). */
rl_status rl_journal_open(const char *output, const rl_plan *plan, bool read_only, rl_journal **journal);

/* Appends the record of a curve. When it returns, a killed process no longer loses it; a lost node loses at most the
 * last two seconds (fdatasync by time, here and in rl_journal_tick). After a failure the journal is only to be closed.
 */
rl_status rl_journal_append(rl_journal *journal, int64_t curve, const double *record, size_t length);

/* Syncs what has waited for two seconds. Cheap: for a loop that waits long between appends. */
rl_status rl_journal_tick(rl_journal *journal);

/* Makes what was appended durable now, and nothing else: may be called in another thread, also while this one appends.
 */
void rl_journal_save(rl_journal *journal);

/* Whether the curve is there, and its record (borrowed until the journal closes; NULL when absent). */
const double *rl_journal_record(const rl_journal *journal, int64_t curve);
int64_t rl_journal_count(const rl_journal *journal); /* curves of the plan that are there */

/* Syncs and closes. */
rl_status rl_journal_close(rl_journal *journal);

/* ---- results file ----------------------------------------------------------------------------------------------- */

/* What changes from run to run, for the group `provenance`: pairs of attribute name and text or numbers
 * (a list too long for an attribute becomes a variable of that name). */
typedef struct rl_provenance {
    char **names, **texts;
    int n_texts; /* text attributes */
    char **number_names;
    double **numbers;
    int *n_numbers;
    int n_number_lists; /* numeric attributes */
} rl_provenance;
rl_status rl_provenance_text(rl_provenance *provenance, const char *name, const char *format, ...) RL_PRINTF(3);
rl_status rl_provenance_numbers(rl_provenance *provenance, const char *name, const double *values, int n);
void rl_provenance_destroy(rl_provenance *provenance);

/* Refuses (RL_ERR_INPUT) an output path that cannot be written or that holds anything but a results file of this study.
 * Called before any work. */
rl_status rl_results_check_output(const char *output, const rl_plan *plan);

/* Writes the results file from the journal: a group a dataset, each repeat's values (where the study keeps them) and
 * reduced ones, and the group `provenance`. Built as output.tmp.<pid> in the same folder, closed, fsynced, opened again
 * and compared with the journal's values, renamed, the folder fsynced: the output is the old file or the new one, never
 * a part. Curves that the journal lacks are fill values with status `missing`. *n_failed: spectra with a status other
 * than done or missing. */
rl_status rl_results_write(const char *output, const rl_plan *plan, const rl_journal *journal,
                           const rl_provenance *provenance, int64_t *n_failed);

/* ---- reduction --------------------------------------------------------------------------------------------------- */

#define RL_N_QUANTILES 5
extern const double rl_quantiles[RL_N_QUANTILES]; /* 0.05, 0.25, 0.5, 0.75, 0.95 */

typedef struct rl_reduced {
    int count; /* values that are not NaN */
    double mean, standard_error, median, geometric_mean;
    double quantile[RL_N_QUANTILES];
} rl_reduced;

/* Reduces values[n] (NaN: absent) in their order, so that the bits depend on nothing else. Quantiles by linear
 * interpolation between order statistics (NumPy's default, Hyndman and Fan's type 7). `scratch` [n] is overwritten. All
 * NaN when count = 0; the standard error needs two values; the geometric mean is 0 when a value is 0 and NaN when one
 * is negative. */
rl_reduced rl_reduce(const double *values, int n, double *scratch);

/* ---- reading back ------------------------------------------------------------------------------------------------ */

/* What `show` prints of one dataset of a results file. */
typedef struct rl_shown_variant {
    char *label, *ablation;
    double parameter;
    double threshold_median; /* median test error at the N nearest to P */
    double largest_median;   /* and at the largest N */
    double spike;            /* the first over the second */
} rl_shown_variant;
typedef struct rl_shown_dataset {
    char *name;
    int n_features, threshold_n, largest_n, repeats;
    int64_t spectra_done, spectra_missing, spectra_failed;
    rl_shown_variant *variants;
    int n_variants;
} rl_shown_dataset;
typedef struct rl_shown {
    char *title, *program;
    rl_shown_dataset *datasets;
    int n_datasets;
} rl_shown;

/* Reads a results file. RL_ERR_INPUT when it is missing, not NetCDF, or not one of ours. */
rl_status rl_results_read(const char *path, rl_shown *shown);
void rl_shown_destroy(rl_shown *shown);

#endif
