/* XXH3-64, the checksum of files and settings. It is the same by registers of any width, and the library's own choice
 * is the narrowest: where it has functions that look what the processor has, these stand in their place. Private. */
#ifndef RL_CHECKSUM_H
#define RL_CHECKSUM_H

#ifdef RL_XXHASH_DISPATCH
#include <immintrin.h>
#include <xxh_x86dispatch.h>

/* Those of version 0.8.1 that take all bytes at once leave the upper halves of wide registers in use, and whatever is
 * not compiled for wide ones is slower from then on: two million logarithms on a Xeon 26 to 31 times. */
__attribute__((target("avx"))) static inline void rl_leave_wide_registers(void) {
    _mm256_zeroupper();
}

static inline XXH64_hash_t rl_checksum(const void *bytes, size_t length) {
    const XXH64_hash_t sum = XXH3_64bits(bytes, length);
    if (__builtin_cpu_supports("avx")) rl_leave_wide_registers();
    return sum;
}

static inline XXH64_hash_t rl_checksum_with_seed(const void *bytes, size_t length, XXH64_hash_t seed) {
    const XXH64_hash_t sum = XXH3_64bits_withSeed(bytes, length, seed);
    if (__builtin_cpu_supports("avx")) rl_leave_wide_registers();
    return sum;
}
#undef XXH3_64bits
#undef XXH3_64bits_withSeed
#define XXH3_64bits          rl_checksum
#define XXH3_64bits_withSeed rl_checksum_with_seed
#else
#include <xxhash.h>
#endif

#endif
