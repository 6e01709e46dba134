/* data: where rows of features and a target come from, and the order in which a repeat takes them.
 *
 * A *source* (one file in src/data/sources/, one row of the table in source.c there) makes a *dataset*: read from files
 * or drawn. A *repeat* is one random order of a dataset's rows; the training set of size N is the first N rows of that
 * order and every other row is a test row, so training sets are nested in N. All local.
 *
 * What a study works with are *views* of a dataset: its rows as P features, the first P of its own or those that a
 * feature map (feature_map.h) makes of them.
 *
 * With an *intercept* there is a column of ones before these, and it is a feature like any other: n_features counts it,
 * and algorithms do not know of it. It stands first, where every view has it. */
#ifndef RIDGELESS_DATA_H
#define RIDGELESS_DATA_H

#include "ridgeless/core.h"
#include "ridgeless/feature_map.h"
#include "ridgeless/random.h"

/* A linear teacher: y = x_hidden . beta + noise * e, with e standard normal. x_hidden is a vector of independent normal
 * numbers or a point of a sphere; the student, which is the model that a study fits, sees its first n_features
 * coordinates. */
typedef struct rl_teacher {
    int n_hidden;
    double noise;   /* standard deviation */
    double *beta;   /* [n_hidden], owned */
    double *scale;  /* [n_hidden], owned: standard deviations of the features */
    bool isotropic; /* all standard deviations are 1 */
} rl_teacher;

/* A named function of one input on [low, high]. Training rows are sampled with noise, test rows without. */
typedef struct rl_function {
    int which; /* index in the table of named functions */
    double low, high;
    double noise;    /* standard deviation */
    bool equispaced; /* the inputs of training rows; else uniform random */
    /* With RL_RANDOM_NUMPY: the inputs of all views and repeats, [n_views, n_repeats, rows that may train], row-major;
     * owned. NULL otherwise. */
    double *drawn;
    int64_t n_drawn;
    int n_repeats;
} rl_function;

typedef struct rl_source rl_source;

/* The file of a table that is too large for memory. */
typedef struct rl_table_file {
    char *path;        /* of a NetCDF file; owned. NULL: the dataset has no such table */
    char *layout;      /* how its features are read, a text of table_blocks.c's; owned */
    int *rows;         /* [n_rows], owned: which rows of the file they are; NULL: all, in turn */
    size_t slab_bytes; /* a slab is the rows that are in memory at a time: about so many bytes, at least one row */
    int64_t bytes;     /* size of the file when it was loaded */
    int64_t modified;  /* time of its last change then, in seconds since 1970 */
} rl_table_file;

/* Rows are in one of three places: in memory (x), drawn when they are needed (`fresh`), or in a file that is read block
 * by block. Code for one rank (rl_rows_get and its callers) works with the first two places, rl_dataset_case_create of
 * `distributed` with all three. */
typedef struct rl_dataset {
    char *name;   /* group in the results file; owned */
    char *origin; /* where the rows come from, for people: a path, or how they were drawn; owned */
    int n_rows, n_features;
    /* Rank of the features of all rows: singular values, in the units of the data, above max(n_rows, n_features) eps
     * times the largest. Where the features are not the same rows in every repeat or stay in a file, and where the rank
     * has not been looked for, n_features. */
    int rank;
    bool scales_apart; /* columns differ in length by more than a million, which makes the rank of all of them lower */
    int *view_ranks;   /* [n_views], owned: those of a study's views, where they have been looked for; else NULL */
    int n_views;
    bool intercept;  /* feature 0 is 1 in every row */
    int n_dropped;   /* rows of the file that were left out because a value is missing */
    int n_test_only; /* the last so many rows of every repeat are test rows at any N */
    /* [n_rows, n_inputs], row-major; owned. With an intercept, before each row of inputs there is a 1. NULL when
     * `fresh` or in blocks. */
    double *x;
    double *y; /* [n_rows]; owned. NULL when `fresh` */
    /* [n_features], owned. The best linear model: least squares on all rows, or the population's when `fresh`. In a
     * dataset in blocks it is zero until all ranks fill it by rl_distributed_least_squares. NULL: each repeat makes its
     * own, see rl_rows_beta_star. */
    double *beta_star;
    double *scale; /* [n_features], owned: what rl_dataset_scale returns where it is not the teacher's; else NULL */
    /* Both of rows drawn with a known covariance that is not diagonal (source `gaussian`), NULL otherwise; owned. */
    double *deviations;      /* [n_features]: root mean squares along the principal axes of E x x^T, descending */
    double *axes;            /* [n_features, n_features]: one axis per row, with its largest component positive */
    rl_table_file file;      /* of a dataset in blocks; path NULL otherwise */
    bool fresh;              /* rows are drawn anew for each repeat */
    rl_teacher teacher;      /* of the sources `student-teacher` and `sphere`; beta NULL otherwise */
    rl_function function;    /* of the source `function` */
    const rl_source *source; /* borrowed */
    uint64_t checksum; /* XXH3-64 of all that the numbers depend on: n_rows, n_features, x and y, or the teacher */
    int n_inputs;      /* numbers per row before the map, without the 1; all other features where there is no map */
    const rl_feature_map *map;     /* of a view; NULL: the features are the inputs */
    const rl_options *map_options; /* borrowed */
    int view;                      /* index of the view among those of the study, from 0 */
    /* What people call the features, as "column `age`", and what study files do: two texts for each, in turn; owned.
     * NULL: they have numbers alone. */
    char *feature_names;
    size_t n_feature_names; /* bytes of all, each with a zero byte */
} rl_dataset;

/* An array that a dataset owns: the address of its pointer, and how many items of how many bytes there are. */
typedef struct rl_dataset_array {
    void *pointer;
    size_t count, size;
} rl_dataset_array;
enum { RL_FEATURE_TEXT = 200 }; /* bytes */
enum { RL_DATASET_TEXTS = 4, RL_DATASET_ARRAYS = 16 };

/* Every array that a dataset owns: texts with their zero byte, then arrays of numbers. Whoever frees, sends or counts a
 * dataset goes by this list, so that a new field is named once. A pointer may be NULL; the count is then that of the
 * array that could be there, and 0 for a text. */
void rl_dataset_arrays(rl_dataset *dataset, rl_dataset_array arrays[RL_DATASET_ARRAYS]);

/* Bytes allocated for the arrays of numbers that are there; the texts come to next to nothing. */
size_t rl_dataset_bytes(const rl_dataset *dataset);

/* What a message calls feature j, from 0: "column `age`"; "feature 4" where it has no name, or a map made it; "the
 * intercept". */
const char *rl_feature_text(const rl_dataset *dataset, int j, char text[RL_FEATURE_TEXT]);

/* What a study file calls feature j of a table, which has no intercept yet, in a list; borrowed. NULL: features have no
 * names. */
const char *rl_feature_key(const rl_dataset *dataset, int j);

/* Not for a view, which owns nothing. */
void rl_dataset_destroy(rl_dataset *dataset);

/* What a view is to be. */
typedef struct rl_view_request {
    const rl_feature_map *map; /* NULL: the identity */
    const rl_options *options; /* checked against the map's specs; NULL with the identity */
    int n_features;            /* without that of an intercept; 0, with the identity alone: all that the dataset has */
    int index;                 /* from 0, in ascending order of n_features */
} rl_view_request;

/* Makes *view: the dataset with the features that the request asks for. It borrows everything from `dataset` and the
 * request, and owns nothing. RL_ERR_INPUT: the map does not take that many inputs or such values, the dataset has fewer
 * features, or its rows are in blocks, which take neither a map nor fewer features. */
rl_status rl_dataset_view(const rl_dataset *dataset, const rl_view_request *request, rl_dataset *view);

/* Looks for the ranks of views, n of them, all with the same map, in ascending order of their n_features: one
 * factorization serves all, as features are nested in P. Fails as rl_dataset_view does. */
rl_status rl_dataset_find_ranks(rl_dataset *dataset, const rl_view_request *views, int n, rl_random_kind random,
                                uint64_t seed);

/* The N at which least squares begins to interpolate: the rank, where that is below both the features and the rows;
 * else n_features, as few rows do not tell what rank more of them would have. At least 1. */
int rl_dataset_threshold(const rl_dataset *dataset);

/* ranks[n]: of the first n_leading[i] columns of x [n_rows, n_features], row-major, each by the rule of rl_dataset. */
rl_status rl_leading_ranks(int n_rows, int n_features, const double *x, int n, const int *n_leading, int *ranks);

/* Whether each repeat has features of its own. */
bool rl_dataset_varies(const rl_dataset *dataset);

/* Whether the features, but for an intercept, are independent normal numbers of known standard deviations and the
 * target is a linear teacher's: the errors over the population are known then. */
bool rl_dataset_design_known(const rl_dataset *dataset);

/* Fills *task (but for n_train, which the caller sets) and returns true where the asymptotic theory of the view's map
 * may hold: the map has one, and the rows lie on a sphere. */
bool rl_dataset_sphere_task(const rl_dataset *dataset, rl_sphere_task *task);

/* Whether the features stay in their file: x is NULL then, and only process grids can take the rows. */
bool rl_dataset_in_blocks(const rl_dataset *dataset);

/* Which row of its file, from 0, a row of a dataset in blocks is: those with a missing value are left out. */
int rl_dataset_file_row(const rl_dataset *dataset, int row);

/* The part of the variance of a fresh dataset's target that no linear function of the student's features explains:
 * the sum of (scale * beta)^2 over the features that the student does not see, and noise^2. */
double rl_dataset_residual_variance(const rl_dataset *dataset);

/* The root mean squares [n_features] of a fresh dataset's features, which are their standard deviations, and 1 of an
 * intercept; NULL: all 1, or not known. Borrowed. */
const double *rl_dataset_scale(const rl_dataset *dataset);

/* How many features of a linear teacher there are before standard deviations fall to a third or less of those before:
 * steps[], ascending, and their number is returned. There the test error has peaks of its own. 0: there are more than
 * RL_MOST_STEPS, standard deviations rise somewhere, or the features are not independent. */
enum { RL_MOST_STEPS = 32 };
int rl_dataset_steps(const rl_dataset *dataset, int steps[RL_MOST_STEPS]);

/* What the target costs who predicts without a fit: nothing, that is 0, or the targets' mean. */
typedef struct rl_target_moments {
    double mean_square, variance;
    const char *of; /* what they are taken of, after "the mean square": "of all rows"; a static string */
} rl_target_moments;

/* Whether the targets in memory have exactly two values, the smaller one first. */
bool rl_dataset_two_targets(const rl_dataset *data, double targets[2]);

/* Fills *moments: the population's of fresh rows with a linear teacher; else of the rows that are test rows at any N,
 * where there are such; else of all rows of a table, or of all rows of all repeats when they are fresh. `seed` and
 * n_repeats are the study's. The targets are as the fits see them. */
rl_status rl_dataset_target_moments(const rl_dataset *dataset, uint64_t seed, int n_repeats,
                                    rl_target_moments *moments);

/* ---- sources ---------------------------------------------------------------------------------------------------- */

/* The folders in which data files are looked for, in this order: that of the option --data, that of the environment
 * variable RIDGELESS_DATA, then those of the installation. */
typedef struct rl_data_path {
    char *folders[5]; /* owned; absent ones NULL */
    int n_folders;
} rl_data_path;

/* `option` may be NULL. The folders of the installation are ../share/ridgeless/data seen from the running program's
 * folder, the data folder that was compiled in, and jobs/data of the source tree that the program was built from. */
rl_status rl_data_path_create(rl_data_path *path, const char *option);
void rl_data_path_destroy(rl_data_path *path);

/* Writes into *found (owned by the caller) the path of the first regular file of that name. RL_ERR_INPUT, with a
 * message that lists all folders, when there is none. */
rl_status rl_data_path_find(const rl_data_path *path, const char *file, char **found);

typedef struct rl_source_request {
    const char *name;          /* the dataset's name in the study */
    const rl_options *options; /* checked against the source's specs */
    const rl_data_path *path;
    const char *base_folder; /* of the study file, where relative file names are looked for first; may be NULL */
    rl_random_kind random;
    uint64_t seed;
    int n_views, n_repeats; /* of the study; 0 counts as 1 */
    bool intercept;
} rl_source_request;

/* What is known of the fresh rows of a source, beside how they are drawn. */
typedef enum rl_inputs_law {
    RL_INPUTS_ANY,
    RL_INPUTS_NORMAL, /* independent normal features with a linear teacher, the best linear model of the population */
    RL_INPUTS_SPHERE  /* uniform on a sphere, with a linear teacher */
} rl_inputs_law;

struct rl_source {
    const char *name;         /* student-teacher, california, ... */
    const char *summary;      /* one line for `ridgeless datasets` */
    const char *const *files; /* names of the data files that it needs, NULL-terminated; NULL: it needs none */
    const char *how_to_get;   /* what to do when a file is missing; NULL: it needs none */
    const rl_option_spec *options;
    int n_options;
    /* Fills origin, n_rows, n_features, n_dropped and n_test_only; and x and y (rows in memory), y and file (rows in
     * blocks), or the teacher or function (fresh rows). rl_dataset_load sets name and source before and does the rest,
     * the intercept too. */
    rl_status (*load)(const rl_source_request *request, rl_dataset *dataset);
    /* Draws row `row` of a repeat: inputs [n_inputs] and *y. NULL: rows are never fresh. */
    void (*draw)(const rl_dataset *dataset, rl_key key, uint32_t repeat, int row, double *inputs, double *y);
    /* With RL_RANDOM_NUMPY one generator draws for all views and all repeats in turn, so that the numbers depend on
     * n_views and n_repeats. */
    bool draws_in_a_row;
    rl_inputs_law law;
};

/* The table: every source, NULL-terminated. */
extern const rl_source *const rl_sources[];

/* NULL when there is none of that name. */
const rl_source *rl_source_find(const char *name);

/* Whether all files of the source are there. *missing: the name of the first that is not (a static string), or NULL. */
bool rl_source_available(const rl_source *source, const rl_data_path *path, const char **missing);

/* Makes the dataset: calls source->load, refuses NaN and infinity, computes beta_star and the checksum. beta_star is
 * the minimum-norm least squares by QR with column pivoting, or by singular values where the rank is below the rows and
 * the features; with RL_RANDOM_NUMPY and n_features for a rank it comes from the normal equations, as in the published
 * program. A dataset in blocks is read through once: it has the checksum
 * that it would have in memory, and zeros for beta_star. Fresh rows have that of the teacher, or none. The caller owns
 * *dataset; on failure it is empty. */
rl_status rl_dataset_load(const rl_source *source, const rl_source_request *request, rl_dataset *dataset);

/* ---- tables ------------------------------------------------------------------------------------------------------ */

typedef enum rl_standardize {
    RL_STANDARDIZE_NONE,
    RL_STANDARDIZE_CENTER,    /* minus the column's mean */
    RL_STANDARDIZE_UNIT_NORM, /* then divided by its Euclidean norm */
    RL_STANDARDIZE_Z_SCORE    /* or by its population standard deviation */
} rl_standardize;
#define RL_STANDARDIZE_CHOICES "none|center|unit-norm|z-score"

/* How far numbers that should be alike, like 0.1 + 0.2 and 0.3, or a mean of equal ones, are apart at most, relative to
 * the largest: of doubles, and of numbers that were stored as floats. */
#define RL_ROUNDING_OF_DOUBLES 0x1p-48
#define RL_ROUNDING_OF_FLOATS  0x1p-21

/* How far apart numbers are that are taken one by one; {0}: none yet. */
typedef struct rl_spread {
    bool some, has_fractions;
    double least, most;
} rl_spread;
void rl_spread_take(rl_spread *spread, double value);

/* Whether they differ by no more than `rounding`; so do none. Whole numbers below 1 / rounding are never rounded, and
 * differ where they do. */
bool rl_spread_is_constant(const rl_spread *spread, double rounding);

/* Standardizes the features, which are in memory. A column that is constant but for `rounding` is exactly zero when it
 * is centred, and to scale it is RL_ERR_INPUT, with a message that names the column. */
rl_status rl_standardize_features(rl_standardize how, double rounding, rl_dataset *dataset);

/* The name of a column, and its index, from 0. */
typedef struct rl_column_name {
    const char *name; /* borrowed */
    int column;
} rl_column_name;

/* The columns of a table, by which a study names them: those of a text, or the variables of a NetCDF file. */
typedef struct rl_columns {
    const char *table; /* its path, for messages */
    const char *kind;  /* what people call one: "column" */
    char root;         /* a character that a study may put before any name, as '/' before a path; 0: none */
    int n;
    const char *const *names; /* [n], borrowed, with their blanks folded (rl_fold_blanks); "": this one has none. NULL:
                                 none has one */
    const rl_column_name *sorted; /* [n], borrowed: the names as rl_columns_sort has them; NULL: as before */
} rl_columns;

/* Sets *sorted, owned by the caller, to the names in the order of strcmp; the same names in the order of the columns.
 * There may be a million of them. */
rl_status rl_columns_sort(const char *const *names, int n, rl_column_name **sorted);

/* Sets *column to the index, from 0, of the column called `name`, whatever white space is in it; where none is called
 * so and `name` is a number, to that of the column of this number, from 1. RL_ERR_INPUT, with what may have been meant
 * and a list of the columns, when there is none. */
rl_status rl_columns_find(const rl_columns *columns, const char *name, int *column);

/* Appends "`one`, `two`, 3": names of columns, or numbers where there is none; of very many the first. */
rl_status rl_columns_list(const rl_columns *columns, rl_text *names);

/* Whether a study file can call a column by its name, because no other is called so; or by its number, because none has
 * that for a name. The third appends what a study file calls it: "2-2" where another has its number for a name. */
bool rl_column_goes_by_name(const rl_columns *columns, int column);
bool rl_column_goes_by_number(const rl_columns *columns, int column);
rl_status rl_column_append(const rl_columns *columns, int column, rl_text *text);

/* Writes "column `name`" into `text`, or "column 3" where it has no name, and returns it. */
enum { RL_COLUMN_TEXT = 200 };
const char *rl_column_text(const rl_columns *columns, int column, char text[RL_COLUMN_TEXT]);

/* Names the features of a dataset: they are these columns, from the first on. */
rl_status rl_dataset_name_features(rl_dataset *dataset, const rl_columns *columns, const int *features, int n);

/* What a study takes for a missing value, beside what always is one. */
typedef struct rl_missing {
    char *const *words; /* [n_words], borrowed */
    int n_words;
    double *numbers; /* [n_numbers], owned: those of the words that are numbers */
    int n_numbers;
} rl_missing;

/* To be destroyed, on failure too. One of zeros adds nothing. */
rl_status rl_missing_create(rl_missing *missing, char *const *words, int n);
void rl_missing_destroy(rl_missing *missing);

/* Whether a word stands for a missing value: it is empty, `?`, one that pandas takes so, like NA or NaN, or one of the
 * study's; and whether a number is one of the study's, however it is written. */
bool rl_missing_has_word(const rl_missing *missing, const char *word);
bool rl_missing_has_number(const rl_missing *missing, double number);

/* How numbers are written in a table. */
typedef enum rl_thousands {
    RL_THOUSANDS_NONE,
    RL_THOUSANDS_COMMA,
    RL_THOUSANDS_POINT,
    RL_THOUSANDS_SPACE, /* also one that does not break a line, or is narrow */
    RL_THOUSANDS_APOSTROPHE,
    RL_THOUSANDS_UNDERSCORE
} rl_thousands;
extern const char *const rl_thousands_words[]; /* those of the choices */
#define RL_THOUSANDS_CHOICES "none|comma|point|space|apostrophe|underscore"
typedef struct rl_marks {
    bool decimal_comma;
    rl_thousands thousands; /* what stands between groups of three digits, the last of which is one of three */
} rl_marks;
#define RL_DECIMAL_CHOICES "point|comma"

/* As rl_parse_real, of a number with these marks. */
bool rl_parse_marked(const char *text, rl_marks marks, double *value);

/* Whether no mark stands for two things at once. */
bool rl_marks_fit(rl_marks marks, char delimiter);

/* Appends "`decimal: comma`" and so on: the keys of a study file that say so where it has other marks instead. */
rl_status rl_marks_append_keys(rl_marks marks, rl_marks instead, rl_text *text);

/* Lines of a file, counted from 1, both included. */
typedef struct rl_lines {
    int first, last;
} rl_lines;

typedef struct rl_table_format {
    char delimiter; /* ' ' means any run of blanks */
    bool has_header;
    char comment;            /* begins what is passed over up to the end of a line; 0: nothing does */
    int skip;                /* lines before the table */
    const rl_lines *skipped; /* [n_skipped]: lines that are passed over, too; borrowed while the table is read */
    int n_skipped;
    rl_marks marks;
    const rl_missing *missing; /* borrowed; NULL: nothing but what always is */
    size_t limit;              /* bytes, uncompressed; 0: RL_TABLE_LIMIT */
    size_t enough;             /* behind so many bytes no row is begun but the first; 0: the whole table is read */
} rl_table_format;

/* A table of text read from a delimited file (plain or gzip): quotes as in RFC 4180; a quote within a cell that does
 * not begin with one is a character like any other. Where each row has a cell more than the header, and that is empty,
 * it is no column; where it is not empty, the first column has no name, and its cells are names of rows. */
typedef struct rl_table {
    int n_rows, n_columns;
    char **cells;           /* [n_rows, n_columns], row-major, without the blanks around them; owned */
    char **header;          /* [n_columns], with blanks folded; owned; NULL without a header line */
    rl_column_name *sorted; /* [n_columns], owned: the same names in their order; NULL without a header line */
    bool row_names;         /* the header has no cell for the first column */
    int *lines;             /* [n_rows], owned: the line of the file in which each row begins, from 1 */
    rl_table_format format; /* that it was read by */
    int bad_line;           /* the first that is not UTF-8; 0: there is none */
    unsigned char bad_byte; /* in it */
    char *path;             /* owned */
    char *bytes;            /* the memory that cells and header point into; owned */
} rl_table;

/* What may separate cells, in the words of study files; and the characters in the same order, with a zero byte. */
#define RL_DELIMITER_CHOICES "comma|semicolon|tab|pipe|space"
#define RL_DELIMITERS        ",;\t| "
extern const char *const rl_delimiter_words[]; /* one for each of RL_DELIMITERS */
#define RL_TABLE_LIMIT     ((size_t)1 << 30)
#define RL_TABLE_ROW_LIMIT ((size_t)1 << 26) /* bytes of one row */

/* Reads a table and skips blank lines. RL_ERR_INPUT, with file and line, when the file is missing, a directory, empty,
 * larger than the limit, not text or a damaged gzip file, and when a row is longer than its limit, has a quote that is
 * never closed or has another number of cells than the first. Then the table is empty but for its format: one that may
 * read it, where that is known. */
rl_status rl_table_read(const char *path, rl_table_format format, rl_table *table);
void rl_table_destroy(rl_table *table);

/* Borrowed from the table. */
rl_columns rl_table_columns(const rl_table *table);

/* Fails with RL_ERR_INPUT and a message on the first byte that is not UTF-8. */
rl_status rl_table_fail_encoding(const rl_table *table);

static inline const char *rl_table_cell(const rl_table *table, int row, int column) {
    return table->cells[(size_t)row * (size_t)table->n_columns + (size_t)column];
}

/* What a cell holds; *value is set for a finite number. */
typedef enum rl_content { RL_HOLDS_NUMBER, RL_HOLDS_NOTHING, RL_HOLDS_TEXT } rl_content;
rl_content rl_table_parse(const rl_table *table, const char *cell, double *value);
bool rl_table_misses(const rl_table *table, const char *cell);

/* Whether the header line looks like a row of data: its names are numbers. */
bool rl_table_header_is_data(const rl_table *table);

/* The marks by which all values of a column are numbers, where it has some, in found[RL_MARKS_MOST]; their number is
 * returned. */
enum { RL_MARKS_MOST = 12 };
int rl_table_find_marks(const rl_table *table, int column, rl_marks found[RL_MARKS_MOST]);

typedef struct rl_table_choice {
    const int *features; /* [n_features]: indices of columns */
    int n_features;
    int target;      /* index of a column; -1: none, and y stays NULL */
    bool any_column; /* drop rows with a missing value in any column of the file, not just in the chosen ones */
    bool by_study;   /* a study file reads the table: messages say which of its keys help */
} rl_table_choice;

/* Turns the chosen columns into numbers: x [n_rows, n_features], row-major, and y [n_rows], both owned by the dataset,
 * with n_rows, n_features, n_dropped and the names of the features. Rows with a missing value are dropped.
 * RL_ERR_INPUT, with file, line and column, for any other text that is not a finite number (NaN is none), and when no
 * row is left. */
rl_status rl_table_numbers(const rl_table *table, const rl_table_choice *choice, rl_dataset *dataset);

/* Reads a table of which only the path is known; table->format is what it was read by. The delimiter is the one that
 * makes the most columns; comments, lines before the table, and the marks of numbers are found out where they are plain
 * to see; there is no header line where the first line holds nothing but numbers. RL_ERR_INPUT as rl_table_read. */
rl_status rl_table_read_unknown(const char *path, rl_table *table);

/* What stands in a column of a table. */
typedef struct rl_table_content {
    int n_missing;     /* cells without a value */
    int n_texts;       /* cells that are neither missing nor a finite number */
    int first_text;    /* the row of the first of these, from 0; -1: there is none */
    bool constant;     /* its numbers are all the same but for rounding, or there are none */
    bool distinct;     /* its numbers are whole, and no two are the same */
    bool numbers_rows; /* they are, without a gap, as many as there are rows: each is the number of its row */
} rl_table_content;

/* Fills contents[n_columns]. */
rl_status rl_table_describe(const rl_table *table, rl_table_content *contents);

/* ---- tables that are read in blocks ------------------------------------------------------------------------------ */

#define RL_SLAB_BYTES ((size_t)32 << 20)

/* The open table of a dataset in blocks. */
typedef struct rl_table_blocks rl_table_blocks;

/* Opens the file. RL_ERR_IO when it cannot be read or has changed since the dataset was loaded. Any process that sees
 * the file may read it. Closed by rl_table_blocks_close, which allows NULL. */
rl_status rl_table_blocks_open(const rl_dataset *dataset, rl_table_blocks **blocks);
void rl_table_blocks_close(rl_table_blocks *blocks);

/* How many rows to read at a time, beginning at a multiple of that: as many as slab_bytes hold and, where possible,
 * whole chunks of the file. */
int rl_table_blocks_height(const rl_table_blocks *blocks);

/* Reads rows first ... first + count - 1 of the file: rows [count, n_features], row-major. NaN stands for a missing
 * value: rows that have one are none of the dataset's. RL_ERR_IO when reading fails. */
rl_status rl_table_blocks_read(rl_table_blocks *blocks, int first, int count, double *rows);

/* ---- the rows of a repeat --------------------------------------------------------------------------------------- */

/* The rows of one repeat, in its order. The buffers serve one repeat after another. */
typedef struct rl_rows {
    const rl_dataset *dataset; /* borrowed */
    rl_random_kind random;
    rl_key key;
    uint32_t repeat;
    int *order; /* [n_rows], owned; not used when the dataset is fresh */
    /* The rest is for a view with a map. Fresh rows stand in the order of the repeat, others in that of the dataset. */
    bool made; /* x and beta_star hold the features of a repeat */
    rl_map_use use;
    /* Inputs of each row, n_inputs of them, and targets; owned when the dataset is fresh, else the dataset's. */
    double *inputs, *y;
    double *x;         /* [n_rows, n_features], row-major, owned */
    double *beta_star; /* [n_features], owned */
} rl_rows;

/* `seed` is that of the study. To be destroyed, on failure too. */
rl_status rl_rows_create(rl_rows *rows, const rl_dataset *dataset, rl_random_kind random, uint64_t seed);
void rl_rows_destroy(rl_rows *rows);

/* Bytes that rl_rows_create and rl_rows_arrange allocate for the dataset or view, at most at a time. */
size_t rl_rows_bytes(const rl_dataset *dataset);

/* Puts the rows in the order of `repeat`: a random permutation read backwards, so that the first N rows are its last N
 * entries. That is the published split: with RL_RANDOM_NUMPY the permutation is
 * RandomState(repeat).permutation(n_rows). Rows that are test rows at any N come last, in the dataset's order. For a
 * view with a map, also makes the features and their best linear model: minimum-norm least squares on all rows of the
 * repeat, which interpolates them where there are more features than rows. RL_ERR_INPUT when either is not finite. */
rl_status rl_rows_arrange(rl_rows *rows, uint32_t repeat);

/* For a dataset that is not fresh and has no map: puts only the first n_first rows in the order of `repeat`, the others
 * in any order. Takes little time however many rows there are. */
void rl_rows_arrange_first(rl_rows *rows, uint32_t repeat, int n_first);

/* [n_features]: the best linear model of the rows as they are arranged. Borrowed. */
const double *rl_rows_beta_star(const rl_rows *rows);

/* Copies rows first ... first + count - 1 of the order: features to x [count, n_features], row-major with leading
 * dimension ldx, targets to y [count]. Not for a dataset in blocks. */
void rl_rows_get(const rl_rows *rows, int first, int count, double *x, int ldx, double *y);

#endif
