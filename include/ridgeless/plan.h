/* plan: a study laid out as series and tasks, with what they cost.
 *
 * Pure: the functions read memory (and, for data sets, files through `data`); nothing here communicates. */
#ifndef RIDGELESS_PLAN_H
#define RIDGELESS_PLAN_H

#include "ridgeless/case_cost.h"
#include "ridgeless/study.h"
#include "ridgeless/task.h"

typedef struct rl_plan {
    const rl_study *study; /* borrowed */
    rl_dataset *datasets;  /* [n_datasets]: those of the study that are there, in its order; owned */
    int n_datasets;
    rl_series *series; /* [n_series]: those of data sets, then those of autoencoders; owned */
    int n_series;
    rl_task *tasks; /* [n_tasks], series by series, in each by repeats and N: the order of the results; owned */
    int64_t n_tasks;
    size_t memory_per_rank; /* bytes predicted: data sets, the plan, and the worker of the largest series, where it is
                               not on process grids */
    size_t memory_of_work;  /* of these, the worker's */
} rl_plan;

typedef struct rl_plan_options {
    const rl_data_path *path;
    bool skip_missing; /* leave out, with a warning, data sets whose files are not there */
    const char *const *datasets;
    int n_datasets; /* names of the data sets and autoencoders to lay out, the others are left out; 0: all */
} rl_plan_options;

/* Loads the data sets and lays out the study. RL_ERR_INPUT when a file is missing (all missing ones are named, with how
 * to get them), an N leaves no training or no test row, or a name asked for is none of the study's. */
rl_status rl_plan_create(const rl_study *study, const rl_plan_options *options, rl_plan *plan);

/* The same from data sets that are already in memory, datasets[n], matched by name; takes them over, on failure too,
 * and leaves them empty (the array itself stays the caller's). Data sets of the study that are not among them are left
 * out of the plan, and so are autoencoders where wanted[n_autoencoders] (NULL: all) says so. For other ranks. */
rl_status rl_plan_create_with(const rl_study *study, rl_dataset *datasets, int n, const bool *wanted, rl_plan *plan);
void rl_plan_destroy(rl_plan *plan);

/* The task that has n_train[i_n] of a series' repeat. */
int64_t rl_plan_task(const rl_plan *plan, int series, int repeat, int i_n);

/* Behind the last task of a series. */
int64_t rl_plan_end_of_tasks(const rl_plan *plan, int series);

/* Behind the last series of the group that series `first` begins: series [first, end) are all P of a data set, or all m
 * of an autoencoder. */
int rl_plan_end_of_group(const rl_plan *plan, int first);

/* What series [first, end) come to, of one noun (rl_kind_noun); NULL: of all. */
rl_count rl_plan_count(const rl_plan *plan, const rl_kind *noun, int first, int end);

/* As rl_task_text, of a task of the plan. */
void rl_plan_text(const rl_plan *plan, int64_t task, char *text, size_t size);

/* Behind the last repeat of the task that begins at `first`, where tasks have at most `longest` repeats (a power of
 * two): at least RL_SHORTEST_SPAN, and no more than an eighth of the repeats before it, so that there is something for
 * several ranks however many repeats there are. Does not depend on the number of repeats, nor on the list of N. */
enum { RL_SHORTEST_SPAN = 8 };
int rl_span_end(int first, int longest);

/* ---- what it takes ----------------------------------------------------------------------------------------------- */

/* What computing one task takes on so many ranks, by a machine's rates. */
typedef struct rl_task_cost {
    double seconds;
    double bounds[RL_N_CASE_BOUNDS]; /* the seconds, by what they go into */
    double bytes; /* at most on one rank, beside its libraries, the plan, the data sets and rl_overheads */
} rl_task_cost;
rl_task_cost rl_predict_task(const rl_plan *plan, int64_t task, int ranks, const rl_rates *rates);

/* The fewest ranks on which every case of the series, which is on process grids, takes at most bytes_per_rank and the
 * libraries' integers can hold it. RL_ERR_INPUT where no number of ranks is enough. */
rl_status rl_fewest_ranks(const rl_series *series, double bytes_per_rank, int *ranks);

/* The ranks that a task of the series gets of `size` ranks where n_tasks are to do: what the study says; with `auto`
 * one where it is not on process grids, else the fewest whose memory is enough, and more while there are more groups
 * than tasks. RL_ERR_INPUT when `size` ranks are too few. */
rl_status rl_choose_ranks(const rl_series *series, int64_t n_tasks, int size, double bytes_per_rank, int *ranks);

#endif
