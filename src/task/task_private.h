/* Private to `task`: the buffers of a curve, and the ways to compute one. */
#ifndef RL_TASK_PRIVATE_H
#define RL_TASK_PRIVATE_H

#include "ridgeless/bulk.h"
#include "ridgeless/nested.h"
#include "ridgeless/summary.h"
#include "ridgeless/updated.h"

struct rl_task {
    const rl_plan *plan;
    const rl_process_grid *process_grid; /* NULL: none */
    int grid;                            /* the one that the buffers below are for; -1: none */
    rl_record_layout layout;
    int max_train;
    rl_rows rows;
    double *train_x, *train_y; /* [max_train, n_features] row-major, [max_train]: the longest training set */
    double *chunk_x, *chunk_y; /* [factor.capacity, n_features], [factor.capacity]: test rows on their way in */
    rl_test_factor factor;
    rl_errors *errors; /* [n_variants] */
    /* full spectra; also for what the nested factorization leaves to them: then made when first needed */
    rl_dense_producer *producer;
    rl_evaluator *evaluator;
    /* algorithms on rows, and predictions; NULL where the grid asks for neither */
    double *betas;        /* [n_features, n_variants], column-major */
    double *start, *room; /* [n_features]; [max(max_train, order)] */
    double *points;       /* [n_points, n_features], row-major */
    /* nested factorization */
    rl_nested *nested;
    rl_point *nested_points; /* [n_n_train] */
    bool *left;              /* [n_n_train]; also of updated spectra */
    rl_updated *updated;
    /* several curves side by side */
    rl_bulk *bulk;
    rl_test_factor all_rows; /* of a dataset whose rows are not drawn anew */
    bool *bulk_left;         /* [RL_BULK_LANES][n_n_train] */
    /* summaries */
    double *block;   /* [repeats that wait together, layout.length]: records; NULL until the first span */
    int *span_sizes; /* [n_n_train] */
    rl_summary summary;
    /* process grids */
    rl_spectrum_store store;
};

/* Buffers for a curve's grid. */
rl_status rl_task_prepare(rl_task *t, const rl_curve *curve);

/* Records of n curves of one grid, each of one repeat, into records of t->layout one after the other; all of the same
 * sizes wanted, and more than one where repeats go side by side alone. t is prepared for them, and the records come
 * cleared. */
void rl_task_clear_records(const rl_task *t, int n, double *records);
rl_status rl_task_records(rl_task *t, const rl_curve *curves, int n, const bool *wanted, rl_tick tick, double *records);

/* Loads the longest training set, and the test factor with all rows after it. `first_row_last`: each training set is
 * the tail of the arrays and lies there in the published program's own order, on which rounding depends; else each is
 * their head. */
rl_status rl_task_load_rows(rl_task *t, int repeat, bool first_row_last);

/* The longest training set as it was loaded. */
rl_training_set rl_task_longest_set(const rl_task *t, const rl_grid *g);

/* The evaluator; and the dense producer with it. */
rl_status rl_task_prepare_evaluator(rl_task *t);
rl_status rl_task_prepare_spectra(rl_task *t);

/* `wanted`, of all ways: one flag an N of the curve, or NULL: all. The record comes cleared. */

/* Every N by its own full spectrum. */
rl_status rl_spectrum_curve(rl_task *t, const rl_curve *curve, const bool *wanted, rl_tick tick, double *record);

/* All N together; what must not be done so, by full spectra. */
rl_status rl_nested_way_curve(rl_task *t, const rl_curve *curve, const bool *wanted, rl_tick tick, double *record);

/* Every N by the spectrum of the one before it; what must not be done so, by full spectra. */
rl_status rl_updated_way_curve(rl_task *t, const rl_curve *curve, const bool *wanted, rl_tick tick, double *record);

/* All N of n curves of t->grid, into records of t->layout one after the other; what must not be done so, by full
 * spectra. */
rl_status rl_task_prepare_bulk(rl_task *t, const rl_grid *g);
rl_status rl_bulk_curves(rl_task *t, const rl_curve *curves, int n, const bool *wanted, rl_tick tick, double *records);

/* On the process grid; collective. Every N of the curve by the producer, or all N together: what must not be done so,
 * and what the study wants full spectra of, by the producer. */
rl_status rl_grid_spectrum_curve(rl_task *t, const rl_curve *curve, const bool *wanted, double *record);
rl_status rl_grid_nested_curve(rl_task *t, const rl_curve *curve, const bool *wanted, rl_tick tick, double *record);

/* One N of the rows as they are arranged, into place i of the record; and a spectrum whose rows the grid holds. */
rl_status rl_grid_spectrum(rl_task *t, const rl_grid *g, int size, int i, double *record);
rl_status rl_task_record_shared(rl_task *t, const rl_grid *g, const rl_spectrum *s, int i, double *record);

/* Records the wanted t->nested_points but for sizes that a full spectrum has to do, or is to: those are t->left, and
 * *some_left says whether there are any. Local. */
rl_status rl_task_record_points(rl_task *t, const rl_grid *g, const bool *wanted, double *record, bool *some_left);

/* What full spectra on one rank have beside their errors: the algorithms on rows, into t->errors, and predictions. */
rl_status rl_task_prepare_rows(rl_task *t);
void rl_task_run_on_rows(rl_task *t, const rl_training_set *train, const rl_spectrum *s);
void rl_task_record_predictions(rl_task *t, const rl_spectrum *s, int i, double *record);

rl_population rl_task_population(const rl_grid *g);

/* Place i of a record, which comes cleared. A point brings its errors along; those of a spectrum go beside it. */
rl_status rl_task_record_point(rl_task *t, const rl_grid *g, const rl_point *p, int i, double *record);
rl_status rl_task_record_spectrum(const rl_record_layout *l, const rl_spectrum *s, int i, double *record);
void rl_task_record_errors(const rl_record_layout *l, const rl_errors *errors, int i, double *record);

#endif
