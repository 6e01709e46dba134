/* spectrum: what a training set comes to. Here are the two seams of the program: a *spectrum* and a *point*.
 *
 * With the thin SVD X = U S V^T of a training set [n_train, n_features], everything that a study asks for needs only
 * sigma, the targets' coordinates U^T y and the test rows' coordinates X_test V: never U or V. Producers make that
 * struct, the spectrum (dense LAPACK here, `updated.h`, `distributed.h`); filters, errors and files use it and cannot
 * tell who made it.
 *
 * Many studies ask for less: for errors of least squares and for the extreme singular values. Those of a whole curve
 * come together, and faster, without spectra (`nested.h`, `bulk.h`, `grid_curve.h`). What they make of each training
 * set is a point.
 *
 * The test rows enter through a *test factor*: the triangular factor of [1 X_test y_test], which stands for any number
 * of test rows exactly, because every error is the norm of a combination of its columns. Rows are appended to it
 * (training sets are nested, so the test set grows as N falls); nothing is ever taken away, so nothing cancels.
 *
 * All functions are local. Matrices are column-major with an explicit leading dimension unless said otherwise. */
#ifndef RIDGELESS_SPECTRUM_H
#define RIDGELESS_SPECTRUM_H

#include "ridgeless/core.h"

/* ---- test factor ------------------------------------------------------------------------------------------------ */

/* Upper triangular R [order, order], order = n_features + 2, with R^T R = A^T A for A = [1 X y] over the rows appended.
 */
typedef struct rl_test_factor {
    int n_features, order;
    int n_rows;    /* rows appended so far */
    int capacity;  /* rows of `block` */
    double *r;     /* [order, order], column-major, ld = order; zero below the diagonal */
    double *block; /* [capacity, order], column-major, ld = capacity: the rows on their way in */
    double *work;
} rl_test_factor;

rl_status rl_test_factor_create(rl_test_factor *factor, int n_features);
void rl_test_factor_destroy(rl_test_factor *factor);
size_t rl_test_factor_bytes(int n_features); /* what create allocates, exactly */
int rl_test_factor_capacity(int n_features); /* of one that is created so */

/* Forgets all rows. */
void rl_test_factor_clear(rl_test_factor *factor);

/* Appends `count` test rows: x [count, n_features] row-major with leading dimension ldx, y [count]. Householder QR of
 * the triangle over blocks of rows: backward stable column by column. With up to 32 features it has the same bits on
 * every processor; beyond them it is LAPACK's dtpqrt. */
rl_status rl_test_factor_append(rl_test_factor *factor, int count, const double *x, int ldx, const double *y);

/* ---- projected spectrum ----------------------------------------------------------------------------------------- */

/* The targets that a training set is projected for. */
typedef enum rl_target {
    RL_TARGET_Y,        /* y */
    RL_TARGET_IDEAL,    /* y* = X beta*: what the best linear model says */
    RL_TARGET_RESIDUAL, /* E = y - y* */
    RL_N_TARGETS
} rl_target;

/* What became of a spectrum: X(name, number, word, text). Number and word are the flag value and the flag meaning of
 * `status` in the results file, and neither ever changes; the text is for people. */
#define RL_CELL_STATUS_LIST(X)                                                                         \
    X(RL_CELL_DONE, 0, "done", "done")                                                                 \
    X(RL_CELL_MISSING, 1, "missing", "not computed yet")                                               \
    X(RL_CELL_NO_CONVERGENCE, 2, "no_convergence", "LAPACK did not converge")      /* info > 0 */      \
    X(RL_CELL_ZERO_MATRIX, 3, "zero_matrix", "the training features are all zero") /* no mode there */ \
    X(RL_CELL_NOT_ASKED, 4, "not_asked", "not asked for") /* the study asks for this N at other P alone */

typedef enum rl_cell_status {
#define RL_CELL_STATUS_ENUM(name, number, word, text) name = (number),
    RL_CELL_STATUS_LIST(RL_CELL_STATUS_ENUM)
#undef RL_CELL_STATUS_ENUM
} rl_cell_status;
enum { RL_N_STATUSES = RL_CELL_NOT_ASKED + 1 };

/* All numbers, ascending, and all words with a blank between. */
extern const signed char rl_cell_status_numbers[RL_N_STATUSES];
extern const char *const rl_cell_status_words;

/* For people, like "the training features are all zero". */
const char *rl_cell_status_text(rl_cell_status status);

/* The training set of one spectrum: borrowed arrays. */
typedef struct rl_training_set {
    int n_train, n_features;
    const double *x;         /* [n_train, n_features], ROW-major, ld = n_features */
    const double *y;         /* [n_train] */
    const double *beta_star; /* [n_features] */
    const double *scale; /* [n_features]: standard deviations of the population's features; NULL: all 1, or unknown */
} rl_training_set;

typedef struct rl_spectrum {
    int n_train, n_features, n_test;
    int n_modes;           /* min(n_train, n_features) */
    int rank;              /* modes with sigma > max(n_train, n_features) eps sigma_1; the others count as zero */
    rl_cell_status status; /* anything but RL_CELL_DONE: the arrays below hold nothing */
    double *sigma;         /* [n_modes], descending */
    const double *vt; /* [n_modes, n_features], column-major, ld = n_modes: V^T; NULL where it was not formed (producers
                         of process grids) */
    /* From rl_spectrum_left alone, else NULL: U^T, and the targets y of the same rows. */
    const double *ut;                /* [n_modes, n_train], column-major, ld = n_modes; 0 from mode `rank` on */
    const double *y;                 /* [n_train] */
    double *c[RL_N_TARGETS];         /* [n_modes]: U^T target */
    double outside_sq[RL_N_TARGETS]; /* squared length of the target's part outside X's n_modes left singular vectors:
                                        the tail of Q^T target, a sum of squares; 0 when n_train <= n_features */
    /* Test rows in coordinates: m rows of an orthogonal change of basis of the n_test test rows. Column sums of
     * squares, and of sums with z_one, are those of the test rows themselves. */
    int m;
    double *z;
    int ldz;                        /* [m, n_modes]: X_test V */
    double *z_target[RL_N_TARGETS]; /* [m]: test targets (y_test; X_test beta*; the difference of the two) */
    double *z_one;                  /* [m]: the vector of ones */
    /* The whole population as rows, where its features are independent with known standard deviations that differ:
     * diag(scale) V and diag(scale) beta*. The squared difference in any beta is the population's. NULL where they are
     * all 1 (V's columns are orthonormal) or unknown. */
    int n_population;
    double *population_z; /* [n_population, n_modes]: all n_features rows, or a share of them */
    int ld_population;
    double *population_target; /* [n_population] */
    /* NULL: as said. Else z and population_z are these rows without V, in some orthonormal coordinates of features in
     * the first n_modes of which V lies, and this applies it: basis [n_modes, n] = V modes [n_modes, n], room as large.
     */
    void (*to_basis)(const void *maker, int n, const double *modes, double *room, double *basis);
    const void *maker;
    /* Test rows and population rows may be one holder's share of them (m = 0 is possible then). Everything else is the
     * same for all holders, and they add up sums over rows together: collective on the holders, the same bits for all.
     * NULL: all rows are here. */
    rl_status (*add_up)(const void *holders, double *sums, int64_t n);
    const void *holders;
    /* Parameters */
    double *b_star;       /* [n_modes]: V^T beta* */
    double b_outside_sq;  /* |beta* - V V^T beta*|^2; exactly 0 when rank = n_features */
    double test_bias;     /* mean over the test rows of x . (V V^T - I) beta* */
    double test_bias_mse; /* mean of its square */
} rl_spectrum;

/* Signs: in every mode the component of v_r that is largest in magnitude (the first of equals) is positive, where V is
 * at hand; from other producers v_r . beta* >= 0. */

/* Turns sums over the rows held here into sums over all rows. */
rl_status rl_spectrum_add_up(const rl_spectrum *s, double *sums, int64_t n);

/* Left singular vectors for a spectrum that has vt and is done, as X V / sigma: off by eps sigma_1 / sigma_r. They come
 * into ut [n_modes, n_train], and the spectrum borrows them and the targets. `train` has the rows that it was made of.
 */
void rl_spectrum_left(rl_spectrum *s, const rl_training_set *train, double *ut);

/* Modes with sigma > max(n_train, n_features) eps sigma_1, of sigma[n_modes]. */
int rl_spectrum_rank(const rl_spectrum *s);

/* ---- point ------------------------------------------------------------------------------------------------------ */

enum { RL_N_FITTED_TARGETS = RL_TARGET_IDEAL + 1 }; /* RL_TARGET_Y and RL_TARGET_IDEAL */

/* Least squares on the first k modes, for every k = 0 ... n_modes: sums of squared errors. */
typedef struct rl_leading_fits {
    double *train_sq[RL_N_FITTED_TARGETS]; /* [n_modes + 1]: over the training rows */
    double *test_sq[RL_N_FITTED_TARGETS];  /* [n_modes + 1]: over the test rows */
    /* [n_modes + 1]: |diag(scale) (beta_hat - beta*)|^2; NULL where the design is unknown */
    double *population_sq[RL_N_FITTED_TARGETS];
} rl_leading_fits;

/* One training set of a curve, without its spectrum. */
typedef struct rl_point {
    /* false: the training features are rank-deficient, or so nearly that it must be looked at, or numbers left the
     * range of squares, or an iteration did not converge. Nothing below is set then: a full spectrum has to do it. */
    bool done;
    int rank;                    /* min(n_train, n_features) */
    double sigma_min, sigma_max; /* of all these modes */
    /* Errors of the least-squares fit to y and of the one to y*, minimum-norm when n_train < n_features. */
    double test_mse[RL_N_FITTED_TARGETS];      /* mean square over the test rows */
    double train_mse[RL_N_FITTED_TARGETS];     /* mean square over the training rows */
    double population_sq[RL_N_FITTED_TARGETS]; /* |diag(scale) (beta_hat - beta*)|^2: the mean square of x .
                                                  (beta_hat - beta*) over the population, where that is known */
    double test_bias;                          /* mean over the test rows of x . (V V^T - I) beta* */
    double test_bias_mse;                      /* mean of its square */
    /* More, from `bulk.h` alone, which says what is there; borrowed. Elsewhere NULL. */
    const rl_spectrum *spectrum;
    const rl_leading_fits *fits;
    const double *test_projection_rms; /* [n_modes]: root mean square over the test rows of x . v_r */
} rl_point;

/* ---- producers -------------------------------------------------------------------------------------------------- */

/* Who makes spectra. The first ones do so together with other ranks (distributed.h). */
typedef enum rl_producer {
    RL_PRODUCER_PDGESVD,   /* U and V formed: the reference */
    RL_PRODUCER_PROJECTED, /* bidiagonalize, apply Q and P to the projections, QR iteration on each rank's rows */
    RL_PRODUCER_TWO_STAGE, /* dense to band on the bordered matrix, then band to bidiagonal and on each rank as above */
    RL_PRODUCER_LAPACK     /* dense LAPACK on one rank: below */
} rl_producer;
#define RL_PRODUCER_CHOICES "pdgesvd|projected|two-stage|lapack"

/* Of a process grid: process rows x process columns. {0, 0}: the most nearly square one of so many ranks. */
typedef struct rl_grid_shape {
    int rows, columns;
} rl_grid_shape;

/* The producer's word in RL_PRODUCER_CHOICES. */
const char *rl_producer_name(rl_producer producer);

/* Buffers for training sets of up to max_train rows; the spectra made with it point into it. */
typedef struct rl_dense_producer rl_dense_producer;
rl_status rl_dense_producer_create(rl_dense_producer **producer, int max_train, int n_features);
void rl_dense_producer_destroy(rl_dense_producer *producer);
size_t rl_dense_producer_bytes(int max_train, int n_features); /* what create allocates, exactly */

/* Dense LAPACK: QR first when n_train > n_features (so that the parts outside come as tails of Q^T y), then dgesdd,
 * with dgesvd as a second try when it does not converge. *spectrum borrows the producer's memory until its next call.
 * The numbers depend on the training set and the test factor alone, bit for bit. Input must be finite (asserted). */
rl_status rl_dense_producer_spectrum(rl_dense_producer *producer, const rl_training_set *train,
                                     const rl_test_factor *test, rl_spectrum *spectrum);

#endif
