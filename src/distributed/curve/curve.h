/* What the files of the curve on a grid share. Private to `distributed`. */
#ifndef RL_CURVE_H
#define RL_CURVE_H

#include "../spectrum/generate.h"
#include "ridgeless/grid_curve.h"
#include "triangle.h"

enum {
    RL_PROBES = 8,      /* random vectors that a triangle's inverse is judged by */
    RL_ROW_SPAN = 48,   /* rows between the sizes of one group, at most */
    RL_ROW_BATCH = 128, /* rows that are appended to a triangle at a time, at most */
    /* Rows in front of a triangle are solved for with it and then corrected, which loses this factor at most. */
    RL_MOST_LOST = 100
};

typedef struct rl_grid_lanczos rl_grid_lanczos;

/* What a size's triangle says of its singular values, divided by scale. */
typedef struct rl_bounds {
    double least, most; /* sigma_min and sigma_max lie between, but see rl_grid_curve_points; NaN: unknown */
} rl_bounds;

struct rl_grid_curve {
    const rl_curve_case *c; /* borrowed */
    rl_case all;            /* c->rows with every row per training row */
    int n_features, n_rows; /* n_rows: training and test rows */
    int n_wide;             /* the first n_wide sizes are at most n_features */
    /* core.m holds all rows as columns, then diag(scale) if there is one, then beta*; of the rows the first
     * core.columns, as many as wide sizes or a triangle to append to ask for, make the triangle. All rows are divided
     * by `scale`. */
    rl_placed_case placed;
    rl_triangle triangle; /* of the first core.columns rows; the curve owns its communicators */
    double *w;            /* [n_features]: Q beta* */
    double *norm_sq;      /* [n_rows]: of the rows, divided by scale */
    int64_t n_bounds;
    rl_bounds *bounds;        /* [n_bounds]: of the sizes whose points have been made */
    rl_grid_lanczos *lanczos; /* while points are made, if any singular values are wanted; owned */
};

/* ---- fits and errors: wide.c, tall.c; points are filled but for sigma and `done`, and bounds --------------------- */

/* 1 / |R^-1|_F for the leading blocks of a triangle is at least safe_sigma of sums of squares of R^-T probes. */
double rl_safe_sigma(double sum_of_squares);

/* Local. Probe i as a vector by column, in columns[ld]. */
void rl_probe(const rl_triangle *t, int i, double *columns);

/* Collective. Sizes up to n_features. */
rl_status rl_curve_wide(const rl_grid_curve *curve, rl_point *points);
void rl_curve_wide_needs(const rl_grid_curve *curve, rl_needs *needs);

/* Collective. Sizes above n_features, with their singular values where wanted. Asks the tick. */
rl_status rl_curve_tall(const rl_grid_curve *curve, const bool *sigma_wanted, rl_tick tick, rl_point *points);
void rl_curve_tall_needs(const rl_grid_curve *curve, rl_needs *needs);

/* Local. What a curve and its points need, as this rank of the grid: n_sizes points, n_sigma of them with singular
 * values. Of the sizes of `c` the first and the last count. */
void rl_grid_curve_needs(const rl_process_grid *grid, int block, const rl_curve_case *c, int64_t n_sizes,
                         int64_t n_sigma, rl_needs *needs);

/* Local. The work of its points: work.c. n_bounds of the curve says how many sizes there are; of its case, the first
 * and the last count. */
void rl_curve_tell_work(const rl_grid_curve *curve, double n_sigma, rl_needs *needs);

/* Collective: RL_STOPPED on all ranks as soon as the tick says so on one. */
rl_status rl_curve_ask(const rl_grid_curve *curve, rl_tick tick);

/* ---- extreme singular values: sigma.c ---------------------------------------------------------------------- */

/* Member j is R^T R of a leading block of the triangle, or R R^T + the sum of x x^T over the first appended[j] rows x
 * that are appended to the whole of it. */
typedef struct rl_grid_family {
    const rl_triangle *triangle;
    rl_lengths lengths;   /* leading blocks; all whole with appended rows */
    int n_rows;           /* of the rows that any member appends */
    const double *rows;   /* [local_rows, n_rows], by row, ld = ld_rows; NULL: leading blocks */
    const double *solved; /* [local_columns, n_rows], by column: R^-1 rows */
    const double *small;  /* [n_rows, n_rows], ld = RL_ROW_SPAN: U with U^T U = I + solved^T solved, on all ranks */
    int appended[RL_VECTORS];
} rl_grid_family;

/* Collective. sigma[j]: the smallest or the largest singular value of each member; NaN when Lanczos did not converge or
 * numbers left their range. The same on all ranks. */
typedef enum rl_extreme { RL_SMALLEST, RL_LARGEST } rl_extreme;
rl_status rl_grid_extreme(const rl_grid_family *family, rl_extreme which, rl_grid_lanczos *l, double *sigma);

/* Collective. The singular values of a family's members to points[index[j]]. Asks the tick. */
rl_status rl_curve_sigma(const rl_grid_curve *curve, const rl_grid_family *family, const int *index, rl_tick tick,
                         rl_point *points);

/* Local. Room for families of up to n_most members on a triangle, or on another one of its shape; freed by rl_free. */
rl_status rl_grid_lanczos_create(const rl_triangle *t, int n_most, rl_grid_lanczos **made);
size_t rl_grid_lanczos_bytes(const rl_triangle *t, int n_most);

#endif
