/* parallel: how ranks share the tasks of a plan. Tasks that take several ranks, or process grids, come first, in groups
 * that work side by side; then every rank by itself takes what remains. */
#ifndef RIDGELESS_PARALLEL_H
#define RIDGELESS_PARALLEL_H

#include "ridgeless/context.h"
#include "ridgeless/plan.h"

typedef enum rl_schedule {
    RL_SCHEDULE_DYNAMIC, /* the next task to whoever is free; costly tasks first */
    RL_SCHEDULE_STATIC,  /* a contiguous share each */
    RL_SCHEDULE_CYCLIC   /* every size-th task */
} rl_schedule;
#define RL_SCHEDULE_CHOICES "dynamic|static|cyclic"

/* The schedule's word in RL_SCHEDULE_CHOICES; NULL past the last one. */
const char *rl_schedule_name(rl_schedule schedule);

/* In what order tasks are handed out, by what they are predicted to cost. */
typedef enum rl_order {
    RL_ORDER_USUAL,        /* of the schedule: costly tasks first if it is dynamic, else as given */
    RL_ORDER_GIVEN,        /* as in the plan: data set by data set, repeat by repeat */
    RL_ORDER_COSTLY_FIRST, /* so that cheap tasks level the end */
    RL_ORDER_CHEAP_FIRST   /* so that some ranks are still busy with a costly task when others have none */
} rl_order;
#define RL_ORDER_CHOICES "given|costly-first|cheap-first"

/* The order's word in RL_ORDER_CHOICES; NULL for the usual one, and past the last one. */
const char *rl_order_name(rl_order order);

/* The order that is asked for, or, where that is the usual one, what it is under the schedule. */
rl_order rl_order_under(rl_schedule schedule, rl_order asked);

/* What rank 0 does with records and with the passing of time. All may be NULL. */
typedef struct rl_sink {
    /* Once, when nothing can be wrong with the input any more and the work begins. */
    void (*begin)(void *state);
    /* A record of some repeats of a task, finished or a state, in whatever order they come. A failure ends the run on
     * all ranks. */
    rl_status (*record)(void *state, int64_t task, const rl_record *record);
    /* After the records that came together: they are to be kept before anything else is done. A failure as of `record`.
     */
    rl_status (*flush)(void *state);
    /* The state that a task is to go on from, if there is one (*there): its record as bytes (rl_record_append). */
    rl_status (*restore)(void *state, int64_t task, rl_text *bytes, bool *there);
    /* Now and then: whether records can still be kept. A failure ends the run on all ranks. */
    rl_status (*check)(void *state);
    /* Now and then: pieces done and to do, and the part of the work (by its flops) that is done. */
    void (*progress)(void *state, int64_t done, int64_t total, double part);
    void *state;
} rl_sink;

typedef struct rl_rank_share {
    double start_seconds;     /* of MPI */
    double prepare_seconds;   /* as rl_run_settings has them */
    double busy_seconds;      /* computing; the rest of the shared work it waits, or, on rank 0, serves the others */
    double keeping_seconds;   /* of rank 0's sink with records */
    double processor_seconds; /* that processors worked for it in the shared work, waiting included */
    int64_t pieces;           /* alone or in a group */
    double peak_memory;       /* bytes, of the process since its start, as the operating system has it */
} rl_rank_share;

/* Ranks as they worked on tasks on process grids that take the same number of ranks. */
typedef struct rl_grouping {
    int ranks_per_case, n_groups, n_rows, n_columns; /* each group a process grid n_rows x n_columns */
    int n_left_over;
    int64_t pieces;           /* on process grids */
    int64_t left_over_pieces; /* that ranks left over did meanwhile */
} rl_grouping;

/* Of tasks that one rank computed side by side, the time is shared out: one seems to follow the other. */
typedef struct rl_timed_task {
    int64_t task;
    int first_rank, ranks; /* that computed it: first_rank ... first_rank + ranks - 1 */
    int n_repeats;         /* those computed */
    double start;          /* rl_clock_seconds(), of the first of its ranks */
    double seconds;
} rl_timed_task;

enum { RL_TIMED_TASKS = 10000 }; /* of a run of more tasks, single times are kept if they are asked for */

/* What was computed of the series of one noun. */
typedef struct rl_done {
    const rl_kind *kind; /* rl_kind_noun */
    rl_count todo;       /* what was to do */
    rl_count count;      /* pieces: all that was wanted of them */
    double seconds;      /* that groups were busy with them */
} rl_done;

typedef struct rl_run_summary {
    rl_done *done; /* [n_done]: for each noun that the plan has, in its order; on rank 0 */
    int n_done;
    double began;     /* rl_clock_seconds() of rank 0, when the shared work began */
    double seconds;   /* wall clock of the shared work */
    double imbalance; /* largest over mean of the ranks' busy time; 1 is perfect; 0: what ranks did is not known */
    double processor_share; /* processors that a rank had on average: below 1 where other programs, or too many ranks,
                               share them; 0: nothing was measured */
    rl_rank_share *shares;  /* [size] on rank 0, NULL elsewhere */
    rl_grouping *groupings;
    int n_groupings;
    rl_timed_task *timed; /* as they finished, on rank 0 */
    int64_t n_timed;
} rl_run_summary;
void rl_run_summary_destroy(rl_run_summary *summary);

/* ---- guard ------------------------------------------------------------------------------------------------------- */

/* A thread per rank. When the process has been asked to leave now (rl_stop_requested), it ends it within
 * rl_context_patience, whatever the main thread is in the middle of, and takes a half written file with it. When
 * another rank dies, on this node or on another one, it says which and what that was doing, and ends this process too,
 * so that nobody waits for ever. A rank that crashes says so itself. A rank that hangs is named, and named again when
 * it goes on; nothing ends by that. But when the run is to stop (a signal to any rank that asks to stop soon, or
 * rl_guard_until), and nothing more can end but what silent ranks are needed for, rank 0 concludes the run without
 * them. */
typedef struct rl_guard rl_guard;

typedef struct rl_guard_settings {
    double silence; /* seconds in which a rank that is well is heard of; INFINITY: nobody is ever called silent */
    /* Some times a second, and with `now` when the process is asked to leave now and before the thread ends it: what
     * must not be lost is to be made durable there. */
    void (*save)(void *state, bool now);
    /* On rank 0, once, in a thread of its own, while the main one waits in MPI for ever and is locked out of all that
     * it does between rl_guard_hold and rl_guard_release: what there is, is to be written. Gives the exit status of
     * all. */
    int (*conclude)(void *state);
    void *state;
} rl_guard_settings;

/* Collective on context->comm; one at a time. `save` is called in the thread. The context must outlive the guard. */
rl_status rl_guard_start(const rl_context *context, const rl_guard_settings *settings, rl_guard **guard);

/* Collective on the context's communicator: ends the watch. NULL is none. */
void rl_guard_stop(rl_guard *guard);

/* Local. What this rank is doing from now on, after "while"; NULL is no guard. */
void rl_guard_doing(rl_guard *guard, const char *format, ...) RL_PRINTF(2);

/* Local. From now on this rank computes what ranks first ... first + n - 1 compute together, and which ends by itself
 * if they are well; n = 0: it computes nothing. */
void rl_guard_computing(rl_guard *guard, int first, int n);

/* Local, on rank 0: from rl_seconds() = when on the run is to end. */
void rl_guard_until(rl_guard *guard, double when);

/* Local. Between the two, in which no rank may be waited for, the run is not concluded; once it is, the first does not
 * return. */
void rl_guard_hold(rl_guard *guard);
void rl_guard_release(rl_guard *guard);

/* ---- helpers ----------------------------------------------------------------------------------------------------- */

/* Ranks of rank 0's node that work for it, between the end of the shared work and their release: on rows of numbers, of
 * which whoever is free takes some, and on larger jobs, which one of them is asked for. */
typedef struct rl_helpers rl_helpers;

typedef struct rl_helper_work {
    /* Makes the result of row[width], by the row and the option alone; room[2 width] is overwritten. */
    void (*row)(const double *row, int width, int option, double *room, void *result);
    size_t result_bytes;
    double patience; /* seconds in which what was given away has to come back */
    /* Does a job, and answers with rl_helpers_answer; NULL: there are none. */
    void (*job)(void *state, rl_helpers *helpers, const void *bytes, size_t length);
    void *state;
} rl_helper_work;
enum { RL_MOST_HELPERS = 4 };
enum { RL_HELPER_NUMBERS = 1 << 15, RL_HELPER_WIDTH = 32 }; /* of rows that go together, at most; of a row, at least */

/* Collective on context->comm. From then on all ranks but 0 are to be in rl_help. NULL after a failure. */
rl_status rl_helpers_create(const rl_context *context, const rl_helper_work *work, rl_helpers **helpers);
void rl_helpers_destroy(rl_helpers *helpers);

/* Local, on other ranks: until rank 0 releases them. */
void rl_help(rl_helpers *helpers);

/* Local, on rank 0. Gives away rows[n, width], which are copied; results[n] are there after rl_helpers_await. false:
 * nobody takes them now. */
bool rl_helpers_give(rl_helpers *helpers, const double *rows, size_t n, size_t width, int option, void *results);

/* Until the results of all that was given away are there. What does not come back in time is made here: no
 * rank that hangs is waited for. */
void rl_helpers_await(rl_helpers *helpers);

/* Local, on rank 0. How many there are; asks one of them, by its index, for a job, which is copied (false: it does not
 * take it, or it is longer than RL_HELPER_NUMBERS doubles); takes its next answer. Answers have to be taken with the
 * lengths and in the order that they were given with. false: it has not come in time, and nothing will come of that
 * helper any more. */
int rl_helpers_count(const rl_helpers *helpers);
bool rl_helpers_ask(rl_helpers *helpers, int helper, const void *bytes, size_t length);
bool rl_helpers_take(rl_helpers *helpers, int helper, void *bytes, size_t length);

/* Local, on other ranks, within a job: gives an answer, not longer than a job may be. When it returns rank 0 has not
 * taken the bytes yet: they have to stay until the next job. */
void rl_helpers_answer(rl_helpers *helpers, const void *bytes, size_t length);

/* Releases the helpers; waits for one that hangs. */
void rl_helpers_release(rl_helpers *helpers);

/* ---- arithmetic -------------------------------------------------------------------------------------------------- */

/* With what arithmetic each rank computes (rl_context_arithmetic); on rank 0. */
typedef struct rl_arithmetics {
    char (*texts)[RL_ARITHMETIC_TEXT]; /* [n], each once, in the order of ranks; owned */
    int n;
    int *of; /* [size]: which one a rank has; owned */
} rl_arithmetics;

/* Collective on context->comm. Asks all ranks. */
rl_status rl_arithmetics_gather(const rl_context *context, rl_arithmetics *arithmetics);
void rl_arithmetics_destroy(rl_arithmetics *arithmetics);

/* ---- running ----------------------------------------------------------------------------------------------------- */

typedef struct rl_run_settings {
    rl_schedule schedule;
    rl_order order;
    int chunk;             /* curves per answer to a rank that asks for more, under the dynamic schedule; 0: as many as
                              keep rank 0 free */
    double bytes_per_rank; /* that groups of `ranks_per_case: auto` may count on for a rank */
    double seconds_left;   /* from the start of rl_parallel_run until everything must be written; INFINITY: no limit */
    bool sleeps;           /* instead of computing, for as long as tasks are predicted to take: no record is made */
    bool keep_times;       /* of all tasks, however many; else of RL_TIMED_TASKS at most */
    rl_rates rates;        /* to predict by; used where there is a limit, and by those who sleep */
    rl_guard *guard;       /* each rank's own, borrowed; NULL: none */
    const rl_arithmetics *arithmetics; /* rank 0's, borrowed; NULL: not known */
    double prepare_seconds;            /* each rank's own: from the start of MPI until here, for the summary */
} rl_run_settings;

/* What is to be computed: tasks, which repeats of them, and which of their N. Few selections of N serve many tasks, so
 * that each is kept once. A zeroed struct is empty. */
typedef struct rl_todo_item {
    int64_t task;
    int selection; /* index of a selection, or RL_ALL_N */
    rl_range repeats;
    bool has_state; /* the sink is asked for a state to go on from; rl_todo_append leaves it false */
} rl_todo_item;
typedef struct rl_todo {
    rl_todo_item *items; /* [n], room for `capacity` */
    int64_t n, capacity;
    bool *selections; /* [n_selections][stride]: which N of a task are wanted */
    int n_selections, stride;
} rl_todo;
enum { RL_ALL_N = -1 };

/* What sharing so many items takes in memory, in bytes: in every rank the items in their order and messages; on rank 0
 * also the list that they come from, which has room for all tasks of the plan. */
double rl_shared_bytes(const rl_plan *plan, double n_items);
double rl_todo_bytes(const rl_plan *plan);

/* With nothing to do; and with all tasks of the plan to do. */
rl_status rl_todo_create(const rl_plan *plan, rl_todo *todo);
rl_status rl_todo_create_full(const rl_plan *plan, rl_todo *todo);

/* Appends some repeats of a task; wanted[n_train.n of the task]: some of its N (none: then nothing is appended); NULL:
 * all. */
rl_status rl_todo_append(rl_todo *todo, const rl_plan *plan, int64_t task, rl_range repeats, const bool *wanted);
void rl_todo_destroy(rl_todo *todo);

/* All has been shared: the list goes, and how long it was stays. */
void rl_todo_forget_items(rl_todo *todo);

/* What all that is to do comes to of one noun (rl_kind_noun); NULL: of all. */
rl_count rl_todo_count(const rl_todo *todo, const rl_plan *plan, const rl_kind *noun);

/* Collective on context->comm. Computes what is to do (read on rank 0 alone, as the settings are but for each rank's
 * own; the plan is on all ranks), rank 0 included among the workers; records reach the sink, which is used on rank 0
 * alone. Every rank returns the same status. The summary is the caller's, on failure too.
 *
 * RL_STOPPED: a signal on any rank, or the time left, ended the run early; all that was finished has reached the sink.
 * Asked to stop soon, ranks finish their tasks; asked to stop now, or out of time, they leave them between two pieces.
 * A restorable task is left at once in any case, and its state has reached the sink; while it is computed, its state is
 * saved as often as the study says.
 * With a time limit no task is begun that by the rates, corrected by what this run has measured, cannot end in time,
 * or, where it can be left in the middle, not even the first of its pieces: what is finished of it is kept. A failure
 * names the rank and the task. RL_ERR_INPUT: a task takes more ranks than there are. */
rl_status rl_parallel_run(const rl_context *context, const rl_plan *plan, const rl_todo *todo,
                          const rl_run_settings *settings, const rl_sink *sink, rl_run_summary *summary);

/* Collective on context->comm. Gives every rank rank 0's study text and data sets and builds the same plan there. On
 * rank 0 study and plan are input, elsewhere output (owned by the caller). */
rl_status rl_parallel_share_plan(const rl_context *context, rl_study *study, rl_plan *plan);

/* Collective on context->comm. Least squares on all rows of data sets whose rows are in blocks, by all ranks together:
 * fills their beta_star. To be called before rl_parallel_run computes any of their curves. */
rl_status rl_parallel_complete_plan(const rl_context *context, rl_plan *plan);

#endif
