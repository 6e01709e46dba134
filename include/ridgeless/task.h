/* task: a piece of a study, from what it is to the record that it leaves.
 *
 * A *series* is cut into *tasks*. Its *kind* says what is computed, and of curves its *method* how. A *worker* begins a
 * task, advances until it has ended, and hands over *records*, which are sent and journaled as they are: whoever shares
 * tasks among ranks, keeps records or looks for them knows no kind.
 *
 * Functions are local unless they say otherwise. */
#ifndef RIDGELESS_TASK_H
#define RIDGELESS_TASK_H

#include "ridgeless/autoencoder.h"
#include "ridgeless/core.h"
#include "ridgeless/data.h"
#include "ridgeless/distributed.h"
#include "ridgeless/fit.h"
#include "ridgeless/study.h"

/* [first, first + n) */
typedef struct rl_range {
    int first, n;
} rl_range;
static inline int rl_range_end(rl_range range) {
    return range.first + range.n;
}

typedef struct rl_kind rl_kind;
typedef struct rl_method rl_method;

/* ---- series and tasks -------------------------------------------------------------------------------------------- */

/* One data set at one number of features P, or one autoencoder at one number of hidden dimensions m: all its N and all
 * its repeats. The series of a data set stand one after the other in the plan, P ascending, and so do those of an
 * autoencoder, m ascending: together they are a group of the results file. */
typedef struct rl_series {
    const rl_study *study; /* borrowed */
    const rl_kind *kind;
    const char *name;  /* of the group; borrowed from the study */
    int line;          /* of the group in the study file */
    int n_features;    /* P; of an autoencoder, m */
    uint64_t checksum; /* of the rows; of an autoencoder, its number of features */
    int *n_train;      /* [n_n_train], ascending, distinct; owned. Each P has its own */
    int n_n_train;
    int n_parts;               /* tasks that one repeat is cut into: 1, or n_n_train */
    int longest_span;          /* repeats that a task has at most */
    int ranks_per_case;        /* as the study has it: a number, or RL_RANKS_... */
    bool on_grid;              /* its tasks are computed on process grids */
    double checkpoint_seconds; /* between two states of a restorable task, at least */
    int64_t first_task;        /* of the plan's */

    /* of a data set */
    const rl_study_dataset *spec; /* borrowed from the study; NULL: the series is an autoencoder's */
    rl_dataset data;              /* a view of the plan's data set */
    int max_modes;                /* min(largest n_train, P) */
    int n_points;                 /* test points whose predictions are kept; 0: none */
    const rl_method *method;
    rl_producer producer; /* of full spectra */
    bool *sigma_wanted;   /* [n_n_train]: singular_values; owned */
    bool *full;           /* [n_n_train]: full_spectra, where the method is nested; false for all otherwise; owned */

    /* of an autoencoder */
    const rl_study_autoencoder *autoencoder; /* borrowed from the study */
    rl_key key;                              /* that its numbers are drawn by */
} rl_series;

/* The part of a series that is computed at one go: some repeats, at some N. */
typedef struct rl_task {
    int series;       /* index of the plan's */
    rl_range repeats; /* one, but of summaries */
    rl_range n_train; /* indices of the series' n_train */
    double flops;     /* predicted; a multiplication and an addition are two */
} rl_task;

/* What computing comes to, sorted by how fast it goes. */
typedef struct rl_effort {
    double dense;   /* flops of LAPACK's spectra of the series' number of features, and of what is alike */
    double updates; /* flops of spectra that are made of those before them: faster than dense ones */
    double factors; /* flops of QR factorizations of many rows: as dense ones, or products of matrices, but slower */
    double lanes;   /* flops of repeats side by side in vector registers */
    double rows;    /* flops of products of a training set's rows with vectors, each of `rows_bytes` on average */
    double rows_bytes;
    double products; /* flops of products of matrices */
    double outputs;  /* flops of an autoencoder's outputs and sums over them */
    double normals;  /* standard normal numbers drawn */
    double words;    /* blocks of random words drawn, one after the other */
    double cells;    /* that are told apart, for what each takes beside its flops */
} rl_effort;

/* What there is of a series when all of it is there. A *piece* is one task at one of its repeats, which people call a
 * curve or a training; a *point* is one N at one repeat, for people a spectrum or a training; a *cell* is one variant
 * of a point. */
typedef struct rl_count {
    int64_t pieces, points, cells;
} rl_count;
rl_count rl_series_count(const rl_series *series);

/* A task for people, like "`diabetes`, P = 10, repeat 3, N = 1 ... 39" or "`toy`, m = 2, T = 100, repeat 3", into
 * text[size]. */
void rl_task_text(const rl_series *series, const rl_task *task, char *text, size_t size);

/* ---- records ----------------------------------------------------------------------------------------------------- */

/* One N of a record, and how it ended there: 0 is well, everything else is a matter of the kind (of curves and
 * trainings a status, of summaries the number of failed spectra). */
typedef struct rl_outcome {
    int32_t n_train, outcome;
} rl_outcome;

/* What a worker leaves of a task: some of its repeats at some of its N, finished; or the state of a task under way,
 * from which it can be gone on with. */
typedef struct rl_record {
    rl_range repeats;
    int n;                      /* N that it has; 0: there is nothing */
    const rl_outcome *outcomes; /* [n], N ascending; borrowed */
    int step;                   /* of a state: how far it has come; RL_FINISHED: the task, at these repeats and N */
    const void *content;        /* [length], 8-byte aligned; known to the kind alone; borrowed */
    size_t length;              /* bytes, a multiple of 8 */
    /* NULL: it holds what the series asks for. Else of curves more, or in another order: n_variants of them, among
     * which those of the series, [its n_variants], have these places; borrowed. */
    const int *variants;
    int n_variants;
    /* Some of its numbers came by BLAS, so that their bits are a matter of the arithmetic; and where that is known, by
     * which one (rl_context_arithmetic), NULL otherwise; borrowed. */
    bool by_blas;
    const char *arithmetic;
} rl_record;
enum { RL_FINISHED = -1 };

/* Points of a record that failed; and whether this many of them did. */
int64_t rl_record_failed(const rl_kind *kind, const rl_record *record);

/* A record as bytes, a multiple of 8: appended to `bytes`, without its arithmetic. The inverse borrows from
 * bytes[length], 8-byte aligned; *used: bytes that it took; RL_ERR_INPUT where they are too few. */
rl_status rl_record_append(const rl_record *record, rl_text *bytes);
rl_status rl_record_read(const void *bytes, size_t length, rl_record *record, size_t *used);

/* Whether records of a study whose settings said this of the series' data set are such that this study would leave, but
 * for what they hold beyond it: by the same kind, and of curves by the same method, so that numbers have the same bits.
 */
bool rl_series_takes(const rl_series *series, const rl_former *former);

/* Whether the numbers of a series go through BLAS. Where they do not, few spectra still may: what a method leaves to
 * full ones. */
bool rl_series_by_blas(const rl_series *series);

/* ---- workers ----------------------------------------------------------------------------------------------------- */

/* The ranks that work on one task together. */
typedef struct rl_group {
    int rank, size;
    const rl_process_grid *process_grid; /* of these ranks, for series on process grids; NULL: there are none */
    /* Collective on the group, and NULL where there is but one rank: makes sums[n] the sums over all, the same bits on
     * each; and everybody's worst status, with the message of the lowest rank that failed. */
    rl_status (*add_up)(const void *state, double *sums, int64_t n);
    rl_status (*agree)(const void *state, rl_status status);
    const void *state;
} rl_group;
#define RL_ALONE ((rl_group){.size = 1})

/* What a worker is to compute: tasks of one series, each with the repeats that are wanted of it. More than one where
 * rl_most_together says so, all of the same N. */
typedef struct rl_work {
    const rl_task *tasks; /* [n], borrowed until the work has ended */
    int n;
    const bool *wanted;     /* [n_train.n]: the N that are wanted; NULL: all; borrowed */
    const rl_record *state; /* to go on from; NULL: from the start. Used by rl_worker_begin alone */
} rl_work;

/* About what one task comes to in the journal, and in what results are made of, in bytes. */
double rl_kept_bytes(const rl_series *series, const rl_task *task);

/* How many tasks of a series may be computed side by side, which is the quicker; 1: each alone. */
int rl_most_together(const rl_series *series);

/* Buffers for the tasks of series, the plan's array, which stays the caller's; they grow as needed and are reused.
 * Every rank of the group has a worker, and where size is above 1 or the series is on process grids, all functions are
 * collective on the group and give the same status everywhere. */
typedef struct rl_worker rl_worker;
rl_status rl_worker_create(const rl_series *series, rl_group group, rl_worker **worker);
void rl_worker_destroy(rl_worker *worker);

/* Begins `work`, whatever came before. */
rl_status rl_worker_begin(rl_worker *worker, const rl_work *work);

/* Computes on. *ended: the work is done, and rl_worker_record has it. false: it has come to a place where it can be
 * left, and gone on with by this worker or, from its state, by another one; only kinds that are `restorable` do that.
 * The tick is asked between pieces that cannot be gone on with; RL_STOPPED when it said stop: what was finished is in
 * the records nevertheless. After any other failure there is nothing. Numerical failures are outcomes of records.
 *
 * The numbers of a task depend on the series and the task alone, not on which other N are wanted, on what the worker
 * has computed before, or on how often it was left; on a process grid, to eps x condition, also on its shape. */
rl_status rl_worker_advance(rl_worker *worker, rl_tick tick, bool *ended);

/* The record of tasks[i] of the work, once it has ended or was stopped; and the state of work that has not. Borrowed
 * until the next call. */
rl_status rl_worker_record(rl_worker *worker, int i, rl_record *record);
rl_status rl_worker_save(rl_worker *worker, rl_record *state);

/* Bytes that a worker alone allocates for a series, exactly: its buffers, the content of its records, and what the
 * method makes. On process grids see rl_predict_task (plan.h). */
size_t rl_worker_bytes(const rl_series *series);

/* ---- kinds ------------------------------------------------------------------------------------------------------- */

/* One kind of work: a row of src/kinds.h. The README of this room says how to add one, or a method. */
struct rl_kind {
    const char *name;
    uint32_t number; /* in journals: never renumber */
    /* What people call a piece and a point of it, one and several; and what happens to points that fail, after "3 of 7
     * spectra ". */
    const char *piece, *pieces, *point, *points, *fate;
    /* Of a piece and of a point, for people who meet the word; NULL: the word says it. */
    const char *piece_gloss, *point_gloss;
    const char *lasting; /* what failed points are that no other try would change, after "3 more"; NULL: not told */
    bool restorable;     /* work can be left between two advances, and is gone on with from its state */
    int (*steps)(const rl_series *series, const rl_task *task); /* of such work: as its states count them */

    /* laying out */
    bool (*suits)(const rl_series *series);  /* the first row that suits a series is its kind */
    rl_status (*lay_out)(rl_series *series); /* method, n_parts, longest_span, on_grid: what is zero in the series.
                                                RL_ERR_INPUT: the study asks for what it cannot have */
    double (*flops)(const rl_series *series, rl_range n_train); /* of one repeat */
    /* The same, of one of the ranks that share a task; NULL: all are dense, and each has all of them. */
    rl_effort (*effort)(const rl_series *series, rl_range n_train, int ranks);
    size_t (*bytes)(const rl_series *series); /* see rl_worker_bytes */
    /* Of a task that ranks share: how often they add up how many numbers; NULL: never. */
    void (*sums)(const rl_series *series, const rl_task *task, double *times, double *numbers);
    void (*text)(const rl_series *series, const rl_task *task, char *text, size_t size);
    /* Of a task with the repeats that are wanted of it: the part that must end in the time left for it to be begun, as
     * what is finished then is kept or gone on with (NULL: all of it); and about how many bytes it is in results (NULL:
     * next to none). */
    double (*least_part)(const rl_series *series, const rl_task *task);
    double (*kept_bytes)(const rl_series *series, const rl_task *task);
    int (*together)(const rl_series *series); /* see rl_most_together; NULL: 1 */

    /* computing: as the functions of rl_worker; `buffers` is the kind's own, made by `create` for one series */
    rl_status (*create)(const rl_series *series, const rl_group *group, void **buffers);
    void (*destroy)(void *buffers);
    rl_status (*begin)(void *buffers, const rl_work *work);
    rl_status (*advance)(void *buffers, rl_tick tick, bool *ended);
    rl_status (*record)(void *buffers, int i, rl_record *record);
    rl_status (*save)(void *buffers, rl_record *state); /* NULL unless restorable */

    /* what was computed. A checksum keeps no nonsense out: is_sound says whether a record is one that this kind may
     * have written for the series. *sound false: it is not. */
    rl_status (*check)(const rl_series *series, const rl_record *record, bool *sound);
    int64_t (*failed)(int outcome); /* points of a record's N that failed */
    bool (*retryable)(int outcome); /* another try may end otherwise; NULL: never */
    void (*complaint)(const rl_record *record, char *text,
                      size_t size); /* about a record some of whose points failed */
};

/* NULL-terminated. */
extern const rl_kind *const rl_kinds[];

/* NULL: there is none of that number. */
const rl_kind *rl_kind_find(uint32_t number);

/* The first one that suits a series. */
const rl_kind *rl_kind_of(const rl_series *series);

/* The first kind of the table whose pieces people call the same, like curves: for all of them together things are
 * counted. Kinds that are counted together give the same pointer. */
const rl_kind *rl_kind_noun(const rl_kind *kind);

/* Whether a piece is but one point, like a training, so that there is no more to count. */
bool rl_kind_is_point(const rl_kind *kind);

/* ---- what curves leave ------------------------------------------------------------------------------------------- */

/* The numbers of a curve: one flat array of doubles. Offsets into it; index [i_n * n_variants + variant] for cells,
 * [i_n] for spectra, [i_n * max_modes + r] for modes (NaN beyond n_modes), [(i_n * max_modes + r) * n_directions + j]
 * for directions. */
typedef struct rl_curve_layout {
    int n_n_train, n_variants, max_modes;
    size_t test_mse, train_mse;
    size_t population_mse;          /* cells; present when the design is known */
    size_t distance;                /* cells; present when some variant approaches least squares (rl_errors) */
    size_t modes_kept;              /* cells; present when some variant leaves modes out (rl_errors) */
    size_t measured[RL_N_MEASURES]; /* cells; present when the study asks for it */
    size_t sigma_min, sigma_max, rank, test_bias_sq, test_bias_mse, status; /* spectra */
    size_t sigma, test_projection_rms, residual_projection; /* modes; present when the study keeps them */
    size_t direction;   /* v_r, n_directions numbers per mode; present when the study keeps them */
    int n_directions;   /* n_features; 0: no directions are kept */
    size_t predictions; /* [(i_n * n_variants + variant) * n_points + point]; NaN of repeats whose are not kept */
    int n_points;       /* 0: there are none */
    bool has_population, has_distance, has_modes_kept, has_modes;
    unsigned measures; /* rl_measure_kind: 1u << each that is there */
    size_t length;     /* doubles */
} rl_curve_layout;

/* Of a task of the series; and one that holds the same (counts and flags), of another number of N. */
rl_curve_layout rl_curve_layout_of(const rl_series *series);
rl_curve_layout rl_curve_layout_like(const rl_curve_layout *like, int n_n_train);

/* N `i` of a curve becomes one that was not computed: NaN, and the status RL_CELL_MISSING. */
void rl_curve_clear(const rl_curve_layout *layout, int i, double *curve);

/* What the layout says of N `i` of one curve becomes N `j` of another of the same data set, whose variants are these of
 * the first one's (NULL: the same). The other has nothing that the first one has not, but perhaps room for another
 * number of modes: beyond those there are comes NaN. */
void rl_curve_copy(const rl_curve_layout *from, const double *source, int i, const int *variants,
                   const rl_curve_layout *to, double *target, int j);

static inline rl_cell_status rl_curve_status(const rl_curve_layout *layout, const double *curve, int i) {
    return (rl_cell_status)curve[layout->status + (size_t)i];
}

/* The record of those N of a task's curve that are not missing; it borrows from room[rl_curve_record_bytes], 8-byte
 * aligned, whose content it replaces. */
size_t rl_curve_record_bytes(const rl_series *series);
rl_record rl_curve_record(const rl_series *series, const rl_task *task, const double *curve, char *room);

/* What the series asks for of the curve, all or some N, that a finished record of the kind `curves` holds: *layout is
 * the series' own but for the N and modes of the record, *curve [layout->length] is the caller's (rl_free). *sound
 * false, and nothing is made: the record is not one. */
rl_status rl_curve_of_record(const rl_series *series, const rl_record *record, rl_curve_layout *layout, double **curve,
                             bool *sound);

/* ---- what trainings leave ---------------------------------------------------------------------------------------- */

/* What a training of the series trains: the one of n_train[i]. The content of its records is the doubles of
 * rl_training_record, and of its states those of rl_training_save. */
rl_autoencoder rl_training_model(const rl_series *series, int i);

/* ---- methods ----------------------------------------------------------------------------------------------------- */

/* One way to compute the spectra of curves: a row of src/task/methods.c, of which the first one that suits a series is
 * taken. Its number is in results files (`task_way` of provenance): never renumber. */
const char *rl_method_text(const rl_method *method); /* for people, like "full spectra, updated row by row" */
int rl_method_number(const rl_method *method);
bool rl_method_cuts_curves(const rl_method *method); /* each N is a task of its own */
const rl_method *rl_method_find(int number);

#endif
