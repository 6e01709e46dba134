/* Private to `spectrum`: what the files of the updated spectra share. */
#ifndef RL_SPECTRUM_UPDATED_PRIVATE_H
#define RL_SPECTRUM_UPDATED_PRIVATE_H

#include "ridgeless/updated.h"
#include "secular.h"

/* Rows whose vectors are kept as one rotation beside v; v itself is rotated once for all of them. */
enum { RL_MOST_PENDING = 8 };

struct rl_updated {
    int features, n_n_train, max_train;
    const int *n_train; /* [n_n_train], borrowed */
    bool *anew;         /* [n_n_train] */
    int wide_rows;      /* rows of the LQ factorization: min(max_train, features) */
    int ld;             /* of square matrices of order `features` */
    size_t n_work;      /* doubles of `work`; as LAPACK takes it: lwork */
    int lwork;
    double *work;
    int *iwork;

    /* of the curve under way */
    const rl_training_set *given; /* borrowed */
    int n_test;                   /* rows after the longest training set */
    double *lq, *tau;             /* [features, wide_rows]: QR of X^T; its reflectors make the coordinates */
    /* All rows in the coordinates: the training rows, those of the test factor, the identity, by which directions are
     * those of the features again, and, where it is known, diag(scale), for the population. */
    double *rows;
    int n_rows;
    double *target[RL_N_TARGETS]; /* [max_train + order]: of the training rows and of the test factor */
    double *one;                  /* likewise: what the vector of ones comes to */
    double *beta_star;            /* [features]: in the coordinates */
    double *population_target;    /* [features] */
    /* [n_n_train]: what is lost of beta* outside the row space */
    double *b_outside_sq, *test_bias, *test_bias_mse;
    double *lost; /* [max_train + order]: room */

    /* of the N under way */
    int n_index, n;              /* index, training rows taken */
    int n_modes;                 /* min(n, features), and as many coordinates */
    bool broken;                 /* numbers mean nothing until an N starts anew */
    double *sigma;               /* [n_modes], descending */
    double *square, *square_low; /* [n_modes]: their squares, to twice the working precision */
    /* Right singular vectors in the coordinates: [v 0; 0 1] rotation, with v [n_in_v, n_in_v] and, where rows are
     * pending, rotation [n_modes, n_modes]. */
    double *v, *rotation;
    int n_in_v, n_pending;
    double *c[RL_N_TARGETS]; /* [n_modes] */
    double outside_sq[RL_N_TARGETS];

    /* an update */
    rl_secular secular;
    double *row, *poles, *z;                            /* [features + 1]: the row, and then in the modes */
    int *kept;                                          /* [features + 1]: modes that the row touches */
    bool *is_kept;                                      /* likewise */
    double *above, *room;                               /* [features + 1] */
    double *moved[RL_N_TARGETS], *merged[RL_N_TARGETS]; /* [features + 1]: what c becomes */
    double *spare, *vectors, *product;                  /* like v */
    /* pending rows: rotation_ji = (sum over l of left_jl right_li) / (start_j - square_i) */
    double *left, *right, *right_next;  /* [features + 1, RL_MOST_PENDING]; twice [RL_MOST_PENDING, features + 1] */
    double *start, *start_low;          /* [features + 1]: square, where they began */
    double *left_length, *right_length; /* [features + 1]: of rows of `left`, and of columns of `right` */
    double *qr, *qr_tau;                /* [max_train, features + targets], where that is more than features */
    double *b_star, *last;              /* [features]: handed out; a mode's direction in the features */
};

/* Decomposes the first n rows. */
rl_status rl_updated_decompose(rl_updated *u, int n);

/* Appends the next row. */
void rl_updated_append(rl_updated *u);

/* Sets squares, where no rows are pending, from sigma. */
void rl_updated_square(rl_updated *u);

/* The secular equation's vectors become one more rotation; its order is that of all modes, its poles their squares. */
void rl_updated_rotate(rl_updated *u, bool new_column);

/* Rotates v itself: no rows are pending after it. */
void rl_updated_flush(rl_updated *u);

/* basis [n_modes, n] = right singular vectors times modes [n_modes, n]; room as large. rl_updated_to_modes
 * goes the other way: from a row in coordinates of the basis, [n_modes], to the same row in the modes. */
void rl_updated_to_basis(const void *updated, int n, const double *modes, double *room, double *basis);
void rl_updated_to_modes(const rl_updated *u, const double *basis, double *room, double *modes);

#endif
