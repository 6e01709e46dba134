/* Private to `init`: the study that is written, and what a table makes of it. */
#ifndef RL_CLI_INIT_H
#define RL_CLI_INIT_H

#include "cli.h"

/* P of a first study is at most this. */
enum { RL_MOST_FEATURES = 500 };

/* What a column is to the study. */
typedef enum rl_column_use {
    RL_USED,
    RL_TARGET_COLUMN,
    RL_TEXTS,        /* has cells that are no numbers */
    RL_EMPTY,        /* has no value */
    RL_CONSTANT,     /* cannot be scaled, and explains nothing */
    RL_ROW_NUMBERS,  /* names rows */
    RL_MOSTLY_HOLES, /* would cost too many rows */
    RL_NAMELESS,     /* a study file cannot name it */
    RL_BEYOND        /* there are enough without it */
} rl_column_use;

/* A table of the user's own, and what is chosen of it. */
typedef struct rl_init_table {
    rl_table table;
    rl_table_content *contents;     /* [n_columns] */
    rl_column_use *uses;            /* [n_columns] */
    bool *complete;                 /* [n_rows]: no value is missing in the target and the features */
    int target, n_rows, n_features; /* n_rows: that are complete */
    int threshold;                  /* the rank of the features, standardized, where that is less than n_features */
} rl_init_table;

/* Reads the file and chooses columns for a study of the target. RL_ERR_INPUT: the table cannot be read, no target is
 * named, or nothing can be fitted to it. To be destroyed, on failure too. */
rl_status rl_init_table_create(rl_init_table *c, const char *path, const char *target);
void rl_init_table_destroy(rl_init_table *c);

const char *rl_init_cell(const rl_init_table *c, int row, int column);

/* The parts of jobs/first-study.yaml that a table has its own of; the last goes on to the end of the file. */
typedef enum rl_init_part {
    RL_INIT_TITLE,
    RL_INIT_REPEATS,
    RL_INIT_N_TRAIN,
    RL_INIT_CUTOFF,
    RL_INIT_LEADING_MODES,
    RL_INIT_DATASETS,
    RL_INIT_PARTS
} rl_init_part;

/* Appends to each part its lines. The table has been read from `csv`, as the user gave it, and the study is to lie at
 * `study`. */
rl_status rl_init_fill(const rl_init_table *c, const char *csv, const char *study, rl_text parts[RL_INIT_PARTS]);

/* Appends, for the screen, how much of the table is used, and which columns are not. */
rl_status rl_init_summarize(const rl_init_table *c, const char *study, rl_text *text);

#endif
