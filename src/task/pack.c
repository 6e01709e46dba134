/* Values without those that only repeat the one before them: variants that ask the same of a size, modes that are not
 * there. What is packed: one flag per value, 64 to a word, then the values whose flag is set. */
#include <string.h>

#include "pack.h"

enum { FLAGS = 64 };

size_t rl_pack_flags(size_t n) {
    return (n + FLAGS - 1) / FLAGS;
}

/* By their bits: a NaN repeats itself, and -0 is not 0. */
static uint64_t word_at(const double *values, size_t i) {
    uint64_t word;
    memcpy(&word, values + i, sizeof word);
    return word;
}

size_t rl_pack(const double *values, size_t n, uint64_t *packed) {
    uint64_t before = 0;
    size_t length = rl_pack_flags(n);
    for (size_t first = 0; first < n; first += FLAGS) {
        const size_t end = n - first < FLAGS ? n : first + FLAGS;
        uint64_t flags = 0;
        for (size_t i = first; i < end; i++) {
            const uint64_t word = word_at(values, i);
            const bool stands = i == 0 || word != before;
            flags |= (uint64_t)stands << (i - first);
            packed[length] = before = word;
            length += stands;
        }
        packed[first / FLAGS] = flags;
    }
    return length;
}

/* The flags are looked at 64 at a time, and no value takes a branch: which repeat is hard to foresee. */
bool rl_unpack(const uint64_t *packed, size_t length, size_t n, double *values) {
    size_t next = rl_pack_flags(n);
    if (n > 0 && (packed[0] & 1) == 0) return false;
    for (size_t first = 0; first < n; first += FLAGS) {
        const size_t end = n - first < FLAGS ? n : first + FLAGS;
        uint64_t flags = packed[first / FLAGS];
        if (end - first < FLAGS) flags &= ((uint64_t)1 << (end - first)) - 1;
        if ((size_t)__builtin_popcountll(flags) > length - next) return false;
        for (size_t i = first; i < end; i++, flags >>= 1) {
            next += flags & 1;
            memcpy(values + i, packed + next - 1, sizeof *values);
        }
    }
    return next == length;
}
