/* The crew (results.h): others who collect and reduce shares of slabs, and seal the file, while this process writes it.
 * What it asks them for, and what they answer.
 *
 * They are told how to open the journal first. Of a slab of curves each member collects some rows of every part, and
 * this process, which has the writing to do as well, fewer. A member answers the slabs that it is asked for in their
 * order: with a status, and then, part by part, with the statistics of its rows, if the part is reduced, and with their
 * values, if they are kept, some rows at a time. What does not come is collected here. */
#ifndef RL_RESULTS_CREW_H
#define RL_RESULTS_CREW_H

#include <sys/stat.h>

#include "curves.h"

/* ---- what is asked ----------------------------------------------------------------------------------------------- */

typedef enum rl_crew_kind { RL_CREW_JOURNAL, RL_CREW_SLAB, RL_CREW_SEAL } rl_crew_kind;

/* Every job begins with its kind. Behind it: what rl_journal_describe says. */
typedef struct rl_crew_job {
    int64_t kind;
} rl_crew_job;

/* Behind it: where the record of each task begins that the group has at these repeats (uint64_t). */
typedef struct rl_crew_slab {
    rl_crew_job job;
    int64_t group; /* its index */
    int64_t is_whole;
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

/* ---- asking (crew.c) --------------------------------------------------------------------------------------------- */

/* Tells the crew of the journal. */
rl_status rl_crew_begin(writer *w);

/* Asks for a slab of a group that is to be put next, or behind that one; not twice, and only where each task is there
 * as a whole. */
rl_status rl_crew_ask(writer *w, const group *g, const slab *s);

/* Asks for the first slab of the first group of curves from g on, if that is filled slab by slab. */
rl_status rl_ask_for_group(writer *w, const group *g);

/* Whether it was asked for, and is the next one; collects this process's share of it, and puts all. */
bool rl_crew_is_next(const writer *w, const group *g, const slab *s);
rl_status rl_crew_put(writer *w, const group *g, const curves *c, const slab *s);

/* Asks for a seal; gets it, unless *there is false. */
rl_status rl_crew_ask_seal(writer *w, const rl_nc_draft *draft, off_t length);
void rl_crew_get_seal(writer *w, rl_crew_sealed *sealed, bool *there);

/* ---- shared with members ----------------------------------------------------------------------------------------- */

/* Some rows of a part, as many as go together. */
typedef struct some_rows {
    const part *part;
    size_t first, n;
} some_rows;
some_rows rl_first_rows(const part *q);
bool rl_next_rows(some_rows *r);

/* Reduces all rows of a part to c->d.reduced. */
void rl_reduce_part(const curves *c, const part *q);

/* Puts a part of a slab, or some of its rows, but for the statistics of its field. */
rl_status rl_put_some(writer *w, const group *g, const curves *c, const part *q);
rl_status rl_put_values_of(writer *w, const some_rows *r);

/* All rows of a part have been put: with the last one of a field go its statistics. */
rl_status rl_end_part(writer *w, const curves *c, const part *q);

#endif
