/* plan: the grid of cells that a study describes, laid out as curves and trainings with their cost.
 *
 * Pure: the functions read memory (and, for data sets, files through `data`); nothing here communicates. */
#ifndef RIDGELESS_PLAN_H
#define RIDGELESS_PLAN_H

#include "ridgeless/rates.h"
#include "ridgeless/study.h"

/* How the curves of a dataset are computed. Never renumber: results files name them so in `provenance`. */
typedef enum rl_way {
    RL_WAY_SPECTRA,      /* every N by its own full spectrum on one rank (spectrum.h) */
    RL_WAY_NESTED,       /* all N of a curve from two factorizations on one rank (nested.h) */
    RL_WAY_GRID_SPECTRA, /* every N by its own full spectrum on a process grid (distributed.h) */
    RL_WAY_GRID_NESTED,  /* all N of a curve from two factorizations on a process grid (grid_curve.h) */
    RL_WAY_BULK,         /* full spectra of several curves side by side on one rank (bulk.h) */
    RL_WAY_UPDATED       /* full spectra on one rank, each from the one before it (updated.h) */
} rl_way;

/* For people: "full spectra", "nested factorization", both also "... on process grids"; "full spectra, repeats side by
 * side"; "full spectra, updated row by row". */
const char *rl_way_text(rl_way way);
bool rl_way_on_grid(rl_way way);

/* The cells of one dataset at one P = data.n_features: variants x n_train x repeats. The grids of a dataset stand one
 * after the other, P ascending. */
typedef struct rl_grid {
    const rl_study_dataset *spec; /* borrowed from the study */
    rl_dataset data;              /* a view of the plan's dataset */
    int *n_train;
    int n_n_train; /* ascending, distinct; each P has its own */
    int max_modes; /* min(largest n_train, P) */
    int n_points;  /* test points whose predictions are kept; 0: none */
    /* On a process grid where the rows are in blocks, where the study names a producer for one or how many ranks it
     * takes, else where LAPACK would take one rank more than RL_LAPACK_BYTES: never a matter of how many ranks there
     * are. Nested where full_spectra are but some; else where no producer is named, no variant needs modes or rows, no
     * modes or predictions are kept, the published arithmetic is not asked for (random: numpy), and, on one rank, it is
     * clearly cheaper. What is left to full spectra on one rank goes side by side where the features are few
     * (RL_BULK_FEATURES) and those of the data set itself, no variant needs rows, no producer is named, neither
     * directions nor predictions are kept, and it is cheaper; with random: numpy truncations alone (fit.h) whose
     * modes are not kept, which agree with the published arithmetic to eps x condition. What is left then is updated
     * row by row where no variant needs rows, no producer is named, neither modes nor predictions are kept, the
     * published arithmetic is not asked for, and it is clearly cheaper. */
    rl_way way;
    rl_producer producer; /* of full spectra */
    bool *sigma_wanted;   /* [n_n_train]: singular_values */
    bool *full;           /* [n_n_train]: full_spectra, where the way is nested; false for all otherwise */
    int64_t first_curve;  /* of the plan's */
    int n_parts;          /* curves of the plan that one repeat is cut into: 1, or n_n_train */
    int longest_span;     /* repeats that a curve of the plan has at most; 1 but for summaries */
} rl_grid;

#define RL_LAPACK_BYTES ((size_t)1 << 30)

/* The natural unit of work: all N of one (dataset, P, repeat), or one N of it where each is a large case of its own: N
 * = n_train[first_size] ... n_train[first_size + n_sizes - 1] of the grid. Of a data set of which summaries are kept,
 * a span of repeats [repeat, repeat + n_repeats) at once. Spans do not depend on the number of repeats, but that the
 * last one is cut off, nor on the list of N: see rl_span_end. */
typedef struct rl_curve {
    int grid, repeat;
    int first_size, n_sizes;
    int n_repeats; /* 1 but for summaries */
} rl_curve;

/* Some of the repeats of a curve, or of a study: [first, first + n). */
typedef struct rl_repeats {
    int first, n;
} rl_repeats;

/* One training of an autoencoder. */
typedef struct rl_training_case {
    int grid, i_hidden, i_n_train, repeat; /* indices of the plan's training_grids, and of the spec's lists */
} rl_training_case;

/* The trainings of one autoencoder: hidden x n_train x repeats. */
typedef struct rl_training_grid {
    const rl_study_autoencoder *spec; /* borrowed from the study */
    rl_key key;                       /* that its numbers are drawn by */
    int64_t first;                    /* of the plan's trainings */
} rl_training_grid;

typedef struct rl_plan {
    const rl_study *study; /* borrowed */
    rl_dataset *datasets;  /* [n_datasets]: those of the study that are there, in its order; owned */
    int n_datasets;
    rl_grid *grids; /* [n_grids] */
    int n_grids;
    rl_curve *curves; /* ordered by dataset, P, repeat, N: the order of the results */
    double *cost;     /* [n_curves], flops predicted */
    int64_t n_curves, n_spectra, n_cells;
    int64_t n_repeated;     /* curves, one for each repeat: n_curves but for spans */
    size_t memory_per_rank; /* bytes predicted: data sets, buffers of curves on one rank, and the largest record */
    rl_training_grid *training_grids;
    int n_training_grids;
    rl_training_case *trainings; /* ordered by autoencoder, m, T, repeat */
    int64_t n_trainings;
} rl_plan;

typedef struct rl_plan_options {
    const rl_data_path *path;
    bool skip_missing; /* leave out, with a warning, data sets whose files are not there */
    const char *const *datasets;
    int n_datasets; /* names of the data sets and autoencoders to lay out, the others are left out; 0: all */
} rl_plan_options;

/* Loads the data sets and lays out the grid. RL_ERR_INPUT when a file is missing (all missing ones are named, with how
 * to get them), an N leaves no training or no test row, or a name asked for is none of the study's. */
rl_status rl_plan_create(const rl_study *study, const rl_plan_options *options, rl_plan *plan);

/* The same from data sets that are already in memory, datasets[n], matched by name; takes them over, on failure too,
 * and leaves them empty (the array itself stays the caller's). Data sets of the study that are not among them are left
 * out of the plan. For other ranks. */
rl_status rl_plan_create_with(const rl_study *study, rl_dataset *datasets, int n, rl_plan *plan);
void rl_plan_destroy(rl_plan *plan);

/* Lays out the trainings of the study's autoencoders in a plan that has none; wanted[n_autoencoders], NULL: all.
 * rl_plan_create has done it, rl_plan_create_with has not. */
rl_status rl_plan_trainings(rl_plan *plan, const bool *wanted);

/* What one training of the plan trains; the same for people, like "`toy`, m = 2, T = 100, repeat 3", into text[size];
 * and the seconds that it takes on so many ranks, by a machine's rates. */
rl_autoencoder rl_training_model(const rl_plan *plan, int64_t training);
void rl_training_text(const rl_plan *plan, int64_t training, char *text, size_t size);
double rl_predict_training(const rl_plan *plan, int64_t training, int ranks, const rl_rates *rates);

/* What computing one curve takes on a process grid of `ranks` ranks, or on one rank where its way is on one, by a
 * machine's rates (case_cost.h). */
typedef struct rl_curve_cost {
    double seconds;
    double bytes; /* at most on one rank, beside its libraries, the plan and the data sets */
} rl_curve_cost;
rl_curve_cost rl_predict_curve(const rl_plan *plan, int64_t curve, int ranks, const rl_rates *rates);

/* The fewest ranks on which every case of the grid, whose way is on process grids, takes at most bytes_per_rank and the
 * libraries' integers can hold it. RL_ERR_INPUT where no number of ranks is enough. */
rl_status rl_fewest_ranks(const rl_study *study, const rl_grid *grid, double bytes_per_rank, int *ranks);

/* Whether a process grid of so many ranks holds every case of the grid. RL_ERR_INPUT says what does not fit, and how
 * many ranks would do. */
rl_status rl_check_ranks(const rl_study *study, const rl_grid *grid, int ranks, double bytes_per_rank);

/* A curve for people, like "`diabetes`, P = 10, repeat 3, N = 1 ... 39", into text[size]. */
void rl_curve_text(const rl_plan *plan, int64_t curve, char *text, size_t size);

/* Behind the last repeat of the span that begins at `first`, where spans have at most `longest` repeats (a power of
 * two): at least RL_SHORTEST_SPAN, and no more than an eighth of the repeats before it, so that there is something for
 * several ranks however many repeats there are. */
enum { RL_SHORTEST_SPAN = 8 };
int rl_span_end(int first, int longest);

/* The curve that has size i_n (an index of n_train) of a grid's repeat. */
int64_t rl_plan_curve(const rl_plan *plan, int grid, int repeat, int i_n);

/* Behind the last grid of the dataset that grid `first` is of: grids [first, end) are all its P. */
int rl_plan_end_of_dataset(const rl_plan *plan, int first);

#endif
