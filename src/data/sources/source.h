/* Private to `data`: what sources share. */
#ifndef RL_DATA_SOURCE_H
#define RL_DATA_SOURCE_H

#include "../../option_specs.h"
#include "ridgeless/data.h"

extern const rl_source rl_source_student_teacher, rl_source_gaussian, rl_source_california, rl_source_diabetes,
    rl_source_who, rl_source_who_fixed, rl_source_csv, rl_source_netcdf, rl_source_function, rl_source_sphere;

/* Sets *path, owned by the caller, to that of one of a source's files. RL_ERR_INPUT, with a message that says where it
 * was looked for and how to get it, when it is not there. */
rl_status rl_source_locate(const rl_source *source, const rl_source_request *request, const char *file, char **path);

/* Sets *path, owned by the caller, to that of the file that the key `file` names: beside the study file or else in a
 * data folder. RL_ERR_INPUT when it is in neither. */
rl_status rl_source_locate_named(const rl_source_request *request, char **path);

/* Sets the dataset's origin to a text on its normal numbers: whether rows are fresh or a pool, and who drew them. */
rl_status rl_source_describe_draws(const rl_source_request *request, rl_dataset *dataset);

/* The keys by which a study chooses columns of a table. */
#define RL_FEATURES_SPEC(text) \
    { .key = "features", .type = RL_OPTION_TEXT_LIST, .help = text }
#define RL_EXCEPT_SPEC(text) \
    { .key = "except", .type = RL_OPTION_TEXT_LIST, .later = true, .help = text }

/* The option `standardize` of published tables, and doing what it says. */
#define RL_STANDARDIZE_SPEC                                                                                        \
    {                                                                                                              \
        .key = "standardize", .type = RL_OPTION_CHOICE, .default_text = "none", .choices = RL_STANDARDIZE_CHOICES, \
        .later = true, .help = "what is done to each feature"                                                      \
    }
rl_status rl_source_standardize(const rl_source_request *request, rl_dataset *dataset);

/* What else stands for a missing value: see rl_missing_create. */
#define RL_MISSING_SPEC(text) \
    { .key = "missing", .type = RL_OPTION_TEXT_LIST, .later = true, .help = text }

/* Which columns may be features. The tests may be NULL: every column passes. */
typedef bool (*rl_column_test)(const void *table, int column);
typedef struct rl_column_rule {
    int target;                /* index of a column, which is no feature; -1: none of them */
    rl_column_test is_usual;   /* a feature where the key `features` is not given */
    rl_column_test is_numeric; /* holds numbers alone, and what is missing: a feature of `features: numeric` */
    const void *table;         /* for the tests */
} rl_column_rule;

/* Sets chosen[*n] (room for all columns) to the indices of those that are features by the keys `features` (names,
 * numbers and ranges of numbers as 2-8; or `numeric`) and `except` (the same). RL_ERR_INPUT names the key. */
rl_status rl_columns_choose(const rl_source_request *request, const rl_columns *columns, const rl_column_rule *rule,
                            int *chosen, int *n);

/* Appends what to write into the study file to leave columns[n] out, ready to be pasted: "`except: [name]` leaves the
 * column out". */
rl_status rl_columns_advise(const rl_columns *c, const int *columns, int n, rl_text *text);

/* RL_ERR_INPUT with a message about the value of a key of the study file. */
rl_status rl_source_key_fail(const rl_source_request *request, const char *key, const char *format, ...) RL_PRINTF(3);

#endif
