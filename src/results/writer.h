/* One results file on its way, and what the writers of its groups share. Arrays are defined, then filled, in one and
 * the same order. */
#ifndef RL_RESULTS_WRITER_H
#define RL_RESULTS_WRITER_H

#include "../kinds.h"
#include "internal.h"
#include "ridgeless/journal.h"
#include "shared.h"

enum {
    RL_ARRAY_NAME = 64,
    RL_DIMENSIONS = 5, /* of an array, at most */
    RL_SMALL = 4096,   /* bytes of an array of whole numbers that is not worth compressing */
    RL_LARGE = 1 << 20 /* the same of other numbers, of which some are absent: they take more time and get less small */
};

typedef struct rl_group_writer rl_group_writer;

/* The series of one data set or autoencoder. */
typedef struct group {
    const rl_group_writer *writer;
    const rl_series *series; /* [n_series], the plan's */
    int n_series, first;     /* first: its index in the plan */
    int id;
    size_t n_values; /* numbers that filling it wants room for, if more than those of its largest array */
    size_t n_slab;   /* numbers that its slabs want room for: rl_slab_room */
    size_t bytes;    /* that the state takes, while the group is filled */
    void *state;     /* the writer's own */
} group;

/* Large arrays of a group, in their order, are filled from its records slab by slab: a slab is as many rows of as many
 * of them as there is room for, at least one row, and one pass over the records. */
typedef struct extent {
    size_t n_rows, width; /* 0 rows: it is left out */
} extent;
enum { RL_MOST_PARTS = 32 };
typedef struct part {
    int array; /* its index among the extents */
    size_t first, n, width;
    double *values;   /* [n, width], borrowed from the writer */
    rl_range repeats; /* that it has, where the group's kind tells them apart */
} part;
typedef struct slab {
    part parts[RL_MOST_PARTS];
    int n;
} slab;

/* A slab that the crew was asked for (crew.h). */
enum { RL_MOST_CREW = 4, RL_HALVES = 2 };
typedef struct rl_asked {
    const struct group *g;
    slab slab;
    int half;        /* of the shared memory, where it is made */
    uint32_t number; /* each has another one */
} rl_asked;

/* An array of the file, once it is defined. */
typedef struct variable {
    char name[RL_ARRAY_NAME];
    const char *in; /* the group's name, borrowed */
    int group, id;
    nc_type type;
    int n_dimensions;
    size_t lengths[RL_DIMENSIONS];
    size_t count;  /* of values */
    size_t n_put;  /* of these */
    uint64_t hash; /* of the values put */
    bool original; /* cannot be worked out from other arrays */
    bool packed;   /* in compressed chunks */
    bool in_parts; /* see array */
} variable;

typedef struct writer {
    rl_nc file;               /* that of the draft, or of the one that is compared */
    struct XXH3_state_s *sum; /* of the array that is being filled or read */
    const rl_plan *plan;
    const rl_journal *journal;
    size_t slab_bytes; /* as many as a slab has at most, if that is a row */
    group *groups;     /* [n_groups] */
    int n_groups;
    variable *variables; /* in the order of definition */
    int n_variables, capacity, n_filled;
    /* Room for any array that is put as a whole, and for what any group wants: as numbers, and as they are stored; and
     * for one slab. None of it grows with the number of repeats, but for what one set has. */
    double *values;
    void *stored;
    size_t stored_bytes;
    double *slab; /* of this process alone, or the half of the shared memory in which nothing is made ahead */
    size_t slab_values;
    rl_overflow overflow;
    const rl_crew *crew;       /* NULL: nobody else does anything */
    int members[RL_MOST_CREW]; /* [n_members]: those that were told of what is shared */
    int n_members;
    shared shared; /* with them; nothing: they make no slabs */
    bool is_filled[RL_HALVES];
    int half;                  /* of it, that `slab` is */
    uint32_t n_old;            /* slabs that they were asked for */
    rl_asked asked[RL_HALVES]; /* [n_asked]: those that wait, in the order that they will be put in */
    int n_asked;
    bool has_failed; /* some of the crew: it is asked for nothing more */
    bool seal_is_coming;
    rl_results_seconds seconds;
} writer;

/* How the series of a kind become a group. */
struct rl_group_writer {
    rl_status (*measure)(const writer *w, group *g); /* makes the state, and says what filling the group will take */
    rl_status (*define)(writer *w, group *g);        /* the group with its dimensions, attributes and arrays */
    rl_status (*fill)(writer *w, group *g);          /* all its arrays, from the journal */
    void (*destroy)(void *state);
};
#define RL_WRITER(kind) extern const rl_group_writer rl_##kind##_writer;
RL_KINDS(RL_WRITER)
#undef RL_WRITER

/* Whether the summaries of all groups stay in memory from when they are defined until they are filled: where they take
 * no more than a slab. */
bool rl_summaries_stay(const writer *w);

/* Makes the groups and their states; and forgets them. */
rl_status rl_measure_groups(writer *w);
void rl_forget_groups(writer *w);

/* ---- defining ---------------------------------------------------------------------------------------------------- */

/* Begins the group, with those of dimensions[n] that have a length. */
typedef struct dimension {
    const char *name;
    size_t length;
} dimension;
rl_status rl_begin_group(writer *w, group *g, const dimension *dimensions, size_t n);

typedef struct array {
    const char *name, *long_name; /* long_name NULL: neither that nor a unit */
    const char *dimensions;       /* their names, with blanks between */
    nc_type type;
    size_t least;                      /* bytes from which on it is compressed; 0: never */
    int apart;                         /* leading dimensions of which a chunk has one entry */
    const char *coordinates, *comment; /* NULL: none */
    bool original;                     /* see variable */
    bool nan;                          /* see rl_put_nan */
    bool in_parts;                     /* it may be large: is put by rl_put_rows, some rows at a time */
} array;

/* Defines what the group has the dimensions for; the others are left out. A chunk of what is compressed is as many
 * trailing dimensions as fit. */
rl_status rl_define_array(writer *w, const group *g, const array *a);
rl_status rl_define_arrays(writer *w, const group *g, const array *arrays, size_t n);

/* Of the last one defined: NaN where nothing is; a text (NULL: none); what the numbers of a status mean. */
const variable *rl_last_variable(const writer *w);
rl_status rl_put_nan(const writer *w);
rl_status rl_put_fill(const writer *w, const void *value); /* of its type, where nothing is */
rl_status rl_put_text(const writer *w, const char *name, const char *text);
rl_status rl_put_flags(const writer *w, const signed char *flags, size_t n, const char *meanings);

/* ---- filling ----------------------------------------------------------------------------------------------------- */

/* What the journal has of a group's tasks. */
typedef struct taken {
    writer *w;
    const group *g;
    const rl_task *task;
    const rl_series *series; /* the task's */
    size_t p;                /* its index in the group */
    void *state;             /* the caller's */
} taken;

/* The tasks of a series that begin at some repeats: [*first, *end). */
void rl_tasks_at(const rl_plan *plan, int series, rl_range repeats, int64_t *first, int64_t *end);

/* Calls `take` with every record of the group's tasks that begin at some repeats, as rl_journal_visit. *sound false:
 * the record is none that the series' kind writes, which is a failure. */
typedef rl_status (*rl_record_taker)(const taken *t, const rl_record *record, const int *target, bool *sound);
rl_status rl_read_group(writer *w, const group *g, rl_range repeats, rl_record_taker take, void *state);

/* The same of tasks [first, end) of the plan, which are the group's. */
rl_status rl_read_tasks(writer *w, const group *g, int64_t first, int64_t end, rl_record_taker take, void *state);

/* Fill the next array in the order of definition, which is this one; its values, texts excepted, are compared
 * afterwards. Indices: first, first + 1, ..., and nothing where the array was left out. Rows: the next n, each of
 * `width` values, as many as some trailing dimensions have; the array is filled when all its rows are there. */
rl_status rl_put_values(writer *w, const char *name, const void *values);
rl_status rl_put_indices(writer *w, const char *name, int first);
rl_status rl_put_rows(writer *w, const char *name, size_t width, size_t n, const void *values);

/* Room that the arrays want as they are stored: all that are put as a whole, and some part of others. */
enum { RL_ARRAY_PART = 1024 * 1024 /* bytes of an array that are read in one go, if it was not put as a whole */ };
size_t rl_room_for_arrays(const writer *w);

/* What HDF5 is sure to write of them. */
size_t rl_plain_bytes(const writer *w);

/* ---- slabs ------------------------------------------------------------------------------------------------------- */

/* Numbers of the largest slab. */
size_t rl_slab_room(const writer *w, const extent *extents, int n);

/* The slab behind this one; behind an empty one the first. false: there is none. */
bool rl_next_slab(const writer *w, const extent *extents, int n, slab *s);

/* Its values stand one part behind the other from there on. */
void rl_place_slab(slab *s, double *values);

/* ---- comparing --------------------------------------------------------------------------------------------------- */

/* Opens the finished file again and compares every original value with what was put there. */
rl_status rl_verify_arrays(writer *w, const char *finished);

#endif
