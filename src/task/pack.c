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
    memset(packed, 0, length * sizeof *packed);
    for (size_t i = 0; i < n; i++) {
        const uint64_t word = word_at(values, i);
        const bool stands = i == 0 || word != before;
        packed[i / FLAGS] |= (uint64_t)stands << i % FLAGS;
        packed[length] = before = word;
        length += stands;
    }
    return length;
}

bool rl_unpack(const uint64_t *packed, size_t length, size_t n, double *values) {
    uint64_t before = 0;
    size_t next = rl_pack_flags(n);
    for (size_t i = 0; i < n; i++) {
        if (packed[i / FLAGS] >> i % FLAGS & 1) {
            if (next == length) return false;
            before = packed[next++];
        }
        memcpy(values + i, &before, sizeof before);
    }
    return next == length;
}
