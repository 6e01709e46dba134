/* parallel: how ranks share the curves of a plan.
 *
 * Curves whose way is on process grids come first: ranks form as many groups of `ranks per case` as they can, and the
 * groups work side by side. Ranks that are left over take other curves meanwhile, or wait. Then every rank by itself
 * takes what is left. */
#ifndef RIDGELESS_PARALLEL_H
#define RIDGELESS_PARALLEL_H

#include "ridgeless/context.h"
#include "ridgeless/plan.h"
#include "ridgeless/summary.h"
#include "ridgeless/task.h"

typedef enum rl_schedule {
    RL_SCHEDULE_DYNAMIC, /* the next curve to whoever is free; costly curves first */
    RL_SCHEDULE_STATIC,  /* a contiguous share each */
    RL_SCHEDULE_CYCLIC   /* every size-th curve */
} rl_schedule;
#define RL_SCHEDULE_CHOICES "dynamic|static|cyclic"

/* The schedule's word in RL_SCHEDULE_CHOICES; NULL past the last one. */
const char *rl_schedule_name(rl_schedule schedule);

/* What rank 0 does with finished curves and with the passing of time. */
typedef struct rl_sink {
    /* One finished curve's record, or that of some repeats of a span (rl_span_of), in whatever order they finish; may
     * be NULL. A failure ends the run on all ranks. */
    rl_status (*record)(void *state, int64_t curve, const double *record, size_t length);
    void (*progress)(void *state, int64_t done, int64_t total); /* of curves, now and then; may be NULL */
    void *state;
} rl_sink;

typedef struct rl_rank_share {
    double busy_seconds; /* computing curves */
    int64_t curves;      /* alone or in a group */
    double peak_memory;  /* bytes, of the process since its start, as the operating system has it */
} rl_rank_share;

/* Ranks as they worked on the curves of data sets that take the same number of ranks a case. */
typedef struct rl_grouping {
    int ranks_per_case, n_groups, n_rows, n_columns; /* each group a process grid n_rows x n_columns */
    int n_left_over;
    int64_t curves;           /* on process grids */
    int64_t left_over_curves; /* that ranks left over did meanwhile */
} rl_grouping;

typedef struct rl_timed_curve {
    int64_t curve;
    int ranks;
    int n_repeats; /* of a span: those computed */
    double seconds;
} rl_timed_curve;

enum { RL_TIMED_CURVES = 10000 }; /* of a run of more curves or spans, single times are not kept */

typedef struct rl_run_summary {
    int64_t n_curves, n_spectra, n_cells; /* computed; curves: all that was wanted of them, one a repeat; on rank 0 */
    double seconds;                       /* wall clock of the shared work */
    double imbalance;                     /* largest over mean of the ranks' busy time; 1 is perfect */
    rl_rank_share *shares;                /* [size] on rank 0, NULL elsewhere */
    rl_grouping *groupings;
    int n_groupings;
    rl_timed_curve *timed; /* as they finished, on rank 0 */
    int64_t n_timed;
} rl_run_summary;
void rl_run_summary_destroy(rl_run_summary *summary);

/* ---- guard ------------------------------------------------------------------------------------------------------- */

/* A thread a rank that never calls MPI. When the process has been asked to leave now (rl_stop_requested), it ends it
 * after at most four seconds, whatever the main thread is in the middle of. When another rank of the node dies, it says
 * which and what that was doing, and ends this process too, so that nobody waits for ever. A rank that crashes says so
 * itself. */
typedef struct rl_guard rl_guard;

/* Collective on context->comm; one at a time. `save` (may be NULL) is called in the thread some times a second, and
 * with `now` when the process is asked to leave now and before the thread ends it: what must not be lost is to be made
 * durable there. The context must outlive the guard. */
rl_status rl_guard_start(const rl_context *context, void (*save)(void *state, bool now), void *state, rl_guard **guard);

/* Collective on the context's communicator: ends the watch. NULL is none. */
void rl_guard_stop(rl_guard *guard);

/* Local. What this rank is doing from now on, after "while"; NULL is no guard. */
void rl_guard_doing(rl_guard *guard, const char *format, ...) RL_PRINTF(2);

/* ---- running ----------------------------------------------------------------------------------------------------- */

typedef struct rl_run_settings {
    rl_schedule schedule;
    double bytes_per_rank; /* that groups of `ranks_per_case: auto` may count on for a rank */
    double seconds_left;   /* from the start of rl_parallel_run until everything must be written; INFINITY: no limit */
    rl_rates rates;        /* to judge by what still fits; used where there is a limit */
    rl_guard *guard;       /* each rank's own, borrowed; NULL: none */
} rl_run_settings;

/* Local, the same on every rank: the ranks that a case of the grid (its way is on process grids) gets of `size` ranks
 * where `n_cases` are to do: what the study says, or with `auto` the fewest whose memory is enough, and more while
 * there are more groups than cases. RL_ERR_INPUT when `size` ranks are too few. */
rl_status rl_choose_ranks_per_case(const rl_study *study, const rl_grid *grid, int64_t n_cases, int size,
                                   double bytes_per_rank, int *ranks);

/* What is to be computed: curves, and which sizes of them, and which repeats of spans. Few selections of sizes serve
 * many curves, so that each is kept once. A zeroed struct is empty. */
typedef struct rl_todo_item {
    int64_t curve;
    int selection; /* index of a selection, or RL_ALL_SIZES */
    rl_repeats repeats;
} rl_todo_item;
typedef struct rl_todo {
    rl_todo_item *items; /* [n], room for `capacity` */
    int64_t n, capacity;
    bool *selections; /* [n_selections][stride]: which sizes of a curve are wanted */
    int n_selections, stride;
    int64_t n_curves, n_spectra, n_cells; /* that all this makes; a curve a repeat */
} rl_todo;
enum { RL_ALL_SIZES = -1 };

/* With nothing to do; and with all curves of the plan to do. */
rl_status rl_todo_create(const rl_plan *plan, rl_todo *todo);
rl_status rl_todo_create_full(const rl_plan *plan, rl_todo *todo);

/* Appends a curve, or some repeats of a span; wanted[n_sizes of the curve]: some of its sizes (none: then nothing is
 * appended); NULL: all. */
rl_status rl_todo_append(rl_todo *todo, const rl_plan *plan, int64_t curve, const bool *wanted);
rl_status rl_todo_append_repeats(rl_todo *todo, const rl_plan *plan, int64_t curve, rl_repeats repeats,
                                 const bool *wanted);
void rl_todo_destroy(rl_todo *todo);

/* Collective on context->comm. Computes what is to do (read on rank 0 alone, as the settings are but for the guard),
 * rank 0 included among the workers; records (see rl_task_curve) reach sink->record on rank 0 (the sink is used there
 * alone). Every rank returns the same status. The summary is the caller's, on failure too.
 *
 * RL_STOPPED: a signal on any rank, or the time left, ended the run early; all that was finished has reached the sink.
 * Asked to stop soon, ranks finish their curves; asked to stop now, or out of time, they leave them between two pieces,
 * spans between two repeats.
 * With a time limit no curve is begun that by the rates, corrected by what this run has measured, cannot end in time,
 * or, where a curve is spectra of one rank, not even the first of them: what is finished of such a curve is kept.
 * A failure names the rank and the curve. */
rl_status rl_parallel_run(const rl_context *context, const rl_plan *plan, const rl_todo *todo,
                          const rl_run_settings *settings, const rl_sink *sink, rl_run_summary *summary);

/* ---- trainings of autoencoders ----------------------------------------------------------------------------------- */

/* What rank 0 does with them: journals records and states, and looks for the state that a training is to go on from
 * (*there: whether there is one). A failure ends the run on all ranks. progress: part of the work done, now and then;
 * may be NULL. */
typedef struct rl_training_sink {
    rl_status (*record)(void *state, int64_t training, const double *record, size_t length);
    rl_status (*save)(void *state, int64_t training, const double *saved, size_t length);
    rl_status (*restore)(void *state, int64_t training, double *saved, bool *there);
    void (*progress)(void *state, int64_t done, int64_t total, double part);
    void *state;
} rl_training_sink;

typedef struct rl_training_summary {
    int64_t n_trainings; /* ended in this run; on rank 0 */
    double seconds;      /* wall clock */
} rl_training_summary;

/* Collective on context->comm. Does the trainings todo[n] (read on rank 0 alone, as the settings are but for the guard;
 * the plan is on all ranks), those that take many ranks first. Ranks form groups of `ranks_per_case`, each group takes
 * the next training when it is free, and ranks left over wait. States are saved as often as the study says, and when a
 * training is left. Every rank returns the same status.
 *
 * RL_STOPPED: a signal on any rank or the time left ended the run early: every training under way was left at once, its
 * state saved. RL_ERR_INPUT: a training takes more ranks than there are. */
rl_status rl_parallel_train(const rl_context *context, const rl_plan *plan, const int64_t *todo, int64_t n,
                            const rl_run_settings *settings, const rl_training_sink *sink,
                            rl_training_summary *summary);

/* Collective on context->comm. Gives every rank rank 0's study text and data sets and builds the same plan there. On
 * rank 0 study and plan are input, elsewhere output (owned by the caller). */
rl_status rl_parallel_share_plan(const rl_context *context, rl_study *study, rl_plan *plan);

/* Collective on context->comm. Least squares on all rows of data sets whose rows are in blocks, by all ranks together:
 * fills their beta_star. To be called before rl_parallel_run computes any of their curves. */
rl_status rl_parallel_complete_plan(const rl_context *context, rl_plan *plan);

#endif
