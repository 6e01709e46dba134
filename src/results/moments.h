/* The second moments of a data set's features with its targets: of all rows, and of those that a typical training set
 * is drawn from. What the theory of a table is worked out from. */
#ifndef RL_RESULTS_MOMENTS_H
#define RL_RESULTS_MOMENTS_H

#include "ridgeless/arena.h"
#include "ridgeless/data.h"
#include "ridgeless/theory.h"

/* Of a data set with the same features in every repeat, or of a population whose design is known. */
typedef struct rl_moment_maker {
    const rl_dataset *data; /* borrowed */
    int n_rows, n_features; /* n_rows: 1 for a population, which has no rows that could be left out */
    rl_rows rows;
    rl_test_factor all, kept;
    rl_dense_producer *producer;
    /* In one piece of memory, from x on */
    double *x, *y; /* [RL_MOMENT_BLOCK, n_features], row-major, and [RL_MOMENT_BLOCK]: rows that are looked at */
    double *train_x, *train_y; /* [order, n_features], row-major, and [order]: a triangle as training rows */
    double *axes;              /* [n_features, n_features]: V^T of the rows that are kept, each row over its sigma */
    double *along;             /* [n_features, RL_MOMENT_BLOCK]: rows in these coordinates */
    double *leverage, *sorted; /* [n_rows] */
    bool *keeps;               /* [n_rows] */
    double *room, *weights;    /* [order] */
    double *cross;             /* [n_features, n_features]: see rl_moments */
} rl_moment_maker;
enum { RL_MOMENT_BLOCK = 256 };

/* Whether a data set has moments: its rows are in memory and have the same features in every repeat, or the design is
 * known; and there are not so many features that one decomposition takes long. */
enum { RL_MOMENT_FEATURES = 4000 };
bool rl_has_moments(const rl_dataset *data);

/* Reads all rows, as the study's random numbers make them. To be destroyed, on failure too. */
rl_status rl_moment_maker_create(rl_moment_maker *maker, const rl_dataset *data, rl_random_kind random, uint64_t seed);
void rl_moment_maker_destroy(rl_moment_maker *maker);
size_t rl_moment_maker_bytes(const rl_dataset *data); /* allocated by create, and while it runs */

/* Fill *spectrum and *moments, but for its target; both borrow from the maker until its next call. The spectrum's rank
 * is 0 where it could not be computed, or the features are all zero: then there are no moments. Of all rows, for
 * training and test; or, for training, of those that a typical set of n_train rows is drawn from. More than half of all
 * training sets hold no row whose leverage is beyond its quantile 1 - ln 2 / n_train. So those rows are left out; then
 * the same by leverage against the rows that are left, until these stay the same, or eight times. What normal rows
 * would lose by that is made up for: moments->kept. */
rl_status rl_moments_of_all(rl_moment_maker *maker, rl_spectrum *spectrum, rl_moments *moments);
rl_status rl_typical_moments(rl_moment_maker *maker, double n_train, rl_spectrum *spectrum, rl_moments *moments);

/* The largest leverage of a table's rows against those of the spectrum, over the mean of all; NaN of a population. */
double rl_largest_leverage(rl_moment_maker *maker, const rl_spectrum *spectrum);

/* The N whose typical rows stand for those of n_train: n_train itself, or in steps of a fixed ratio where a table is so
 * large that one set of rows takes long; INFINITY, all rows, where one would take longer than all should. */
double rl_typical_n_train(const rl_moment_maker *maker, int n_train);

#endif
