/* Private to `parallel`: a run's state, who works together, and what they work on. */
#ifndef RL_PARALLEL_RUN_H
#define RL_PARALLEL_RUN_H

#include "ridgeless/distributed.h"
#include "ridgeless/parallel.h"

/* Curves that a kind of team takes, in the order of handing out. They are handed out in pieces of work: a curve, or
 * several that are computed side by side. */
typedef enum rl_lane_kind { RL_LANE_ALONE, RL_LANE_GRID, RL_N_LANES } rl_lane_kind;

typedef struct rl_lane {
    rl_todo_item *order; /* [n_curves]; owned */
    int64_t n_curves;
    int64_t *first; /* [total + 1]: piece of work i is order[first[i]] ... order[first[i + 1] - 1]; owned */
    int64_t total;
    int64_t start, end; /* positions of this phase, those before them are done; the same on all ranks */
    int64_t next;       /* first position not handed out; rank 0 alone */
    int n_teams;        /* of this phase */
} rl_lane;

/* In a phase every rank belongs to one team: a group on a process grid, or itself. The first rank of a team speaks for
 * it. */
typedef struct rl_team {
    rl_lane_kind lane;
    int index; /* among the lane's teams */
    bool leads;
} rl_team;

typedef struct rl_phase {
    int ranks_per_case; /* of the groups; 0: every rank alone */
    int n_groups;
} rl_phase;

/* How the time is used that a run has been given. */
typedef struct rl_pace {
    double deadline;            /* of this rank's rl_seconds(); INFINITY: none */
    double predicted, measured; /* seconds of the curves that ended; rank 0 alone */
    double piece_began;         /* of the curve under way */
    int pieces;                 /* of it, begun */
} rl_pace;

typedef struct rl_run {
    const rl_context *context;
    const rl_plan *plan;
    rl_run_settings settings;
    const rl_sink *sink;
    rl_run_summary *summary;
    int64_t n;          /* items to do */
    int64_t n_repeated; /* curves to do, one a repeat */
    rl_todo sizes;      /* the selections of sizes alone, on all ranks; owned */
    int *ranks_of_grid; /* [n_grids]: ranks a case; 1 where every rank works alone */

    /* the phase under way */
    rl_phase phase;
    rl_lane lanes[RL_N_LANES];
    rl_team team;
    rl_process_grid *grid; /* this rank's group; NULL: it works alone */
    rl_task *task;

    rl_pace pace;
    rl_stop stop; /* begins nothing more: asked for by a signal here, or by another rank */

    rl_rank_share share;
    double *slot[2];       /* a worker's records under way; on rank 0 its own and the incoming one */
    size_t slot_length[2]; /* doubles that they have room for */
    rl_text span;          /* the record of a span, as it was computed */
    /* rank 0 alone */
    int working;      /* other teams that have not said goodbye */
    rl_status status; /* first failure; nothing is handed out after it */
    char failure[1024];
} rl_run;

/* Collective on the communicator. Whoever was asked to stop, or told to, asks all: r->stop becomes the largest. */
rl_status rl_agree_to_stop(rl_run *r, MPI_Comm comm);

/* Collective. Rank 0's bytes to all, however many. */
rl_status rl_broadcast(const rl_context *context, void *bytes, size_t size);

/* ---- time (pace.c) ----------------------------------------------------------------------------------------------- */

void rl_pace_begin(rl_run *r);
void rl_pace_note(rl_run *r, const rl_todo_item *item, int ranks, double seconds);

/* Whether the item, and others like it with it, can end in time, or, where it can be left in the middle, some of it. */
bool rl_pace_fits(const rl_run *r, const rl_todo_item *item, int n_alike, int ranks);

/* At the start of a curve, and between two pieces of it: whether another one can end in time. */
void rl_pace_begin_curve(rl_run *r);
bool rl_pace_next_piece_fits(rl_run *r);

/* ---- phases (phase.c) -------------------------------------------------------------------------------------------- */

/* The team that a rank belongs to in the phase. */
rl_team rl_team_of(const rl_run *r, int rank);

/* Collective. Sorts rank 0's todo into the lanes' orders, and shares r->n, r->sizes and the settings. */
rl_status rl_share_todo(rl_run *r, const rl_todo *todo);

/* How many curves a piece of work has, and which: one after the other. */
static inline int rl_curves_at(const rl_lane *lane, int64_t position) {
    return (int)(lane->first[position + 1] - lane->first[position]);
}
static inline const rl_todo_item *rl_items_at(const rl_lane *lane, int64_t position) {
    return lane->order + lane->first[position];
}

/* The sizes wanted of the curves at a position of a lane, NULL: all. */
const bool *rl_wanted_at(const rl_run *r, const rl_lane *lane, int64_t position);

/* Collective. Runs every phase: `work` is called on all ranks, with lanes, teams and tasks made. A failure of work
 * ends the run; asked to stop on any rank, no further phase begins. */
rl_status rl_run_phases(rl_run *r, rl_status (*work)(rl_run *r));

#endif
