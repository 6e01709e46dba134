/* The crew (results.h): others who collect and reduce slabs, and seal the file, while this process writes it.
 *
 * What they and this process make slabs in is memory that all of them share: two halves, in one of which members make a
 * slab while this process writes the other one. The work on a slab is three phases, each of many portions that whoever
 * is free takes: what is there without any record; tasks, whose records go to their places; rows, which are reduced. A
 * phase begins when nothing of the one before is left to do. Members answer nothing but seals: what they have done
 * shows in the memory. When some of it fails, or does not come, nobody of the crew makes slabs any more, and this
 * process goes on in memory of its own. */
#ifndef RL_RESULTS_CREW_H
#define RL_RESULTS_CREW_H

#include <stdatomic.h>
#include <sys/stat.h>

#include "curves.h"

/* ---- what is asked ----------------------------------------------------------------------------------------------- */

typedef enum rl_crew_kind { RL_CREW_BEGIN, RL_CREW_SLAB, RL_CREW_END, RL_CREW_SEAL } rl_crew_kind;

/* Every job begins with its kind. RL_CREW_END: what is shared is needed no more. */
typedef struct rl_crew_job {
    int64_t kind;
} rl_crew_job;

/* What is shared from now on. */
typedef struct rl_crew_begin_job {
    rl_crew_job job;
    shared_name name;
    int64_t slab_values;
} rl_crew_begin_job;

typedef struct rl_crew_slab {
    rl_crew_job job;
    int64_t group; /* its index */
    int64_t is_whole;
    int64_t half, number; /* see rl_asked */
    rl_range repeats;
    int64_t n_parts;
    struct rl_crew_part {
        int64_t array, first, n, width;
    } parts[RL_MOST_PARTS];
} rl_crew_slab;

/* Of the first `length` bytes of a file; behind it: its path. Answered by a status and rl_crew_sealed. */
typedef struct rl_crew_seal {
    rl_crew_job job;
    int64_t length;
    struct stat file; /* which it is */
} rl_crew_seal;
typedef struct rl_crew_sealed {
    char seal[RL_NC_SEAL + 1];
} rl_crew_sealed;

/* ---- what is shared (crew_slab.c) -------------------------------------------------------------------------------- */

typedef enum rl_phase { RL_CLEARS, RL_COLLECTS, RL_REDUCES, RL_N_PHASES } rl_phase;

/* Of the values of a half: who comes first takes their memory, and others wait for it. */
typedef enum rl_half_memory { RL_NOT_TAKEN, RL_BEING_TAKEN, RL_TAKEN, RL_NOT_THERE } rl_half_memory;

/* The shared memory has the values of two slabs, one in each half; this; where the record of each task begins, as far
 * as slabs were asked for (uint64_t); the statistics of either slab; and what rl_journal_describe says. */
typedef struct rl_common {
    atomic_bool is_over; /* something failed, or somebody is waited for no more */
    _Atomic rl_half_memory memory[RL_HALVES];
    struct rl_board {
        _Atomic uint64_t next; /* portion to be taken, of 32 bits, and above it the number of the slab */
        _Atomic int64_t n_done;
    } boards[RL_HALVES][RL_N_PHASES];
} rl_common;

/* Bytes: where all this begins, behind the values, and how much one slab has. */
typedef struct rl_layout {
    size_t common, offsets, reduced, description, of_values, of_reduced;
} rl_layout;
rl_layout rl_crew_layout(const rl_plan *plan, size_t slab_values);
rl_common *rl_crew_common(const writer *w);
uint64_t *rl_crew_offsets(const writer *w);
double *rl_crew_values(const writer *w, int half);

/* What a crew takes beside one slab. */
double rl_crew_bytes(const writer *w);

/* Has the memory for the values of a half, which this process takes or another one. false: there is none, or the other
 * one takes longer than so many seconds. */
bool rl_crew_fill(writer *w, int half, double patience);

/* A slab that is in work. */
typedef struct rl_slab_work {
    writer *w;
    const group *g;
    const curves *c;
    rl_common *common;
    slab slab;
    rl_reduced *reduced; /* of all rows of parts that are reduced, in their order; NULL: they take too much memory, and
                            are reduced when they are put */
    int half;
    uint32_t number;
    int64_t tasks_together, n_portions[RL_N_PHASES]; /* tasks of a portion; portions of each phase */
} rl_slab_work;

/* Of the slab in a half; its parts are placed there. */
rl_slab_work rl_slab_work_on(writer *w, const group *g, const slab *s, int half, uint32_t number);

/* For whoever asks: all portions are to be taken. false: there is no memory for their statistics. */
bool rl_work_begin(const rl_slab_work *k);

/* Does portions of a phase until all are taken. After a failure everything is over. */
rl_status rl_work_in(const rl_slab_work *k, rl_phase phase);

/* How many portions of a phase are done; whether all are; whether there is nothing more to wait for. */
int64_t rl_work_count(const rl_slab_work *k, rl_phase phase);
bool rl_work_is_done(const rl_slab_work *k, rl_phase phase);
bool rl_work_is_over(const rl_slab_work *k, rl_phase phase);

/* Between two looks at what others do, of which the first ones come one upon the other. */
void rl_work_wait(double since);

/* The next portion of a phase; false: all are taken. */
bool rl_work_take(const rl_slab_work *k, rl_phase phase, int64_t *portion);

/* ---- asking (crew.c) --------------------------------------------------------------------------------------------- */

/* Tells the crew what is shared. */
rl_status rl_crew_begin(writer *w);

/* Memory for a slab: a half of what is shared, or of this process alone; and when all slabs are put, or none is any
 * more. Giving shared memory back takes the last one that has it a while: members have the time. */
rl_status rl_crew_make_room(writer *w);
void rl_crew_end(writer *w);

/* Asks for a slab of a group that is to be put now, or, ahead, next; not twice, and only where each task is there as a
 * whole. */
void rl_crew_ask(writer *w, const group *g, const slab *s, bool ahead);

/* Asks for the first slabs of the file, as long as they are those of curves. */
void rl_ask_for_first(writer *w);

/* Whether it was asked for, and is the next one; makes it with the others, and puts it. */
bool rl_crew_is_next(const writer *w, const group *g, const slab *s);
rl_status rl_crew_put(writer *w, const group *g, const curves *c, const slab *s);

/* Asks for a seal; gets it, unless *there is false. */
rl_status rl_crew_ask_seal(writer *w, const rl_nc_draft *draft, off_t length);
void rl_crew_get_seal(writer *w, rl_crew_sealed *sealed, bool *there);

/* ---- parts of slabs (put_curves.c, blocks.c) --------------------------------------------------------------------- */

/* Some rows of a part, as many as go together. */
typedef struct some_rows {
    const part *part;
    size_t first, n;
} some_rows;
some_rows rl_first_rows(const part *q);
bool rl_next_rows(some_rows *r);

/* Reduces rows; and takes the statistics of all rows of a part, made so. Of a set that is that of the variant before
 * these are not made, but marked. */
void rl_reduce_some(const curves *c, const some_rows *r, rl_reduced *reduced);
void rl_take_reduced(const curves *c, const part *q, const rl_reduced *reduced);

/* Writes the values of a part, if they are kept, and with the last one of a field its statistics. */
rl_status rl_put_reduced(writer *w, const group *g, const curves *c, const part *q);

/* Makes a slab in this process alone, and puts it. */
rl_status rl_put_alone(writer *w, const group *g, const curves *c, slab s);

#endif
