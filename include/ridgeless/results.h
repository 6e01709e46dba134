/* results: finished work as people read it. The results file (NetCDF-4) is made from the journal and replaced whole.
 * Used by one process (rank 0). Local. */
#ifndef RIDGELESS_RESULTS_H
#define RIDGELESS_RESULTS_H

#include "ridgeless/journal.h"
#include "ridgeless/summary.h"

/* ---- results file ----------------------------------------------------------------------------------------------- */

/* What changes from run to run, for the group `provenance`: attributes, texts before numbers (a list of numbers too
 * long for an attribute becomes an array of that name). A zeroed struct is empty. */
typedef struct rl_provenance_entry {
    char *name;
    char *text;      /* NULL: it is numbers */
    double *numbers; /* [n] */
    int n;
} rl_provenance_entry;
typedef struct rl_provenance {
    rl_provenance_entry *entries; /* [n]; owned */
    int n;
} rl_provenance;

/* Add a copy to the list; after a failure that is only to be destroyed. */
rl_status rl_provenance_text(rl_provenance *provenance, const char *name, const char *text);
rl_status rl_provenance_numbers(rl_provenance *provenance, const char *name, const double *values, int n);
void rl_provenance_destroy(rl_provenance *provenance);

/* The entry of that name; NULL: there is none. */
const rl_provenance_entry *rl_provenance_find(const rl_provenance *provenance, const char *name);

/* Reads back what the last run of the plan's study said that wrote the results file at `path`. RL_ERR_INPUT when that
 * is missing, damaged, changed by another program, or of another study. */
rl_status rl_results_read_provenance(const char *path, const rl_plan *plan, rl_provenance *provenance);

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

/* Gives such a file the time of now, for make and its like, which compare times; warns where that is not allowed. */
void rl_results_touch(const char *output);

/* Local. To be called first in a thread that is not the main one. */
void rl_results_be_quiet(void);

/* Writes the results file from the journal: a group for each data set and autoencoder, each repeat's values (where the
 * study keeps them) and reduced ones, and the group `provenance`. Memory does not grow with the number of cells: see
 * rl_results_bytes. Built as an rl_temporary, for which room is taken there first, closed, opened again and compared
 * with the journal's values, and put in place durably: the output is the old file or the new one, never a part. Of
 * summaries, counts in buckets stand in the place of each repeat's values, and counts of each status in the place of
 * `status`. Its last line is the checksum of all bytes before it (behind HDF5's end of the file, where readers do not
 * look). Curves that the journal lacks are fill values with status `missing`, and N that another P of the data set has,
 * but this one has not, with status `not_asked`.
 *
 * RL_ERR_IO when the journal is not that of the output any more; RL_STOPPED when it was only read, and another process
 * has put a file there meanwhile that is made of a longer one: that one stays.
 *
 * crew: who else works meanwhile; NULL: nobody. *seconds: what they went into; NULL: nobody asks. */
struct rl_reduced; /* see below */
typedef struct rl_crew {
    /* Takes sets[n, width], whose statistics, as of rl_reduce, are in reduced[n] after `await`. false: it does not. */
    bool (*give)(void *state, const double *sets, size_t n, size_t width, bool with_moments,
                 struct rl_reduced *reduced);
    void (*await)(void *state);
    /* Of n members, asks one for a job, which is copied (false: it does not take it); and takes the next bytes of its
     * answers to all jobs, in their order (false: they do not come, and never will). A member that works on memory
     * which it shares with this process is waited for as long as it goes on, or so many seconds. */
    int n;
    double patience;
    bool (*ask)(void *state, int member, const void *job, size_t length);
    bool (*take)(void *state, int member, void *bytes, size_t length);
    void *state;
} rl_crew;
typedef struct rl_results_seconds {
    double collecting; /* reading the journal, and putting side by side what belongs together */
    double reducing;   /* statistics */
    double writing;    /* all else, until the file is in its place */
    double verifying;  /* reading it again */
} rl_results_seconds;
rl_status rl_results_write(const char *output, const rl_plan *plan, rl_journal *journal,
                           const rl_provenance *provenance, const rl_crew *crew, rl_results_seconds *seconds);

/* What a member of the crew does jobs by: another process of this node, with the same plan. `answer` is called with
 * what `take` asks for, and may read it until the next job. */
typedef struct rl_crew_member rl_crew_member;
typedef void (*rl_crew_answer)(void *state, const void *bytes, size_t length);
rl_status rl_crew_member_create(const rl_plan *plan, rl_crew_member **member);
void rl_crew_member_destroy(rl_crew_member *member);
void rl_crew_member_work(rl_crew_member *member, const void *job, rl_crew_answer answer, void *state);

/* What writing it takes in memory beside the journal's index, in bytes; and what this process shares with its crew
 * beside that, which both have. */
rl_status rl_results_bytes(const rl_plan *plan, double *bytes, double *sharing);

/* ---- reduction --------------------------------------------------------------------------------------------------- */

#define RL_N_QUANTILES 5
extern const double rl_quantiles[RL_N_QUANTILES]; /* 0.05, 0.25, 0.5, 0.75, 0.95 */

typedef struct rl_reduced {
    int count; /* values that are not NaN */
    double minimum, maximum, mean, standard_error, median, geometric_mean;
    double quantile[RL_N_QUANTILES];
    double median_low, median_high; /* an interval of the median, see rl_median_interval; NaN: too few values */
} rl_reduced;

/* Reduces values[n] (NaN: absent) in their order, so that the bits depend on nothing else. Quantiles by linear
 * interpolation between order statistics (NumPy's default, Hyndman and Fan's type 7). `scratch` [2 n] is overwritten.
 * All NaN when count = 0; the standard error needs two values; the geometric mean is 0 when a value is 0 and NaN when
 * one is negative. */
rl_reduced rl_reduce(const double *values, int n, double *scratch);

/* The same but for the standard error and the geometric mean, which are NaN and not computed. */
rl_reduced rl_reduce_without_moments(const double *values, int n, double *scratch);

/* The same from counts in buckets, each number taken for the middle of its bucket, or the least or largest number of
 * all where that is nearer: mean, geometric mean and quantiles are within RL_BUCKET_ERROR, relatively, of those of the
 * numbers, and the least and largest order statistic are exact. */
rl_reduced rl_reduce_buckets(const rl_buckets *buckets);

/* Of n values sorted upwards, the largest k such that value k and value n - 1 - k (from 0) enclose the median of the
 * law that the values were drawn from but for a probability of `miss`; -1: there is none. No matter which law: as many
 * values are below its median as one of n fair coins shows heads, so value k is above it with the probability of at
 * most k heads (David and Nagaraja 2003, Order Statistics, section 7.1). */
int64_t rl_median_interval(int64_t n, double miss);

/* The height of a spike is the ratio of the median at the threshold to the larger of those at two flanks. The interval
 * takes the lower end of the one and the upper ends of the others, and the other way round. Where each of three medians
 * misses its own with a third of the probability, the ratio's misses with at most the whole, though they depend on each
 * other (Bonferroni). */
enum { RL_N_FLANKS = 2 };

/* How many leading directions of the features effective ranks leave out: 0, 1, 2 and 4. */
enum { RL_N_LEFT_OUT = 4 };
extern const int rl_left_out[RL_N_LEFT_OUT];
#define RL_SPIKE_MISS 0.1
typedef struct rl_spike {
    double height, low, high; /* NaN: there is none */
} rl_spike;

/* Medians of at most `zero` count as 0, as rounding errors alone are in them. NaN where the medians of both flanks are
 * 0, or one of the three is not there. */
rl_spike rl_spike_of(const rl_reduced *threshold, const rl_reduced flank[RL_N_FLANKS], double zero);

/* What is zero in an error, relative to the mean square of the targets: a billionth of their size. */
#define RL_ZERO_PART 1e-18

/* Errors that are infinite because squares left the range of numbers: each makes the mean over its repeats infinite. */
typedef struct rl_overflow {
    int64_t n, n_means;            /* infinite means, of so many */
    const char *dataset, *variant; /* of the first; borrowed */
    int n_features, n_train;
} rl_overflow;

/* Counts a mean at its place in a data set, which is kept of the first that is infinite; an absent one, NaN, counts for
 * nothing. */
void rl_overflow_count(rl_overflow *overflow, double mean, rl_overflow place);

/* Writes "3 of 40 mean errors are infinite ...: first that of `none` on `mine`, P = 5, N = 5". */
enum { RL_OVERFLOW_TEXT = 400 };
const char *rl_overflow_text(const rl_overflow *overflow, char text[RL_OVERFLOW_TEXT]);

/* ---- reading back ------------------------------------------------------------------------------------------------ */

/* What `show` prints of a results file. NaN: there is no such number. */
typedef struct rl_shown_variant {
    const char *label, *ablation;
    rl_role role;
    double parameter;
    double threshold_median, flank_median[RL_N_FLANKS]; /* median test errors */
    double largest_median;                              /* at the largest N */
    double of_unablated; /* threshold_median over that of the unablated fit; 0: it is zero but for rounding */
    double modes_kept;   /* at the threshold, median over repeats */
    rl_spike spike;
} rl_shown_variant;
typedef struct rl_shown_dataset { /* one P of a data set */
    const char *name;
    int n_features, largest_n, repeats;
    int n_rows, n_dropped;    /* rows of the data set, and those left out because a value is missing */
    int threshold;            /* P, or the rank of the features, where that is less */
    bool intercept;           /* one of the features is 1 in every row */
    int threshold_n;          /* the N that stands for the threshold: the nearest one to it */
    int flank_n[RL_N_FLANKS]; /* 0: the study has no such N, or the file does not say */
    int n_modes;              /* that there are at the threshold */
    double null_mse, target_variance;
    /* r_k and R_k of the table's features, with theory: table, and the largest leverage over the mean; else NaN */
    double effective_rank[RL_N_LEFT_OUT], effective_rank_of_squares[RL_N_LEFT_OUT], leverage_max;
    bool scales_apart; /* it is less because columns are in units far apart */
    bool has_places;   /* the study has N at the threshold and at both flanks */
    bool fits_exactly; /* the unablated test error at the threshold is zero but for rounding */
    bool is_older;     /* the file says nothing of spikes */
    int64_t spectra_done, spectra_missing, spectra_failed;
    rl_overflow overflow;
    rl_shown_variant *variants; /* [n_variants] */
    int n_variants;
} rl_shown_dataset;
typedef struct rl_shown_autoencoder { /* one m of an autoencoder */
    const char *name;
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
    struct rl_shown_group *groups; /* what was read, which has the texts above */
    int n_groups;
} rl_shown;

/* Reads a results file. RL_ERR_INPUT when it is missing, damaged, not NetCDF, or not one of ours. A file without the
 * seal that rl_results_write puts at its end is read in a child process first, which may crash or hang: not for a
 * process that uses MPI. */
rl_status rl_results_read(const char *path, rl_shown *shown);
void rl_shown_destroy(rl_shown *shown);

/* ---- comparing two files ----------------------------------------------------------------------------------------- */

/* Where a value stands: what the coordinates of its dimensions say there, or its index (from 0) where there is none. */
enum { RL_NAME_BYTES = 257, RL_LOCATION_DIMENSIONS = 8 };
typedef struct rl_coordinate {
    char dimension[RL_NAME_BYTES], value[128];
    bool is_number;
} rl_coordinate;
typedef struct rl_location {
    rl_coordinate at[RL_LOCATION_DIMENSIONS];
    int n;
} rl_location;

typedef struct rl_extreme {
    double size; /* NaN: there is none */
    double values[2];
    rl_location place;
} rl_extreme;

/* What a difference is measured in.
 *
 * Condition: what rounding may do to the value, with eps = 2^-52 and the condition kappa = sigma_max / sigma_min of its
 * spectrum (the larger of both files'). Of a singular value s that is eps kappa s; of a distance, which is in units of
 * a solution's length, eps kappa max(1, distance); of a squared error e^2, where predictions are off by eps kappa S and
 * S^2 is the largest test error of any variant of that spectrum, eps kappa S (2 e + eps kappa S).
 *
 * Last place: the distance from the value to the next double. */
typedef enum rl_unit { RL_UNIT_NONE, RL_UNIT_CONDITION, RL_UNIT_LAST_PLACE } rl_unit;

/* A variable that differs. */
typedef struct rl_difference {
    char group[RL_NAME_BYTES], variable[RL_NAME_BYTES];
    bool alike;   /* of one type, on the same dimensions; false: that is what differs, and nothing else is known */
    bool follows; /* it is a statistic over the repeats of a variable of the group that differs, too */
    int64_t n, n_differ; /* values compared; those whose bits differ */
    int64_t n_lone;      /* of these, where one file alone has a number */
    rl_extreme relative; /* |a - b| / max(|a|, |b|) of numbers, where it is largest */
    rl_unit unit;
    rl_extreme in_units; /* the largest in units */
} rl_difference;

/* What one file alone has; or an attribute that differs. */
typedef enum rl_mismatch_kind {
    RL_MISMATCH_GROUP,
    RL_MISMATCH_VARIABLE,
    RL_MISMATCH_COORDINATE,
    RL_MISMATCH_ATTRIBUTE
} rl_mismatch_kind;
typedef struct rl_mismatch {
    rl_mismatch_kind kind;
    int file; /* 0 or 1: what that file alone has; RL_BOTH_FILES: an attribute that differs */
    char group[RL_NAME_BYTES];
    char name[RL_NAME_BYTES]; /* of the variable, dimension or attribute (or variable:attribute) */
    size_t n;                 /* coordinates */
    char values[160];         /* of them, like "4, 5, 6, ... 99" */
} rl_mismatch;
enum { RL_BOTH_FILES = 2 };

typedef struct rl_comparison {
    rl_difference *differences; /* [n_differences] */
    int n_differences;
    rl_mismatch *mismatches; /* [n_mismatches] */
    int n_mismatches;
    int n_groups, n_variables; /* that both have and that were compared */
    int n_statistics;          /* over all repeats or N, left out where the files have others */
    rl_text texts;             /* names of attributes that differ and count for nothing, ", " between */
    char *arithmetics[2];      /* by which the files were computed, as provenance has them; NULL: it has none */
} rl_comparison;

/* Compares two results files group by group and variable by variable, where both have the same coordinates. NaN equals
 * NaN. The group `provenance` is left out, and so are texts for people and the study's own text, but for their names.
 * Reads a few MiB at a time, or a row of the last dimension where that is longer. RL_ERR_INPUT as rl_results_read;
 * files without a seal are read in a child process first, as there. The comparison is the caller's, on failure too. */
rl_status rl_results_compare(const char *const paths[2], rl_comparison *comparison);
void rl_comparison_destroy(rl_comparison *comparison);

#endif
