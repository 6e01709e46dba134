/* bulk: spectra of many small training sets, whole curves of several repeats side by side in the lanes of vector
 * registers. Beside `spectrum.h`, on the same side of the seam.
 *
 * The training sets of a curve are nested: the first N rows of one order. A lane holds at most P orthogonal rows
 * [sigma_r v_r^T | u_r . targets]. For the next N the rows that come in stand below them, and one-sided Jacobi (Demmel
 * and Veselic 1992, "Jacobi's method is more accurate than QR") rotates all until they are orthogonal again: few
 * sweeps, as most of them are so already. Beyond P the last rows have no features left: their targets' entries are
 * outside. The test factors of every N come before, by appending rows as N falls.
 *
 * The numbers of a lane depend on its own rows and on n_train alone, bit for bit: not on the other lanes, nor on how
 * many the processor has. All functions are local. */
#ifndef RIDGELESS_BULK_H
#define RIDGELESS_BULK_H

#include "ridgeless/core.h"
#include "ridgeless/spectrum.h"

enum {
    RL_BULK_FEATURES = 32, /* at most */
    RL_BULK_LANES = 8      /* of the widest registers */
};

/* The data that all lanes have in common: borrowed. */
typedef struct rl_bulk_design {
    int n_features; /* at most RL_BULK_FEATURES */
    int n_n_train;
    const int *n_train;      /* [n_n_train], ascending, distinct */
    const double *beta_star; /* [n_features] */
    bool has_population;     /* independent features of known standard deviation */
    const double *scale;     /* [n_features]: these; NULL: all 1 */
    bool wants_modes;        /* what the modes' factors are made of: see rl_bulk_get */
    bool wants_spectra;      /* whatever another producer's spectra have: see rl_bulk_get */
    int max_lanes;           /* 0: as many as the processor has */
} rl_bulk_design;

typedef struct rl_bulk rl_bulk;
rl_status rl_bulk_create(rl_bulk **bulk, const rl_bulk_design *design);
void rl_bulk_destroy(rl_bulk *bulk);

/* The number of repeats side by side: 2, 4 or 8. */
int rl_bulk_lanes(const rl_bulk *bulk);

/* Bytes that rl_bulk_create allocates on this processor, exactly. */
size_t rl_bulk_bytes(const rl_bulk_design *design);

/* The rows of the largest training set: x [max_train, n_features] row-major without gaps, y [max_train]; each training
 * set is their head. They are finite (asserted). */
void rl_bulk_set_rows(rl_bulk *bulk, int lane, const double *x, const double *y);

/* Sets the test rows of the largest training set. Either for one lane alone; or for lanes [0, n_lanes) by taking
 * their training rows out of all rows' factor, which is the quicker where there are many rows. That loses as many
 * digits as the rows that are left are few or small beside those that go: enough[lane] says where it may be used, else
 * the lane has no test rows yet. */
void rl_bulk_set_test(rl_bulk *bulk, int lane, const rl_test_factor *test);
void rl_bulk_take_out(rl_bulk *bulk, int n_lanes, const rl_test_factor *all_rows, bool *enough);

/* Begins the curves of lanes [0, n_lanes), whose rows are set. The others are idle. */
void rl_bulk_begin(rl_bulk *bulk, int n_lanes);

/* To n_train[i]: one after the other without leaving any out, as rounding depends on it. `evaluate`: points are wanted.
 */
void rl_bulk_advance(rl_bulk *bulk, int i, bool evaluate);

/* A lane at the N that was evaluated last, with the fits of leading modes. *point borrows memory of *bulk until the
 * next call. In point->spectrum c and b_star have the signs of spectrum.h where modes or spectra are wanted. Where
 * spectra are not, vt, z, z_target, z_one and population_z are NULL, m is 0 and b_star not set. Where modes are not
 * wanted, point->test_projection_rms is NULL. */
void rl_bulk_get(rl_bulk *bulk, int lane, rl_point *point);

#endif
