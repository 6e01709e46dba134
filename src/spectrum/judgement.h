/* Private to the numerics: when the numbers of a training set are to be believed. */
#ifndef RL_SPECTRUM_JUDGEMENT_H
#define RL_SPECTRUM_JUDGEMENT_H

#include <float.h>

#include "../numbers.h"
#include "ridgeless/spectrum.h"

/* Singular values are surely not zero when they are this many times above the threshold of rank that spectra have (see
 * rl_spectrum); what lies below is left to a full spectrum to judge. */
static const double rl_doubt = 10;

static inline bool rl_surely_full_rank(int n_train, int n_features, double least, double most) {
    return least > rl_doubt * rl_larger(n_train, n_features) * DBL_EPSILON * most;
}

/* Of full rank for sure, and the fourth powers of all singular values are in the range of numbers. */
static inline bool rl_sigma_is_sound(int n_train, int n_features, double least, double most) {
    return most < 0x1p200 && most > 0x1p-200 && rl_surely_full_rank(n_train, n_features, least, most);
}

/* Whether a point is done, by its errors and by what lies at or outside its singular values; one that is not is
 * cleared. Errors of a doubtful point may be anything, and are not looked at. */
void rl_judge_point(rl_point *point, int n_train, int n_features, double least, double most);

#endif
