/* Private to `parallel`: the state of a run, who works together, and what they work on. */
#ifndef RL_PARALLEL_DISPATCH_H
#define RL_PARALLEL_DISPATCH_H

#include "ridgeless/distributed.h"
#include "ridgeless/parallel.h"

/* What groups of several ranks, or on process grids, take, and what ranks take that work alone. Both are handed out by
 * *position*: a position is one item of the todo, or several that are computed side by side. */
typedef enum rl_queue_kind { RL_QUEUE_ALONE, RL_QUEUE_GROUPS, RL_N_QUEUES } rl_queue_kind;

typedef struct rl_queue {
    rl_todo_item *items; /* [n_items], in the order of handing out; owned */
    int64_t n_items;
    int64_t *first; /* [n + 1]: position i has the items first[i] ... first[i + 1] - 1; owned */
    int64_t n;
    int64_t start, end; /* positions of this phase, those before them are done; the same on all ranks */
    int64_t next;       /* first position not handed out; rank 0 alone */
    int n_groups;       /* that take from it in this phase */
    int depth;          /* positions that a group may hold under the dynamic schedule */
} rl_queue;

static inline int rl_n_items_at(const rl_queue *queue, int64_t position) {
    return (int)(queue->first[position + 1] - queue->first[position]);
}
static inline const rl_todo_item *rl_items_at(const rl_queue *queue, int64_t position) {
    return queue->items + queue->first[position];
}

/* In a phase every rank belongs to one group, perhaps of itself alone. The first rank of a group leads it: it alone
 * speaks with rank 0. */
typedef struct rl_member {
    rl_queue_kind queue;
    int index; /* of the group, among those of the queue */
    bool leads;
} rl_member;

/* The groups of several ranks, or on process grids, that work at the same time. */
typedef struct rl_phase {
    int ranks, n_groups; /* ranks of each; 0: every rank works alone */
    bool on_grid;
    rl_grid_shape grid;
} rl_phase;

/* Positions [first, first + n) of a queue, which a group takes at once, one after the other. */
typedef struct rl_batch {
    int64_t first, n;
} rl_batch;

/* How fast a series goes: what was done of it, in flops and seconds. */
typedef struct rl_pace {
    double flops, seconds;
} rl_pace;

/* How far a task has come: the parts of it that were there when this run took it up, and that are there by its last
 * state. */
typedef struct rl_under_way {
    double before, now;
} rl_under_way;

/* How the time is used that a run has been given. */
typedef struct rl_deadline {
    double when;                /* of this rank's rl_seconds(); INFINITY: there is none */
    double predicted, measured; /* seconds of the items that ended; rank 0 alone */
    double piece_began;         /* of the task under way */
    int pieces;                 /* of it, begun */
} rl_deadline;

typedef struct rl_run {
    const rl_context *context;
    const rl_plan *plan;
    rl_run_settings settings;
    const rl_sink *sink;
    rl_run_summary *summary;
    int64_t n_items;    /* to do */
    bool restorable;    /* some of them can be left in the middle, and take long */
    rl_todo selections; /* of N alone, on all ranks; owned */
    int *ranks_of;      /* [n_series]: that a task takes */
    rl_task *tasks;     /* those of the position under way; room for as many as any position has */
    rl_deadline deadline;
    rl_stop stop; /* begins nothing more: asked for by a signal here, or by another rank */
    rl_rank_share share;

    /* the phase under way */
    rl_phase phase;
    rl_queue queues[RL_N_QUEUES];
    rl_member me;
    rl_context group; /* rank and size in it; comm is MPI_COMM_NULL where this rank works alone */
    rl_process_grid *process_grid;
    rl_worker *worker;

    /* leaders */
    int64_t known;       /* positions that this group knows by itself, taken or passed over so far */
    rl_batch batch;      /* of which the first is the next one to do */
    rl_batch sent;       /* that rank 0 sent and that is still to begin */
    int answers_due;     /* batches from rank 0 */
    bool told;           /* rank 0's message to stop has come */
    double began, saved; /* rl_seconds() of the task under way, and of its last state */
    rl_text message;     /* under way to rank 0, or being made */
    int held;            /* positions whose records are in the message, which is still to be sent */
    double held_since;   /* rl_seconds() when the first of them was begun */
    MPI_Request sending;

    /* rank 0 alone */
    rl_text incoming, arithmetic;
    rl_pace *paces;                         /* [n_series]: of what ranks alone have done */
    int working;                            /* other groups that have not said goodbye */
    bool *stop_sent;                        /* [size], by rank */
    rl_count total;                         /* to do */
    rl_under_way *under_way;                /* [size], by the first rank of the group that computes it */
    double flops, flops_done, flops_so_far; /* to do; of what is whole; of what is under way, by its states */
    rl_status status;                       /* first failure; nothing is handed out after it */
    char failure[1024];
} rl_run;

static inline const rl_series *rl_series_at(const rl_run *r, const rl_todo_item *item) {
    return &r->plan->series[r->plan->tasks[item->task].series];
}

/* The task of an item, with the repeats that are wanted of it. */
static inline rl_task rl_task_at(const rl_run *r, const rl_todo_item *item) {
    rl_task task = r->plan->tasks[item->task];
    task.flops *= (double)item->repeats.n / task.repeats.n;
    task.repeats = item->repeats;
    return task;
}

static inline bool rl_is_root(const rl_run *r) {
    return r->context->rank == 0;
}

/* Collective on the communicator. Whoever was asked to stop, or told to, asks all: r->stop becomes the largest. */
void rl_agree_to_stop(rl_run *r, MPI_Comm comm);

/* Collective. Shares the positions of a phase among its groups, and computes them. Failures of the work itself end in
 * rank 0's status with nobody waiting. */
rl_status rl_share_work(rl_run *r);
enum { RL_NEWS_BYTES = 1064 }; /* that r->message has room for at least */

/* What was done of the noun of a kind, and the pieces of all. */
rl_done *rl_done_of(rl_run_summary *summary, const rl_kind *kind);
int64_t rl_pieces_done(const rl_run_summary *summary);

/* Collective. Rank 0's bytes to all, however many; and the elements of an array. */
void rl_broadcast(const rl_context *context, void *bytes, size_t size);
#define RL_BROADCAST(context, array, n) rl_broadcast(context, array, (size_t)(n) * sizeof *(array))

/* ---- what is to do (order.c) ------------------------------------------------------------------------------------- */

/* Collective. Sorts rank 0's todo into the queues, and shares them, the selections and the settings. */
rl_status rl_share_todo(rl_run *r, const rl_todo *todo);

/* The N that are wanted of the items at a position; NULL: all. */
const bool *rl_wanted_at(const rl_run *r, const rl_queue *queue, int64_t position);

void rl_queues_destroy(rl_run *r);

/* What of the records of a batch goes into one message, about, in bytes. */
enum { RL_BATCH_BYTES = 1 << 20 };

/* ---- time (deadline.c) ------------------------------------------------------------------------------------------- */

void rl_deadline_begin(rl_run *r);
void rl_deadline_note(rl_run *r, const rl_todo_item *item, int ranks, double part, double seconds); /* of an item */

/* Seconds that so many ranks are predicted to take for an item, by r->settings.rates. */
double rl_predict_item(const rl_run *r, const rl_todo_item *item, int ranks);

/* Whether the item, and others like it with it, can end in time, or the least part that is worth to be begun. */
bool rl_deadline_fits(const rl_run *r, const rl_todo_item *item, int n_alike, int ranks);

/* Whether a piece of work can end in time that is like one that took so long. */
bool rl_deadline_allows(const rl_run *r, double seconds);

/* At the start of a task, and between two pieces of it: whether another one can end in time. */
void rl_deadline_begin_task(rl_run *r);
bool rl_deadline_next_piece_fits(rl_run *r);

/* ---- how far it has come (under_way.c) --------------------------------------------------------------------------- */

/* What the group whose first rank this is computes: it goes on from this state; it has come to this one; it has ended,
 * and of it this run has computed the part that is returned. Rank 0 alone. */
void rl_note_restored(rl_run *r, int first_rank, const rl_todo_item *item, const rl_record *state);
void rl_note_state(rl_run *r, int first_rank, const rl_todo_item *item, const rl_record *state);
double rl_note_whole(rl_run *r, int first_rank, const rl_todo_item *item);

/* Of all that there was to do when the run began. */
double rl_part_done(const rl_run *r);

/* ---- instead of computing (sleep.c) ------------------------------------------------------------------------------ */

/* Sleeps for as long as n items would take; RL_STOPPED when the tick said stop. They leave a record of nothing. */
rl_status rl_sleep_through(const rl_run *r, const rl_todo_item *items, int n, int ranks, rl_tick tick);
rl_record rl_record_of_sleep(void);

/* Until a message of rank 0 is there, without keeping a processor busy. */
void rl_await_asleep(const rl_run *r, int tag);

/* ---- arithmetic (arithmetic.c) ----------------------------------------------------------------------------------- */

/* Of `ranks` ranks from `first` on that work together: its text, borrowed until the next call; of several, one after
 * the other. NULL: not known. Rank 0 alone. */
const char *rl_arithmetic_of_group(rl_run *r, int first, int ranks);

/* ---- who works together (groups.c) ------------------------------------------------------------------------------- */

/* The shape that the study gives to process grids of a series; {0, 0}: none. */
static inline rl_grid_shape rl_series_grid(const rl_series *series) {
    return series->on_grid ? series->spec->grid : (rl_grid_shape){0};
}

/* Where a rank belongs in the phase. */
rl_member rl_member_of(const rl_run *r, int rank);

/* Collective. Runs every phase, with queues, groups and workers made. A failure ends the run; asked to stop on any
 * rank, no further phase begins. */
rl_status rl_run_phases(rl_run *r);

#endif
