/* task: one curve of the plan computed whole, rows -> spectra -> errors -> a record. On one rank, or on a process grid,
 * which is handed through. */
#ifndef RIDGELESS_TASK_H
#define RIDGELESS_TASK_H

#include "ridgeless/core.h"
#include "ridgeless/distributed.h"
#include "ridgeless/plan.h"

/* What one curve's record holds: one flat array of doubles, the same on every rank, sent and journaled as it is.
 * Offsets into it; index [i_n * n_variants + variant] for cells, [i_n] for spectra, [i_n * max_modes + r] for modes
 * (NaN beyond n_modes), [(i_n * max_modes + r) * n_directions + j] for directions. */
typedef struct rl_record_layout {
    int n_sizes, n_variants, max_modes;
    size_t test_mse, train_mse;
    size_t population_mse; /* cells; present when the design is known */
    size_t distance;       /* cells; present when some variant approaches least squares (rl_errors) */
    size_t sigma_min, sigma_max, rank, test_bias_sq, test_bias_mse, status; /* spectra */
    size_t sigma, test_projection_rms, residual_projection; /* modes; present when the study keeps them */
    size_t direction;   /* v_r, n_directions numbers a mode; present when the study keeps them */
    int n_directions;   /* n_features; 0: no directions are kept */
    size_t predictions; /* [(i_n * n_variants + variant) * n_points + point]; NaN of repeats whose are not kept */
    int n_points;       /* 0: there are none */
    bool has_population, has_distance, has_modes;
    size_t length; /* doubles */
} rl_record_layout;

/* What the records of a data set hold. */
typedef struct rl_record_shape {
    int n_variants;
    int n_modes;      /* kept of each size; 0: none are */
    int n_directions; /* features of the directions kept; 0: none are */
    int n_points;     /* test points whose predictions are kept; 0: none are */
    bool has_population, has_distance;
} rl_record_shape;

/* Of a curve of the plan. */
rl_record_layout rl_record_layout_of(const rl_plan *plan, int grid);

/* Of any number of sizes. */
rl_record_layout rl_record_layout_make(int n_sizes, rl_record_shape shape);
rl_record_shape rl_record_shape_of(const rl_record_layout *layout);

/* Size `i` of a record becomes one that was not computed: NaN, and the status RL_CELL_MISSING. */
void rl_record_clear(const rl_record_layout *layout, int i, double *record);

/* What the layout says of size `i` of one record becomes size `j` of another. Both are of one data set and keep modes
 * or do not, but may have room for another number of modes: beyond those there are comes NaN. */
void rl_record_copy(const rl_record_layout *from, const double *source, int i, const rl_record_layout *to,
                    double *target, int j);

static inline rl_cell_status rl_record_status(const rl_record_layout *layout, const double *record, int i) {
    return (rl_cell_status)record[layout->status + (size_t)i];
}

/* The longest record of any dataset of the plan, in doubles. */
size_t rl_record_length_max(const rl_plan *plan);

/* Buffers for the curves of a plan; grows as needed and is reused. `process_grid` (borrowed) is for curves whose way is
 * on one; NULL: this task is for the others alone. */
typedef struct rl_task rl_task;
rl_status rl_task_create(const rl_plan *plan, const rl_process_grid *process_grid, rl_task **task);
void rl_task_destroy(rl_task *task);

/* Computes curve `index`, one repeat (spans: see summary.h), into record[rl_record_layout_of(...).length]: the sizes
 * with wanted[n_sizes of the curve], or all of them (NULL). Sizes that are not wanted are RL_CELL_MISSING in the
 * record. The numbers of a size depend on the plan and the index alone, not on which others are wanted; on a process
 * grid, to eps x condition, also on its shape. RL_STOPPED when the tick said so: the record is whole nevertheless, and
 * sizes that were not reached are RL_CELL_MISSING (by nested factorization all are, until the factorization has served
 * every size). After any other failure the record holds nothing. Numerical failures are statuses inside the record.
 * Where the way is on a process grid: collective on it, `wanted` is the same everywhere, every rank gets the same
 * record and status, the ticks are asked together and one that says so stops all. */
rl_status rl_task_curve(rl_task *task, int64_t index, const bool *wanted, rl_tick tick, double *record);

/* Several curves of one grid at once, all of the same P and the same sizes wanted: records[n], one after the other.
 * More than one where the way is RL_WAY_BULK alone, and there the quicker. The numbers are
 * those of rl_task_curve, bit for bit. RL_STOPPED: every record is whole. */
rl_status rl_task_curves(rl_task *task, const int64_t *curves, int n, const bool *wanted, rl_tick tick,
                         double *records);

#endif
