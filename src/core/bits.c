/* Bits, written and read one after the other: the lowest bit of a word comes first. */
#include <string.h>

#include "ridgeless/histogram.h"

enum { WORD = 64 };

rl_status rl_bits_put(rl_bits_out *bits, uint64_t value, int n) {
    if (n < WORD) value &= (UINT64_C(1) << n) - 1;
    bits->word |= value << bits->used;
    const int there = bits->used;
    bits->used += n;
    if (bits->used < WORD) return RL_OK;
    RL_TRY(rl_text_append_bytes(bits->bytes, &bits->word, sizeof bits->word));
    bits->used -= WORD;
    bits->word = there > 0 && bits->used > 0 ? value >> (WORD - there) : 0;
    return RL_OK;
}

rl_status rl_bits_end(rl_bits_out *bits) {
    return bits->used > 0 ? rl_bits_put(bits, 0, WORD - bits->used) : RL_OK;
}

/* As many zeros as the number has bits below its highest one, then a one, then these bits. */
rl_status rl_bits_put_gamma(rl_bits_out *bits, uint64_t value) {
    const int below = WORD - 1 - __builtin_clzll(value);
    RL_TRY(rl_bits_put(bits, UINT64_C(1) << below, below + 1));
    return rl_bits_put(bits, value, below);
}

static uint64_t word_at(const rl_bits_in *bits, size_t i) {
    uint64_t word;
    memcpy(&word, bits->words + i * sizeof word, sizeof word);
    return word;
}

/* The next 64 bits, with zeros after the end; at least one bit must be left. */
static uint64_t next_word(const rl_bits_in *bits) {
    const size_t i = bits->at / WORD;
    const int skip = (int)(bits->at % WORD);
    const uint64_t low = word_at(bits, i) >> skip;
    return skip > 0 && i + 1 < bits->n ? low | word_at(bits, i + 1) << (WORD - skip) : low;
}

bool rl_bits_get(rl_bits_in *bits, int n, uint64_t *value) {
    if (bits->n * WORD - bits->at < (size_t)n) return false;
    *value = n > 0 ? next_word(bits) : 0;
    if (n < WORD) *value &= (UINT64_C(1) << n) - 1;
    bits->at += (size_t)n;
    return true;
}

bool rl_bits_get_gamma(rl_bits_in *bits, uint64_t *value) {
    uint64_t low;
    if (bits->at == bits->n * WORD) return false;
    const uint64_t next = next_word(bits);
    if (next == 0) return false; /* no number of 64 bits */
    const int below = __builtin_ctzll(next);
    if (bits->n * WORD - bits->at < (size_t)below + 1) return false;
    bits->at += (size_t)below + 1;
    if (!rl_bits_get(bits, below, &low)) return false;
    *value = UINT64_C(1) << below | low;
    return true;
}

bool rl_bits_are_at_end(const rl_bits_in *bits) {
    const size_t left = bits->n * WORD - bits->at;
    return left == 0 || (left < WORD && next_word(bits) == 0);
}
