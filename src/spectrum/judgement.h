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

/* The rank is surely full, and the fourth powers of all singular values are in the range of numbers. */
static inline bool rl_sigma_is_sound(int n_train, int n_features, double least, double most) {
    return most < 0x1p200 && most > 0x1p-200 && rl_surely_full_rank(n_train, n_features, least, most);
}

/* Sets rank, and `done` where the errors are finite and the rank is surely full by `least` and `most`, which are the
 * extreme singular values or bounds outside them. A point that is not done is cleared: its errors may be anything. */
void rl_judge_point(rl_point *point, int n_train, int n_features, double least, double most);

#endif
