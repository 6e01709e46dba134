/* Private to `task`: numbers without those that only repeat the one before them. */
#ifndef RL_TASK_PACK_H
#define RL_TASK_PACK_H

#include "ridgeless/core.h"

/* Words of flags for n values. */
size_t rl_pack_flags(size_t n);

/* Packs values[n] into packed[rl_pack_flags(n) + n + 1]; returns how many words that has become. */
size_t rl_pack(const double *values, size_t n, uint64_t *packed);

/* The inverse. false when packed[length >= rl_pack_flags(n)] is of another number of values. */
bool rl_unpack(const uint64_t *packed, size_t length, size_t n, double *values);

#endif
