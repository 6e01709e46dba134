/* data: where rows of features and a target come from, and in which order a repeat takes them.
 *
 * A *source* (one file in src/data/sources/, one row of the table in source.c there) makes a *dataset*: read from files
 * or drawn. A *repeat* is one random order of a dataset's rows; the training set of size N is the first N rows of that
 * order and every other row is a test row, so training sets are nested in N. Nothing fits an intercept. All local.
 *
 * What a study works with are *views* of a dataset: its rows as P features, the first P of its own or those that a
 * feature map (feature_map.h) makes of them. */
#ifndef RIDGELESS_DATA_H
#define RIDGELESS_DATA_H

#include "ridgeless/core.h"
#include "ridgeless/feature_map.h"
#include "ridgeless/random.h"

/* A linear teacher: y = x_hidden . beta + noise * e, of which the student sees the first n_features coordinates of
 * x_hidden: independent normal numbers, or a point of a sphere. */
typedef struct rl_teacher {
    int n_hidden;
    double noise;   /* standard deviation */
    double *beta;   /* [n_hidden], owned */
    double *scale;  /* [n_hidden], owned: standard deviations of the features */
    bool isotropic; /* all of them 1 */
} rl_teacher;

/* A named function of one input on [low, high], sampled with noise; the test rows are sampled without. */
typedef struct rl_function {
    int which; /* index in the table of named functions */
    double low, high;
    double noise;    /* standard deviation */
    bool equispaced; /* inputs; else uniform */
    /* With RL_RANDOM_NUMPY: the inputs of all views and repeats, [n_views][n_repeats][rows that may train]; owned */
    double *drawn;
    int64_t n_drawn;
    int n_repeats;
} rl_function;

typedef struct rl_source rl_source;

/* Where the features of a table lie that is too large for memory. */
typedef struct rl_table_file {
    char *path;              /* of a NetCDF file; owned; NULL: there is no such table */
    char *features;          /* its variable (row, feature); owned */
    size_t slab_bytes;       /* of the rows that are in memory at a time; one row at least is */
    int64_t bytes, modified; /* size, and seconds of the last change, of the file when it was loaded */
} rl_table_file;

/* Rows are in one of three places: in memory (x), drawn when they are wanted (`fresh`), or in a file that is read by
 * blocks. Code for one rank (rl_rows_get and whoever calls it) works with the first two; rl_dataset_case_create of
 * `distributed` with all. */
typedef struct rl_dataset {
    char *name;   /* group in the results file; owned */
    char *origin; /* where the rows come from, for people: a path, or how they were drawn; owned */
    int n_rows, n_features;
    int n_dropped;   /* rows of the file left out because a value is missing */
    int n_test_only; /* so many rows are the last of every repeat: test rows at any N */
    double *x;       /* [n_rows, n_inputs], row-major, ld = n_inputs; owned. NULL when `fresh` or in blocks */
    double *y;       /* [n_rows]; owned. NULL when `fresh` */
    /* [n_features], owned: least squares on all rows; the population's when `fresh`. Of a dataset in blocks zeros,
     * until all ranks fill it by rl_distributed_least_squares. NULL: rl_rows has it, which makes the features. */
    double *beta_star;
    /* Of rows drawn with a known covariance that is not diagonal (gaussian), NULL otherwise; owned. */
    double *deviations;      /* [n_features]: standard deviations along the principal axes, descending */
    double *axes;            /* [n_features, n_features]: those axes, one a row, the largest component positive */
    rl_table_file file;      /* of a dataset in blocks; path NULL otherwise */
    bool fresh;              /* rows are drawn anew for each repeat */
    rl_teacher teacher;      /* of student-teacher and sphere; beta NULL otherwise */
    rl_function function;    /* of function */
    const rl_source *source; /* borrowed */
    uint64_t checksum; /* XXH3-64 over n_rows, n_features, x, y, or over the teacher: what the numbers depend on */
    int n_inputs;      /* numbers that a row has before the map: n_features without one */
    const rl_feature_map *map;     /* of a view; NULL: features are the inputs, as they are */
    const rl_options *map_options; /* borrowed */
    int view;                      /* which of the study's it is, from 0 */
} rl_dataset;

/* An array that a dataset owns: the address of its pointer, and how many items of how many bytes there are. */
typedef struct rl_dataset_array {
    void *pointer;
    size_t count, size;
} rl_dataset_array;
enum { RL_DATASET_TEXTS = 4, RL_DATASET_ARRAYS = 12 };

/* Every array that a dataset owns: texts with their zero byte, then arrays of numbers. Whoever frees, sends or counts a
 * dataset goes by this list, so that a new field is named once. A pointer may be NULL; the count is then that of the
 * array that could be there, and 0 for a text. */
void rl_dataset_arrays(rl_dataset *dataset, rl_dataset_array arrays[RL_DATASET_ARRAYS]);

/* Bytes of the arrays of numbers that are there; the texts come to next to nothing. */
size_t rl_dataset_bytes(const rl_dataset *dataset);

/* Not for a view, which owns nothing. */
void rl_dataset_destroy(rl_dataset *dataset);

/* How a study looks at a dataset. */
typedef struct rl_view_request {
    const rl_feature_map *map; /* NULL: the identity */
    const rl_options *options; /* checked against the map's specs; NULL with the identity */
    int n_features;            /* 0: all that the dataset has, with the identity */
    int index;                 /* from 0, in ascending order of n_features */
} rl_view_request;

/* *view: the dataset as so many features. It borrows everything from `dataset` and the request. RL_ERR_INPUT: the map
 * does not take so many inputs or those values, there are not as many features, or the rows are in blocks. */
rl_status rl_dataset_view(const rl_dataset *dataset, const rl_view_request *request, rl_dataset *view);

/* Whether rows are independent normal features of known standard deviations with a linear teacher: errors over the
 * population are known then. */
bool rl_dataset_design_known(const rl_dataset *dataset);

/* The map at work, and the task, where the asymptotic theory of a map may hold: rows on a sphere. false: it does not.
 * n_train of the task is the caller's to set. */
bool rl_dataset_sphere_task(const rl_dataset *dataset, rl_sphere_task *task);

/* Whether the features stay in their file: x is NULL, and rows are dealt out to process grids alone. */
bool rl_dataset_in_blocks(const rl_dataset *dataset);

/* The variance of a fresh dataset's target that no linear function of the student's features explains:
 * |beta of the features the student does not see|^2 + noise^2. */
double rl_dataset_residual_variance(const rl_dataset *dataset);

/* The standard deviations [n_features] of a fresh dataset's features; NULL: all 1, or not known. Borrowed. */
const double *rl_dataset_scale(const rl_dataset *dataset);

/* ---- sources ---------------------------------------------------------------------------------------------------- */

/* Where data files are looked for, in this order: option (--data), environment ($RIDGELESS_DATA), then the folders of
 * the installation. */
typedef struct rl_data_path {
    char *folders[5]; /* owned; absent ones NULL */
    int n_folders;
} rl_data_path;

/* `option` may be NULL. The installed folders are ../share/ridgeless/data beside the running program's folder, the
 * compiled-in data folder, and jobs/data of the source tree that it was built from. */
rl_status rl_data_path_create(rl_data_path *path, const char *option);
void rl_data_path_destroy(rl_data_path *path);

/* Writes into *found (owned by the caller) the first folder/file that exists as a regular file. RL_ERR_INPUT with a
 * message that lists every folder looked in otherwise. */
rl_status rl_data_path_find(const rl_data_path *path, const char *file, char **found);

typedef struct rl_source_request {
    const char *name;          /* the dataset's name in the study */
    const rl_options *options; /* checked against the source's specs */
    const rl_data_path *path;
    const char *base_folder; /* of the study file: relative file names start here first; may be NULL */
    rl_random_kind random;
    uint64_t seed;
    int n_views, n_repeats; /* of the study; 0 counts as 1 */
} rl_source_request;

/* What fresh rows of a source are like, where more is known of them than how they are drawn. */
typedef enum rl_inputs_law {
    RL_INPUTS_ANY,
    RL_INPUTS_NORMAL, /* independent normal features with a linear teacher, which is the population's best model */
    RL_INPUTS_SPHERE  /* uniform on a sphere, with a linear teacher */
} rl_inputs_law;

struct rl_source {
    const char *name;         /* student-teacher, california, ... */
    const char *summary;      /* one line for `ridgeless datasets` */
    const char *const *files; /* names of its data files, NULL-terminated; NULL when it needs none */
    const char *how_to_get;   /* what to do when a file is missing; NULL when it needs none */
    const rl_option_spec *options;
    int n_options;
    /* Fills origin, n_rows, n_features, n_dropped, n_test_only, and x and y, y and file, or what fresh rows are drawn
     * from. rl_dataset_load does the rest. */
    rl_status (*load)(const rl_source_request *request, rl_dataset *dataset);
    /* Draws row `row` of a repeat: inputs [n_inputs] and *y. NULL: rows are never fresh. */
    void (*draw)(const rl_dataset *dataset, rl_key key, uint32_t repeat, int row, double *inputs, double *y);
    /* With RL_RANDOM_NUMPY one generator draws for all views and repeats in a row: other n_views or n_repeats, other
     * numbers. */
    bool draws_in_a_row;
    rl_inputs_law law;
};

/* The table: every source, NULL-terminated. */
extern const rl_source *const rl_sources[];

/* NULL when there is none of that name. */
const rl_source *rl_source_find(const char *name);

/* Whether all files of the source are there. *missing: the first that is not (a static string), or NULL. */
bool rl_source_available(const rl_source *source, const rl_data_path *path, const char **missing);

/* Makes the dataset: source->load, then refuses NaN and infinity, computes beta_star (by normal equations, as the
 * published program does, with RL_RANDOM_NUMPY; else QR, with column pivoting when all rows are rank-deficient: the
 * minimum-norm one) and the checksum. A dataset in blocks is read through once, has the checksum that it would have in
 * memory, and is left without beta_star. The caller owns *dataset; on failure it is empty. */
rl_status rl_dataset_load(const rl_source *source, const rl_source_request *request, rl_dataset *dataset);

/* ---- tables ------------------------------------------------------------------------------------------------------ */

typedef enum rl_standardize {
    RL_STANDARDIZE_NONE,
    RL_STANDARDIZE_CENTER,    /* minus the column's mean */
    RL_STANDARDIZE_UNIT_NORM, /* then divided by its Euclidean norm */
    RL_STANDARDIZE_Z_SCORE    /* or by its population standard deviation */
} rl_standardize;
#define RL_STANDARDIZE_CHOICES "none|center|unit-norm|z-score"

/* Applies it in place to x [n_rows, n_features] row-major. `what` names the table in the message about a constant
 * column, which cannot be scaled. */
rl_status rl_standardize_columns(rl_standardize how, int n_rows, int n_features, double *x, const char *what);

/* A table of text read from a delimited file (plain or gzip): quotes as in RFC 4180. */
typedef struct rl_table {
    int n_rows, n_columns;
    char **cells;  /* [n_rows * n_columns], blanks around them stripped */
    char **header; /* [n_columns]; NULL without a header line */
    int *lines;    /* [n_rows]: line of the file */
    char *path;
    char *bytes; /* what cells and header point into */
} rl_table;

typedef struct rl_table_format {
    char delimiter; /* ' ' means any run of blanks */
    bool has_header;
    size_t limit; /* bytes, uncompressed; 0: RL_TABLE_LIMIT */
} rl_table_format;
#define RL_TABLE_LIMIT     ((size_t)1 << 30)
#define RL_TABLE_ROW_LIMIT ((size_t)1 << 26) /* bytes of one row */

/* RL_ERR_INPUT with file and line: missing, a directory, empty, larger than the limit, binary, a damaged gzip file, a
 * row beyond its limit, a stray quote, a row with another number of cells. Blank lines are passed over. */
rl_status rl_table_read(const char *path, rl_table_format format, rl_table *table);
void rl_table_destroy(rl_table *table);

/* The column called `name`, or, when `name` is a number and no column is called so, the column of that number (from 1).
 * RL_ERR_INPUT lists the columns that there are. */
rl_status rl_table_column(const rl_table *table, const char *name, int *column);

/* Turns the chosen columns into numbers: x [n_kept, n_features] row-major and y [n_kept], both owned by the dataset.
 * Rows with a missing value ("", NA, null, ?) in any column of the file (`any_column`) or in the chosen ones are
 * dropped and counted; any other text that is not a finite number, NaN included, is RL_ERR_INPUT with file, line and
 * column. So is a table of which no row is left. */
typedef struct rl_table_choice {
    const int *features; /* column indices */
    int n_features;
    int target; /* -1: none, y stays NULL */
    bool any_column;
} rl_table_choice;
rl_status rl_table_numbers(const rl_table *table, const rl_table_choice *choice, rl_dataset *dataset);

/* ---- tables that are read by blocks ------------------------------------------------------------------------------ */

#define RL_SLAB_BYTES ((size_t)32 << 20)

/* The open table of a dataset in blocks. */
typedef struct rl_table_blocks rl_table_blocks;

/* RL_ERR_IO when the file cannot be read or is not the one that was loaded any more. Any process that sees the file may
 * read it. Closed by rl_table_blocks_close, which allows NULL. */
rl_status rl_table_blocks_open(const rl_dataset *dataset, rl_table_blocks **blocks);
void rl_table_blocks_close(rl_table_blocks *blocks);

/* How many rows to read at a time, from a multiple of it on: as many as slab_bytes hold, and where it can be, whole
 * chunks of the file. */
int rl_table_blocks_height(const rl_table_blocks *blocks);

/* Reads rows first ... first + count - 1 of the file: rows [count, n_features], row-major. RL_ERR_INPUT names the row
 * and feature of a value that is missing or not finite; RL_ERR_IO when reading fails. */
rl_status rl_table_blocks_read(rl_table_blocks *blocks, int first, int count, double *rows);

/* ---- the rows of a repeat --------------------------------------------------------------------------------------- */

/* The rows of one repeat in their order. Reused from repeat to repeat. */
typedef struct rl_rows {
    const rl_dataset *dataset; /* borrowed */
    rl_random_kind random;
    rl_key key;
    uint32_t repeat;
    int *order; /* [n_rows], owned; not used when the dataset is fresh */
    /* Of a view whose features are made: all rows, those of a fresh dataset in their order and others as they stand in
     * the dataset. */
    bool made;
    rl_map_use use;
    double *inputs, *y; /* [n_rows, n_inputs], [n_rows]: owned where the dataset is fresh, else the dataset's */
    double *x;          /* [n_rows, n_features], owned */
    double *beta_star;  /* [n_features], owned */
} rl_rows;

/* `seed`: the study's. */
rl_status rl_rows_create(rl_rows *rows, const rl_dataset *dataset, rl_random_kind random, uint64_t seed);
void rl_rows_destroy(rl_rows *rows);

/* Puts the rows in the order of `repeat`: a random permutation read from its end, so that the first N rows are its last
 * N entries (the published split; with RL_RANDOM_NUMPY it is RandomState(repeat).permutation(n_rows)). Rows that are
 * test rows at any N come last, in the dataset's order. Makes the features of a view that makes its own, and their best
 * linear model: minimum-norm least squares on all rows of the repeat, which interpolates them where there are more
 * features than rows. RL_ERR_INPUT when those are not finite. */
rl_status rl_rows_arrange(rl_rows *rows, uint32_t repeat);

/* Of a dataset that is not fresh and has no map: the first n_first rows alone come into the order of `repeat`, which
 * takes little time however many there are; where the others are is open. */
void rl_rows_arrange_first(rl_rows *rows, uint32_t repeat, int n_first);

/* [n_features]: the best linear model of the rows as they are arranged. Borrowed. */
const double *rl_rows_beta_star(const rl_rows *rows);

/* Not of a dataset in blocks. Copies rows first ... first + count - 1 of the order: features to x [count, n_features],
 * row-major with leading dimension ldx, targets to y [count]. */
void rl_rows_get(const rl_rows *rows, int first, int count, double *x, int ldx, double *y);

#endif
