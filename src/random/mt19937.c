/* The generator of numpy.random.RandomState: Matsumoto and Nishimura's MT19937, with NumPy's legacy seeding and
 * distributions. */
#include <math.h>

#include "ridgeless/random.h"

enum { STATE_SIZE = 624, SHIFT_SIZE = 397 };

void rl_mt19937_seed(rl_mt19937 *generator, uint32_t seed) {
    *generator = (rl_mt19937){.position = STATE_SIZE};
    uint32_t word = seed;
    for (uint32_t i = 0; i < STATE_SIZE; i++) {
        generator->state[i] = word;
        word = 1812433253u * (word ^ word >> 30) + i + 1;
    }
}

static void refill_state(rl_mt19937 *generator) {
    uint32_t *state = generator->state;
    for (int i = 0; i < STATE_SIZE; i++) {
        const uint32_t joined = (state[i] & 0x80000000u) | (state[(i + 1) % STATE_SIZE] & 0x7fffffffu);
        const uint32_t twist = (joined & 1u) != 0 ? 0x9908b0dfu : 0u;
        state[i] = state[(i + SHIFT_SIZE) % STATE_SIZE] ^ joined >> 1 ^ twist;
    }
    generator->position = 0;
}

uint32_t rl_mt19937_next(rl_mt19937 *generator) {
    if (generator->position == STATE_SIZE) refill_state(generator);
    uint32_t word = generator->state[generator->position++];
    word ^= word >> 11;
    word ^= word << 7 & 0x9d2c5680u;
    word ^= word << 15 & 0xefc60000u;
    return word ^ word >> 18;
}

double rl_mt19937_uniform(rl_mt19937 *generator) {
    const uint32_t high = rl_mt19937_next(generator) >> 5, low = rl_mt19937_next(generator) >> 6;
    return (high * 0x1p26 + low) * 0x1p-53;
}

double rl_mt19937_normal(rl_mt19937 *generator) {
    if (generator->has_gauss) {
        generator->has_gauss = false;
        return generator->gauss;
    }
    double x, y, square;
    do {
        x = 2 * rl_mt19937_uniform(generator) - 1;
        y = 2 * rl_mt19937_uniform(generator) - 1;
        square = x * x + y * y;
    } while (square >= 1 || square == 0);
    const double scale = sqrt(-2 * log(square) / square);
    generator->gauss = scale * x; /* the other number of the pair is returned first */
    generator->has_gauss = true;
    return scale * y;
}

/* Uniform on 0 ... maximum: a word masked to as many bits as `maximum` has, drawn again while it is too large. */
static uint32_t next_at_most(rl_mt19937 *generator, uint32_t maximum) {
    uint32_t mask = maximum;
    for (int shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
    uint32_t value;
    do value = rl_mt19937_next(generator) & mask;
    while (value > maximum);
    return value;
}

void rl_mt19937_permutation(rl_mt19937 *generator, int n, int n_last, int *order) {
    for (int i = 0; i < n; i++) order[i] = i;
    for (int i = n - 1; i > 0 && i >= n - n_last; i--) {
        const uint32_t j = next_at_most(generator, (uint32_t)i);
        const int swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
    }
}
