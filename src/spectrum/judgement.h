/* Private to the numerics: when the numbers of a training set are to be believed. */
#ifndef RL_SPECTRUM_JUDGEMENT_H
#define RL_SPECTRUM_JUDGEMENT_H

#include "../numbers.h"
#include "ridgeless/spectrum.h"

static inline bool rl_surely_full_rank(int n_train, int n_features, double least, double most) {
    return least > rl_doubt * rl_rank_tolerance(n_train, n_features) * most;
}

/* The rank is surely full, and the fourth powers of all singular values are in the range of numbers. */
static inline bool rl_sigma_is_sound(int n_train, int n_features, double least, double most) {
    return most < 0x1p200 && most > 0x1p-200 && rl_surely_full_rank(n_train, n_features, least, most);
}

/* Sets rank, and `done` where the errors are finite and the rank is surely full by `least` and `most`, which are the
 * extreme singular values or bounds outside them. A point that is not done is cleared: its errors may be anything. */
void rl_judge_point(rl_point *point, int n_train, int n_features, double least, double most);

#endif
