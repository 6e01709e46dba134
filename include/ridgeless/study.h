/* study: a study file, read and checked: the data sets, ablations and autoencoders it names.
 *
 * Pure: the functions read memory (and, for data sets, files through `data`); nothing here communicates. */
#ifndef RIDGELESS_STUDY_H
#define RIDGELESS_STUDY_H

#include "ridgeless/autoencoder.h"
#include "ridgeless/core.h"
#include "ridgeless/data.h"
#include "ridgeless/fit.h"

#define RL_STUDY_FILE_LIMIT ((size_t)1 << 20) /* bytes */
#define RL_STUDY_LIST_LIMIT 1000000           /* entries a list or range may expand to */
#define RL_N_FEATURES_LIMIT 10000             /* P of a dataset: each has a plan of its own */

/* n_train as the file says it; the union of all that is given. */
typedef struct rl_n_train_spec {
    int line;
    int *values;
    int n_values; /* values and ranges, expanded */
    double *ratios;
    int n_ratios; /* N = round(ratio * P), at least 1 */
    int around;   /* every N with |N - P| <= around; -1: not asked */
} rl_n_train_spec;

/* n_features as the file says it, ascending and distinct; none: all that the data set has. */
typedef struct rl_n_features_spec {
    int line;
    int *values;
    int n_values;
} rl_n_features_spec;

enum { RL_PREDICTED_REPEATS = 3 };

/* `producer: auto`: the plan chooses. */
enum { RL_PRODUCER_AUTO = -1 };

/* `ranks_per_case` of process grids, where it is no number: the plan chooses, or all ranks together. */
enum { RL_RANKS_AUTO = 0, RL_RANKS_ALL = -1 };

/* What goes into the results file beside the reduced values. */
typedef struct rl_keep {
    bool cells;       /* each repeat's values */
    bool modes;       /* per-mode values of each repeat */
    bool directions;  /* the modes' directions v_r in the space of features, and the training rows; with modes alone */
    bool predictions; /* what each fit says at the test points of the first RL_PREDICTED_REPEATS repeats */
    bool summary;     /* none of these, nowhere: only how often values fall into buckets (histogram.h) */
} rl_keep;

/* What directions may be kept of: P x P numbers an N and repeat. */
#define RL_DIRECTIONS_LIMIT 64

typedef struct rl_study_dataset {
    char *name;
    int line;
    const rl_source *source;
    rl_options options;
    const rl_feature_map *map; /* NULL: the identity */
    rl_options map_options;
    rl_n_features_spec n_features; /* the study's, or the dataset's own */
    rl_n_train_spec n_train;
    rl_variant *variants;
    int n_variants;     /* the study's, or the dataset's own when it has `ablations` */
    rl_keep keep;       /* likewise */
    int producer;       /* rl_producer, or RL_PRODUCER_AUTO; likewise */
    int ranks_per_case; /* or RL_RANKS_...; likewise */
} rl_study_dataset;

/* Trainings of shallow autoencoders (autoencoder.h): one for each m, T and repeat. */
typedef struct rl_study_autoencoder {
    char *name; /* of its group in the results file, and of what is drawn for it */
    int line;
    rl_options options;
    rl_autoencoder model; /* but for n_hidden and n_train */
    int *hidden;          /* the m; ascending, distinct */
    int n_hidden;
    rl_n_train_spec n_train;   /* the T, in `values` alone */
    int ranks_per_case;        /* that share the examples of a training; RL_RANKS_AUTO: one; RL_RANKS_ALL */
    double checkpoint_seconds; /* between two states of a training in the journal, at least */
} rl_study_autoencoder;

typedef struct rl_study {
    char *path;  /* of the study file, for messages */
    char *text;  /* of the study file, verbatim */
    char *title; /* `title`, or the file's name without folder and ending */
    uint64_t seed;
    rl_random_kind random;
    int repeats;
    int block; /* block size of matrices on process grids */
    /* Where extreme singular values are computed of curves by nested factorization on a process grid; elsewhere they
     * come for nothing and are all there. line 0: everywhere. */
    rl_n_train_spec singular_values;
    /* The N of full spectra: elsewhere curves come by nested factorization, and variants that need modes have no value.
     * line 0: wherever a variant needs one. */
    rl_n_train_spec full_spectra;
    rl_study_dataset *datasets;
    int n_datasets; /* 0 where there are autoencoders alone */
    rl_study_autoencoder *autoencoders;
    int n_autoencoders;
} rl_study;

/* Reads a study from text. `path` is for messages and the base of relative file names. Any fault is RL_ERR_INPUT with
 * "path:line: key `...`: what is wrong; what is expected", and *study is empty. */
rl_status rl_study_parse(const char *path, const char *text, rl_study *study);
void rl_study_destroy(rl_study *study);

/* Appends the effective settings, one `key: value` a line and every default spelled out, dataset by dataset. Two
 * studies with the same lines have the same numbers in every cell they share, whatever `repeats`, `n_features` and
 * `n_train`, which are left out (but for the first two where the draws of one generator in a row depend on them), as is
 * what changes no number (title, whether cells are kept; summaries are another matter). The same bits with the same
 * n_train; else the same to rounding: steps in which rows are taken together, and the way a curve is computed
 * (rl_grid), depend on the list of N, though no value does. */
rl_status rl_study_settings(const rl_study *study, rl_text *settings);

/* The index of an autoencoder, -1: none is named so. */
int rl_find_autoencoder(const rl_study *study, const char *name);

#endif
