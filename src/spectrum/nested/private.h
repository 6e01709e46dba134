/* Private to `spectrum`: what the files of the nested factorization share. */
#ifndef RL_SPECTRUM_NESTED_PRIVATE_H
#define RL_SPECTRUM_NESTED_PRIVATE_H

#include "inverse_lanczos.h"
#include "ridgeless/nested.h"

/* The way in which an extreme eigenvalue of X^T X (or X X^T) moves along the curve: what the next shift is guessed
 * from. */
typedef struct rl_trend {
    bool known;
    int n_train;
    double value, rate; /* rate: absolute, per row; 0 before there are two values */
} rl_trend;

struct rl_nested {
    int features, order;                  /* order = features + 1 */
    int n_n_train, n_wide;                /* the first n_wide sizes are at most n_features */
    const int *n_train;                   /* [n_n_train], borrowed */
    int max_train, wide_rows, first_tall; /* largest N; largest wide one; smallest tall one (0: none) */
    const rl_training_set *rows;          /* of the curve under way */
    rl_point *points;

    double *wide;  /* [features, wide_rows]: QR of X^T, so that its triangle is L^T */
    double *tau;   /* [wide_rows]: of its reflectors */
    double *ideal; /* [features]: w = Q beta* */
    /* Rows in the coordinates Q, and what a fit has not explained of their targets: those of the test factor, features
     * + 2 of them, and below diag(scale), whose targets diag(scale) beta* stand for the population. */
    double *others; /* [n_others, features] */
    double *others_residual;
    int n_others;
    double *residual; /* [wide_rows]: of the training rows, what the fit has not explained */

    double *qr;       /* [first_tall, order]: [X y] of the smallest tall training set */
    double *qr_tau;   /* [order] */
    double *triangle; /* [order, order], lower: the transpose of the triangle of [X y] */
    int n_in_triangle;
    double *row;        /* [order]: a row on its way in */
    double *betas;      /* [features, n_n_train - n_wide] */
    double *test_block; /* [features + 2, RL_GROUP] */
    double *row_block;  /* [RL_GROUP_SPAN, RL_GROUP] */

    double *gram;    /* [features, features]: X X^T of the wide rows, upper; then X^T X, lower */
    double *shifted; /* [features, features]: Cholesky factor of a shifted Gram matrix */
    int n_in_gram;
    double *solved; /* [features, RL_GROUP_SPAN] */
    double *small;  /* [RL_GROUP_SPAN, RL_GROUP_SPAN] */
    rl_trend largest, smallest;
    rl_lanczos lanczos;

    double *work;
    int n_work;
};

/* Extreme singular values of a group of N. Wide: n_train <= n_features. Tall: n_train is larger, and the triangle holds
 * the rows of the first N; returns how many of the group were done, at least one: accuracy may ask for fewer. */
void rl_nested_wide_sigma(rl_nested *s, int first, int count);
int rl_nested_tall_sigma(rl_nested *s, int first, int count);

#endif
