/* Private to `fit`: the buffers of an evaluator, and what choosers and measures ask of it. */
#ifndef RL_FIT_EVALUATOR_H
#define RL_FIT_EVALUATOR_H

#include "filter.h"

/* Variants are multiplied by the rows in blocks of as many columns, the last one filled up with zeros. How a product
 * of BLAS rounds depends on its shape: so no number of a variant depends on which others there are, or on their order.
 */
enum { BLOCK = 4 };

struct rl_evaluator {
    int max_variants, max_modes, max_m;
    double *beta;                /* [n_modes, n_variants in whole blocks], column-major */
    double *residual;            /* [n_modes] */
    double *basis, *room;        /* [n_modes, BLOCK]: betas by to_basis, and what that needs */
    double *rows;                /* [m, BLOCK], column-major: Z beta */
    double *sums;                /* [2, n_variants]: squares over the test rows, and over the population's */
    rl_fit *fits;                /* [n_variants] */
    int *chosen;                 /* [n_variants]: which variants are evaluated together */
    double *parameters;          /* [n_variants]: of the last fits, chosen or given */
    double *trial, *ones, *left; /* [n_modes]: a fit that is tried; ones; what a filter leaves */
};

/* The mean square of the errors at each training row of a fit without it, of a filter that leaves the share left
 * [n_modes]; NaN without left singular vectors. */
double rl_leave_one_out(const rl_spectrum *s, const double *left);

/* The sum of squared errors over the test rows of a fit beta [n_modes] to y; all of them are held here. */
double rl_test_sum_of(rl_evaluator *e, const rl_spectrum *s, const double *beta);

#endif
