/* results: finished work on disk. The journal is the truth; the results file (NetCDF-4) is assembled from it and
 * replaced whole. Used by one process (rank 0). Local. */
#ifndef RIDGELESS_RESULTS_H
#define RIDGELESS_RESULTS_H

#include "ridgeless/core.h"
#include "ridgeless/plan.h"
#include "ridgeless/summary.h"
#include "ridgeless/task.h"

/* ---- journal ---------------------------------------------------------------------------------------------------- */

/* An append-only file beside the results file (its name + ".journal"): a header with the study's settings
 * (rl_study_settings), then checksummed records, each written by one write(2). A record says by itself what it holds:
 * dataset name and checksum of its rows, P, repeat, the list of N, and their values. So what one study began another
 * one that asks for more repeats or other N goes on with: of each it takes what it asks for, and the rest stays in the
 * file. A record of a summary is of several repeats, and is taken as a whole or not at all: one that reaches beyond the
 * study's repeats is left alone, with a warning. Byte order and sizes are the machine's and are checked on opening. */
typedef struct rl_journal rl_journal;

/* Opens or creates the journal of `plan` for the results file `output`; records of previous runs are read, a later one
 * of a cell in the place of an earlier one. A torn tail (killed in the middle of a write) is cut off with a warning;
 * damage before the last whole record is passed over with a warning and stays as it is. RL_ERR_INPUT: the journal
 * belongs to another study (the settings that differ are in the message) or to other rows, is not a journal, or cannot
 * be written. `read_only` never creates or changes it; *journal is NULL then when there is none. Only one process at a
 * time may have it open for writing (an advisory lock). */
rl_status rl_journal_open(const char *output, const rl_plan *plan, bool read_only, rl_journal **journal);

/* Appends what is not RL_CELL_MISSING of the record of a curve, if anything; record[length] is that of
 * rl_record_layout_of, or of rl_span_of where summaries are kept. When it returns, a killed process no longer loses it;
 * a lost node loses at most the last two seconds (rl_journal_sync). After a failure the journal is only to be closed.
 */
rl_status rl_journal_append(rl_journal *journal, int64_t curve, const double *record, size_t length);

/* Makes durable what has waited for two seconds, or with `now` all there is. May be called in another thread, also
 * while this one appends, which then need not wait for the disk. A failure is that of the next append, or of closing.
 */
void rl_journal_sync(rl_journal *journal, bool now);

/* *record: that of a curve, RL_CELL_MISSING where a size is (borrowed until the journal closes or the curve is appended
 * again); NULL when nothing of it is there. Read from the file when first asked for. */
rl_status rl_journal_record(rl_journal *journal, int64_t curve, const double **record);

/* Of size i of a curve (of no span), and whether no size of it is missing. Without a journal (NULL) all are. */
rl_cell_status rl_journal_status(const rl_journal *journal, int64_t curve, int i);
bool rl_journal_has(const rl_journal *journal, int64_t curve);
int64_t rl_journal_count(const rl_journal *journal); /* curves, one a repeat, of which nothing is missing */

/* Of size i of a span: the first run of repeats from `from` on of which nothing is there; false: none. `journal` may be
 * NULL. */
bool rl_journal_missing_repeats(const rl_journal *journal, const rl_plan *plan, int64_t curve, int i, int from,
                                rl_repeats *missing);

/* Adds all that there is of a span to a summary of its grid's layout. Read from the file. */
rl_status rl_journal_merge_summary(rl_journal *journal, int64_t curve, rl_summary *into);

/* What there is of a data set, at all P (`grid`: any of its grids), or of all (-1); a curve a repeat. `journal` may be
 * NULL. */
typedef struct rl_tally {
    int64_t curves, curves_done, curves_begun; /* nothing missing; something missing and something not */
    int64_t spectra, spectra_done, spectra_missing, spectra_failed;
} rl_tally;
rl_tally rl_journal_tally(const rl_journal *journal, const rl_plan *plan, int grid);

/* Of trainings: appends the record of a finished one (rl_training_record), or the state of one under way
 * (rl_training_save), which takes the place of earlier states. As rl_journal_append. */
rl_status rl_journal_append_training(rl_journal *journal, int64_t training, const double *record, size_t length);
rl_status rl_journal_append_state(rl_journal *journal, int64_t training, const double *state, size_t length);

/* Whether a training is finished (RL_TRAINING_MISSING: it is not); and where not, the steps that its state has taken,
 * -1 where there is none. `journal` may be NULL. */
rl_training_status rl_journal_training_status(const rl_journal *journal, int64_t training);
int rl_journal_training_step(const rl_journal *journal, int64_t training);

/* Reads the record of a finished training, or else its state, of which there must be one. */
rl_status rl_journal_read_training(const rl_journal *journal, int64_t training, double *values);

/* What there is of the trainings of an autoencoder (index of the plan's training_grids), or of all (-1). `journal` may
 * be NULL. */
typedef struct rl_training_tally {
    int64_t trainings, done, missing, diverged;
    int64_t begun; /* of the missing ones, those that have a state */
} rl_training_tally;
rl_training_tally rl_journal_tally_trainings(const rl_journal *journal, const rl_plan *plan, int grid);

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

/* Refuses (RL_ERR_INPUT) an output path that cannot be written or that holds anything but a whole results file of this
 * study, whatever its N and repeats. Called before any work. */
rl_status rl_results_check_output(const char *output, const rl_plan *plan);

/* Throws away the journal and the results file at `output`, whatever study they belong to, damaged or not, and tells
 * with rl_info what that was. RL_ERR_INPUT, and nothing is touched, when there is anything there that is not ours, or
 * another process is writing, or the output cannot be written. */
rl_status rl_results_discard(const char *output);

/* Whether the file at `output` is already what rl_results_write would write, but for provenance. The journal alone says
 * what is done; this only saves writing the same again. Temporaries that killed processes left beside such a file go.
 */
bool rl_results_are_current(const char *output, const rl_plan *plan, const rl_journal *journal);

/* Writes the results file from the journal: a group a dataset, each repeat's values (where the study keeps them) and
 * reduced ones, and the group `provenance`. Built as output.tmp.<pid> in the same folder, closed, fsynced, opened again
 * and compared with the journal's values, renamed, the folder fsynced: the output is the old file or the new one, never
 * a part. Of summaries, counts in buckets stand in the place of each repeat's values, and counts of each status in the
 * place of `status`. Its last line is the checksum of all bytes before it (behind HDF5's end of the file, where readers
 * do not look). Curves that the journal lacks are fill values with status `missing`, and N that another P of the data
 * set has, but this one has not, with status `not_asked`. *n_failed: spectra with a status other than done or missing.
 */
rl_status rl_results_write(const char *output, const rl_plan *plan, rl_journal *journal,
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

/* The same from counts in buckets, each number taken for the middle of its bucket, or the least or largest number of
 * all where that is nearer: mean, geometric mean and quantiles are within RL_BUCKET_ERROR, relatively, of those of the
 * numbers, and the least and largest order statistic are exact. */
rl_reduced rl_reduce_buckets(const rl_buckets *buckets);

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
typedef struct rl_shown_autoencoder { /* one m of an autoencoder */
    char *name;
    int n_hidden, repeats;
    int64_t trainings_done, trainings_missing, trainings_diverged;
    /* The median over repeats of the loss on fresh examples at the end, relative to predicting nothing: where it is
     * largest, and at the largest T. NaN where there is none. */
    int n_train_at_largest, largest_n_train;
    double largest_loss, last_loss;
} rl_shown_autoencoder;
typedef struct rl_shown {
    char *title, *program;
    rl_shown_dataset *datasets;
    int n_datasets;
    rl_shown_autoencoder *autoencoders;
    int n_autoencoders;
} rl_shown;

/* Reads a results file. RL_ERR_INPUT when it is missing, damaged, not NetCDF, or not one of ours. A file without the
 * seal that rl_results_write puts at its end is read in a child process first, which may crash or hang: not for a
 * process that uses MPI. */
rl_status rl_results_read(const char *path, rl_shown *shown);
void rl_shown_destroy(rl_shown *shown);

#endif
