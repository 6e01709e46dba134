/* study: reads and checks a study file, with the datasets, ablations and autoencoders that it names.
 *
 * All local: the functions read memory alone. */
#ifndef RIDGELESS_STUDY_H
#define RIDGELESS_STUDY_H

#include "ridgeless/autoencoder.h"
#include "ridgeless/core.h"
#include "ridgeless/data.h"
#include "ridgeless/fit.h"

#define RL_STUDY_FILE_LIMIT ((size_t)1 << 20) /* bytes */
#define RL_STUDY_LIST_LIMIT 1000000           /* entries a list or range may expand to */
#define RL_N_FEATURES_LIMIT 10000             /* P of a dataset: each has a plan of its own */

/* The key n_train as the file gives it. Its training sets are the union of all that is given here. */
typedef struct rl_n_train_spec {
    int line;
    int *values;
    int n_values; /* from values and ranges, ascending, distinct */
    double *ratios;
    int n_ratios; /* N = round(ratio * P), at least 1 */
    int around;   /* every N with |N - P| <= around; -1: not given */
} rl_n_train_spec;

/* The key n_features as the file gives it: ascending, distinct. None: all features that the dataset has. */
typedef struct rl_n_features_spec {
    int *values;
    int n_values;
} rl_n_features_spec;

/* How many repeats predictions are kept of. */
enum { RL_PREDICTED_REPEATS = 3 };

/* `producer: auto`: the plan chooses. */
enum { RL_PRODUCER_AUTO = -1 };

/* `ranks_per_case` where it is no number: the plan chooses, or all ranks work together. */
enum { RL_RANKS_AUTO = 0, RL_RANKS_ALL = -1 };

/* What the results file keeps beside the values reduced over the repeats. */
typedef struct rl_keep {
    bool cells;       /* the values of each repeat */
    bool modes;       /* the values per mode of each repeat */
    bool directions;  /* the directions v_r of the modes in feature space, and the training rows; implies modes */
    bool predictions; /* predictions of each fit at the test points, for the first RL_PREDICTED_REPEATS repeats */
    bool summary;     /* none of these: only how often values fall into each bucket of a histogram (histogram.h) */
} rl_keep;

/* What theory the results file has beside the one that is always there where it is known. */
typedef enum rl_theory_kind {
    RL_THEORY_NONE,
    RL_THEORY_TABLE /* predictions from the second moments of the data set (theory.h) */
} rl_theory_kind;

/* The largest P that directions are kept of: they are P x P numbers per N and repeat. */
#define RL_DIRECTIONS_LIMIT 64

typedef struct rl_study_dataset {
    char *name;
    int line;
    const rl_source *source;
    rl_options options;
    const rl_feature_map *map; /* NULL: the identity */
    rl_options map_options;
    bool intercept;                /* a column of ones before the features */
    rl_n_features_spec n_features; /* the study's, or the dataset's own */
    rl_n_train_spec n_train;
    rl_variant *variants;
    int n_variants; /* of the dataset's own key `ablations` if it has one, else the study's; so are the next ones */
    rl_keep keep;
    unsigned measures; /* rl_measure_kind: 1u << each that is asked for */
    rl_theory_kind theory;
    int producer;       /* rl_producer, or RL_PRODUCER_AUTO */
    int ranks_per_case; /* a number, or RL_RANKS_... */
    rl_grid_shape grid; /* given: of ranks_per_case ranks */
} rl_study_dataset;

/* Trainings of a shallow autoencoder (autoencoder.h): one for each m, T and repeat. */
typedef struct rl_study_autoencoder {
    char *name; /* of its group in the results file; its random numbers are keyed by it */
    int line;
    rl_options options;
    rl_autoencoder model; /* without n_hidden and n_train */
    int *hidden;          /* [n_hidden]: the m; ascending, distinct */
    int n_hidden;
    rl_n_train_spec n_train;   /* the T: `values` alone */
    int ranks_per_case;        /* ranks that share the examples of a training; RL_RANKS_AUTO: one; or RL_RANKS_ALL */
    double checkpoint_seconds; /* least time between two states of a training in the journal */
} rl_study_autoencoder;

typedef struct rl_study {
    char *path;  /* of the study file, for messages */
    char *text;  /* of the study file, verbatim */
    char *title; /* `title`, or the file's name without folder and ending */
    uint64_t seed;
    rl_random_kind random;
    int repeats;
    int block; /* block size of matrices on process grids */
    /* Of curves by nested factorization on a process grid: the N at which extreme singular values are computed. All
     * other curves have them anyway. line 0: at every N. */
    rl_n_train_spec singular_values;
    /* The N at which full spectra are computed. At the others, curves come by nested factorization, and variants that
     * need modes have no value. line 0: wherever a variant needs a spectrum. */
    rl_n_train_spec full_spectra;
    rl_study_dataset *datasets;
    int n_datasets; /* 0 where there are autoencoders alone */
    rl_study_autoencoder *autoencoders;
    int n_autoencoders;
} rl_study;

/* Reads a study from text. `path` is for messages, and its folder is where relative file names start. Any fault is
 * RL_ERR_INPUT with the message "path:line: key `...`: what is wrong; what is expected", and leaves *study empty. */
rl_status rl_study_parse(const char *path, const char *text, rl_study *study);
void rl_study_destroy(rl_study *study);

/* Appends the effective settings dataset by dataset, one `key: value` per line, with every default written out.
 *
 * Two studies with the same settings have the same numbers in every cell that both have. Left out is all that changes
 * no number of a cell: the title, whether cells are kept, and `repeats`, `n_features` and `n_train`. (`repeats` and
 * `n_features` are in where one generator draws for all of them in turn; `keep: summary` is always in.) Numbers have
 * the same bits when n_train is the same, and else agree to rounding: which rows are taken together, and how a curve is
 * computed, depend on the list of N. */
rl_status rl_study_settings(const rl_study *study, rl_text *settings);

/* What to do about a file that is in the way. */
#define RL_START_OVER "choose another -o, or --fresh to start over"

/* Compares the settings in a file (`have`) with those of the study (`want`), both as rl_study_settings writes them.
 * RL_ERR_INPUT when they differ, with a message that `path` belongs to another study and lists the differences with the
 * lines of the study file: what both have is left out, wherever it stands. Of parts: that of each data set and
 * autoencoder which both have. An option that `have` does not know yet, and that has its default here, is no
 * difference.
 */
typedef enum rl_settings_part {
    RL_SETTINGS_ALL,
    RL_SETTINGS_DATA, /* what numbers are drawn by and made of */
    RL_SETTINGS_WAY   /* how curves are computed, where that is a matter of rounding */
} rl_settings_part;
rl_status rl_settings_compare(const char *path, const rl_study *study, rl_settings_part part, const char *have,
                              const char *want);

/* Whether they agree in a part, that of the whole study and of the data set or autoencoder `name` (both have it). */
rl_status rl_settings_agree(const rl_study *study, const char *name, rl_settings_part part, const char *have,
                            const char *want, bool *agree);

/* What settings say of one data set of the study beside RL_SETTINGS_DATA. */
typedef struct rl_former {
    rl_study_dataset spec; /* the study's, but for variants (without options and labels), keep, producer and
                              ranks_per_case, as far as methods depend on them */
    int *places;           /* [n_variants of the study's]: among those of spec; -1: not among them; owned */
    int missing;           /* the first of the study's variants that is not among them; -1: none */
    bool is_known;         /* this program has all their ablations */
    int block;
    bool some_full;             /* full_spectra is given */
    bool same_full, same_sigma; /* full_spectra and singular_values are the study's */
} rl_former;

/* Reads it from the settings `have`, which have the data set; `want` is the study's. The caller owns *former, on
 * failure too. */
rl_status rl_former_read(const rl_study_dataset *dataset, const char *have, const char *want, rl_former *former);
void rl_former_destroy(rl_former *former);

/* Whether settings have a data set or autoencoder of that name. */
bool rl_settings_have(const char *settings, const char *name);

/* The data set of that name; NULL: there is none. */
const rl_study_dataset *rl_find_dataset(const rl_study *study, const char *name);

/* The index of the autoencoder of that name; -1: there is none. */
int rl_find_autoencoder(const rl_study *study, const char *name);

#endif
