/* Private to `task`: what computes curves has, and the methods. */
#ifndef RL_TASK_CURVES_H
#define RL_TASK_CURVES_H

#include "ridgeless/task.h"

/* Buffers for the curves of one series, by its method. */
typedef struct rl_curves {
    const rl_series *series;
    const rl_group *group;
    rl_curve_layout layout;
    rl_population population;
    rl_rows rows;
    rl_errors *errors;     /* [n_variants] */
    rl_measured *measured; /* [n_variants]; NULL: none are asked for */
    rl_point *found;       /* [n_n_train], where the method has points */
    bool *remaining;       /* [tasks side by side][n_n_train]: what the method leaves to full spectra */
    void *made;            /* by the method; NULL: nothing */
    bool by_blas;          /* some numbers of what was computed since it was last set to false */
    /* on one rank */
    int max_train;
    double *train_x, *train_y; /* [max_train, n_features] row-major, [max_train]: the longest training set */
    int capacity;
    double *chunk_x, *chunk_y; /* [capacity, n_features], [capacity]: test rows on their way into the factor */
    rl_test_factor factor;
    /* full spectra, also for what other methods leave to them */
    double *ut; /* [max_modes, max_train]: left singular vectors; NULL: nobody wants them */
    rl_dense_producer *producer;
    rl_evaluator *evaluator;
    /* algorithms on rows, and predictions; NULL where the series asks for neither */
    double *betas;        /* [n_features, n_variants], column-major */
    double *start, *room; /* [n_features]; [max(max_train, order)] */
    double *solver_room;  /* [rl_room_on_rows] of the longest training set */
    double *points;       /* [n_points, n_features], row-major */
    /* measures of test rows; NULL where they are not asked for */
    double *said;    /* [capacity, n_variants], column-major: predictions */
    double *squares; /* [n_rows, n_variants], column-major: squared errors */
    double *wrong;   /* [n_variants]: how many rows are on the wrong side */
} rl_curves;

rl_status rl_curves_create(const rl_series *series, const rl_group *group, rl_curves **curves);
void rl_curves_destroy(rl_curves *curves);

/* Computes tasks of one repeat each into curves of c->layout, one after the other; all of the same N wanted. RL_STOPPED
 * when the tick said so: what was not reached is missing. */
rl_status rl_curves_compute(rl_curves *c, const rl_task *tasks, int n, const bool *wanted, rl_tick tick,
                            double *curves);

/* What curves and summaries have in common as kinds: what people call it; method, producer, on_grid, full; and the
 * words for a task. */
#define RL_CURVES_WORDS                                                                                     \
    .piece = "curve", .pieces = "curves", .point = "spectrum", .points = "spectra",                         \
    .piece_gloss = "a curve: all N of one repeat", .point_gloss = "a spectrum belongs to one training set", \
    .fate = "could not be computed; the variable `status` says which and why",                              \
    .lasting = "are counted in summaries, which are not done again in part"
rl_status rl_curves_lay_out(rl_series *series);
void rl_curves_text(const rl_series *series, const rl_task *task, char *text, size_t size);

/* How many variants are no truncation: they need more than the fits of leading modes. */
int rl_count_filters(const rl_study_dataset *spec);

/* How many of one repeat each may be computed side by side. */
int rl_curves_together(const rl_series *series);

/* Flops of some N of one repeat, what they come to, and bytes of all of the above. */
double rl_curves_flops(const rl_series *series, rl_range n_train);
rl_effort rl_curves_effort(const rl_series *series, rl_range n_train, int ranks);
size_t rl_curves_bytes(const rl_series *series);

/* ---- methods ----------------------------------------------------------------------------------------------------- */

enum { RL_FLOPS_OF_STEP = 4 }; /* of an algorithm on the training rows: for each of their numbers */

/* Flops in vector registers go so much faster than those of LAPACK at these sizes, roughly: by this methods are chosen,
 * so it stays as it is. */
enum { RL_LANES_SPEED = 12 };

struct rl_method {
    int number; /* in results files: never renumber */
    const char *text;
    bool on_grid;
    bool n_apart;    /* each N is a task of its own */
    bool has_rows;   /* its spectra have the longest training set's rows beside the test factor's */
    bool has_points; /* it makes points */
    bool updates;    /* its spectra are made of those before them, by `flops` that rl_effort tells apart */
    bool no_blas;    /* none of its numbers goes through BLAS, but for what it leaves to full spectra */
    int together;    /* tasks side by side; 0: 1 */
    bool (*suits)(const rl_series *series);
    double (*flops)(const rl_series *series, rl_range n_train); /* of a repeat whose rows are there */
    /* Flops of a repeat in vector registers, of which `flops` counts one in RL_LANES_SPEED; NULL: none. */
    double (*lanes)(const rl_series *series);
    /* of c->made; NULL: nothing is made */
    size_t (*bytes)(const rl_series *series);
    rl_status (*create)(rl_curves *c);
    void (*destroy)(void *made);
    /* Fills a cleared curve, or with `curves`, where several go side by side, n of them; of `wanted`, a flag per N of
     * the tasks, NULL is all. */
    rl_status (*curve)(rl_curves *c, const rl_task *task, const bool *wanted, rl_tick tick, double *curve);
    rl_status (*curves)(rl_curves *c, const rl_task *tasks, int n, const bool *wanted, rl_tick tick, double *curves);
};
extern const rl_method rl_spectra_method; /* what others leave to it, and what directions are kept of */

/* The first method that suits the series. */
const rl_method *rl_method_of(const rl_series *series);

/* What several rows ask. */
bool rl_wants_process_grid(const rl_series *series);
bool rl_may_be_nested(const rl_series *series);          /* every variant has what it needs */
bool rl_has_need(const rl_series *series, rl_need need); /* some variant has this need */
bool rl_needs_rows(const rl_series *series);             /* so has one, or a measure needs the test rows */
bool rl_wants_left(const rl_series *series);             /* a variant or a measure needs left singular vectors */

static inline bool rl_is_wanted(const bool *wanted, int i) {
    return wanted == NULL || wanted[i];
}

/* ---- rows (curves.c) --------------------------------------------------------------------------------------------- */

/* Loads the longest training set, and the test factor with all rows after it. `first_row_last`: each training set is
 * the tail of the arrays and lies there in the published program's own order, on which rounding depends; else each is
 * their head. */
rl_status rl_curves_load_rows(rl_curves *c, int repeat, bool first_row_last);

/* The longest training set as it was loaded. */
rl_training_set rl_curves_longest_set(const rl_curves *c);

/* ---- full spectra (spectra.c, fits_on_rows.c) -------------------------------------------------------------------- */

/* Every wanted N, if there is one, by its own full spectrum on one rank, also for what other methods leave to them. */
rl_status rl_spectra_curve(rl_curves *c, const rl_task *task, const bool *wanted, rl_tick tick, double *curve);
double rl_spectra_flops(const rl_series *series, rl_range n_train); /* without the test rows' */
double rl_test_rows_flops(const rl_series *series, int first);      /* of those after n_train[first] */

/* What full spectra on one rank have beside their errors: the algorithms on rows, into c->errors, and predictions. */
bool rl_fits_on_rows(const rl_series *series); /* whether there are any */
void rl_fit_on_rows(rl_curves *c, const rl_training_set *train, const rl_spectrum *s);
const double *rl_parameters_of(rl_curves *c, const rl_spectrum *s, int v); /* V beta of a variant, in c->betas */
void rl_record_predictions(rl_curves *c, const rl_spectrum *s, int i, double *curve);

/* ---- single test rows (test_rows.c) ------------------------------------------------------------------------------ */

/* Into c->measured, those that are asked for, of a spectrum that is done and of the parameters in c->betas. */
void rl_measure_test_rows(rl_curves *c, const rl_spectrum *s);
double rl_test_rows_measured_flops(const rl_series *series, int n_train);
rl_status rl_check_test_rows_measures(const rl_series *series); /* whether the targets allow them */

/* ---- into a curve (point.c) -------------------------------------------------------------------------------------- */

/* A spectrum, or a point with its errors, becomes N i of a curve; so do c->errors, with the
 * measures of the spectrum that they are of (NULL: there is none). */
rl_status rl_record_spectrum(const rl_curve_layout *l, const rl_spectrum *s, int i, double *curve);
rl_status rl_record_point(rl_curves *c, const rl_point *p, int i, double *curve);
void rl_record_errors(rl_curves *c, const rl_spectrum *s, int i, double *curve);

/* Records the wanted points of c->found but for those N that a full spectrum has to do, or is to: c->remaining. */
rl_status rl_record_points(rl_curves *c, const bool *wanted, double *curve);

/* ---- on process grids (grid_spectra.c) --------------------------------------------------------------------------- */

double rl_grid_spectra_flops(const rl_series *series, rl_range n_train);

/* On the process grid; collective: one N of the rows as they are arranged, into place i of the curve; and a spectrum
 * whose rows the grid holds. */
rl_status rl_grid_spectrum(rl_curves *c, int n_index, int i, double *curve);
rl_status rl_record_shared_spectrum(rl_curves *c, const rl_spectrum *s, int i, double *curve);

#endif
