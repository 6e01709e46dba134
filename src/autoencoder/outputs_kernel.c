/* Arithmetic on outputs in vector registers, of doubles or floats: REAL.
 *
 * Sums have as many lanes as a register of 64 bytes. Registers of LANES doubles, or twice as many floats, take a part
 * of these: one part after the other goes over the whole tile, so that all that is summed stays in registers. */
#include <stdint.h>
#include <string.h>

#include "../clones.h"
#include "../numbers.h"
#include "outputs.h"

typedef REAL real;
enum { MOST_ROWS = 4, ALL_LANES = RL_LANES * sizeof(double) / sizeof(real) };
enum { OWN_LANES = LANES * sizeof(double) / sizeof(real) }; /* of a register */

typedef real vector __attribute__((vector_size(sizeof(double) * LANES)));
typedef MASK mask __attribute__((vector_size(sizeof(double) * LANES)));

RL_INLINED void make_positive(vector *z) {
    *z = (vector)((mask)*z & (*z > 0));
}

RL_INLINED vector *vector_at(real *row, int j) {
    return (vector *)(void *)(row + j);
}

RL_INLINED const vector *weights_at(const real *row, int j) {
    return (const vector *)(const void *)(row + j);
}

RL_INLINED double add_lanes(const real all[ALL_LANES]) {
    double lane[RL_LANES];
    for (int i = 0; i < RL_LANES; i++) lane[i] = all[i];
    for (int i = RL_LANES; i < ALL_LANES; i++) lane[i - RL_LANES] += all[i];
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/* ---- in registers ------------------------------------------------------------------------------------------------ */

/* Some rows, and the features of a block. How many rows there are is a constant in every call, as m is. */
typedef struct tile {
    size_t stride;
    int width;
    const real *weights, *hidden;
    real *sums;
    double *hidden_sums;
} tile;

/* Sums over the features of a tile, lane by lane. */
typedef struct lanes {
    real hidden[MOST_ROWS][RL_MOST_IN_REGISTERS][ALL_LANES], squares[ALL_LANES];
} lanes;

/* The lanes from `first` on. */
RL_INLINED void part_gradient(const int m, const int rows, const tile *t, int first, lanes *sums) {
    vector hidden_sums[MOST_ROWS][RL_MOST_IN_REGISTERS], square = {0};
    for (int r = 0; r < rows; r++)
        for (int k = 0; k < m; k++) hidden_sums[r][k] = (vector){0};
    for (int j = first; j < t->width; j += ALL_LANES) {
        vector w[RL_MOST_IN_REGISTERS], sum[RL_MOST_IN_REGISTERS];
        vector b_sum = *vector_at(t->sums + (size_t)m * t->stride, j);
        for (int k = 0; k < m; k++) {
            w[k] = *weights_at(t->weights + (size_t)k * t->stride, j);
            sum[k] = *vector_at(t->sums + (size_t)k * t->stride, j);
        }
        for (int r = 0; r < rows; r++) {
            const real *h = t->hidden + r * m;
            vector p = *weights_at(t->weights + (size_t)m * t->stride, j);
            for (int k = 0; k < m; k++) p += w[k] * h[k];
            make_positive(&p);
            b_sum += p;
            square += p * p;
            for (int k = 0; k < m; k++) {
                sum[k] += p * h[k];
                hidden_sums[r][k] += p * w[k];
            }
        }
        for (int k = 0; k < m; k++) *vector_at(t->sums + (size_t)k * t->stride, j) = sum[k];
        *vector_at(t->sums + (size_t)m * t->stride, j) = b_sum;
    }
    for (int r = 0; r < rows; r++)
        for (int k = 0; k < m; k++) memcpy(&sums->hidden[r][k][first], &hidden_sums[r][k], sizeof(vector));
    memcpy(&sums->squares[first], &square, sizeof square);
}

RL_INLINED void tile_gradient(const int m, const int rows, const tile *t, double *squares) {
    lanes sums;
    for (int first = 0; first < ALL_LANES; first += OWN_LANES) part_gradient(m, rows, t, first, &sums);
    for (int r = 0; r < rows; r++)
        for (int k = 0; k < m; k++) t->hidden_sums[r * m + k] += add_lanes(sums.hidden[r][k]);
    *squares += add_lanes(sums.squares);
}

RL_INLINED void part_squares(const int m, const int rows, const tile *t, int first, real *sums) {
    vector square = {0};
    for (int j = first; j < t->width; j += ALL_LANES)
        for (int r = 0; r < rows; r++) {
            vector p = *weights_at(t->weights + (size_t)m * t->stride, j);
            for (int k = 0; k < m; k++) p += *weights_at(t->weights + (size_t)k * t->stride, j) * t->hidden[r * m + k];
            make_positive(&p);
            square += p * p;
        }
    memcpy(sums + first, &square, sizeof square);
}

RL_INLINED void tile_squares(const int m, const int rows, const tile *t, double *squares) {
    real sums[ALL_LANES];
    for (int first = 0; first < ALL_LANES; first += OWN_LANES) part_squares(m, rows, t, first, sums);
    *squares += add_lanes(sums);
}

RL_INLINED void one_tile(const int m, const int rows, const rl_outputs_block *b, int row, double *squares) {
    const size_t at = (size_t)row * (size_t)m;
    tile t = {.stride = b->stride, .width = b->width, .weights = b->weights, .hidden = (const real *)b->hidden + at};
    if (b->sums == NULL) {
        tile_squares(m, rows, &t, squares);
        return;
    }
    t.sums = b->sums;
    t.hidden_sums = b->hidden_sums + at;
    tile_gradient(m, rows, &t, squares);
}

RL_INLINED void all_tiles(const int m, const int together, const rl_outputs_block *b, double *squares) {
    int row = 0;
    for (; row + together <= b->n_rows; row += together) one_tile(m, together, b, row, squares);
    for (; row < b->n_rows; row++) one_tile(m, 1, b, row, squares);
}

/* One function for each number of hidden dimensions. How many rows go together fixes an order of sums, and so the bits:
 * as many as the widest registers have room for. */
#define IN_REGISTERS(m, together)                                      \
    static void sums_##m(const rl_outputs_block *b, double *squares) { \
        all_tiles(m, together, b, squares);                            \
    }
IN_REGISTERS(1, 4)
IN_REGISTERS(2, 4)
IN_REGISTERS(3, 4)
IN_REGISTERS(4, 2)
IN_REGISTERS(5, 2)
IN_REGISTERS(6, 2)
IN_REGISTERS(7, 2)
IN_REGISTERS(8, 2)

/* ---- blocks of matrix products ----------------------------------------------------------------------------------- */

static void finish_block(int rows, int width, const void *b, void *block, void *b_sum, double *squares) {
    real sums[ALL_LANES];
    for (int first = 0; first < ALL_LANES; first += OWN_LANES) {
        vector square = {0};
        for (int r = 0; r < rows; r++)
            for (int j = first; j < width; j += ALL_LANES) {
                vector *p = vector_at((real *)block + (size_t)r * RL_BLOCK_FEATURES, j);
                *p += *weights_at(b, j);
                make_positive(p);
                square += *p * *p;
                if (b_sum != NULL) *vector_at(b_sum, j) += *p;
            }
        memcpy(sums + first, &square, sizeof square);
    }
    *squares += add_lanes(sums);
}

const rl_outputs_kernel KERNEL = {{sums_1, sums_2, sums_3, sums_4, sums_5, sums_6, sums_7, sums_8}, finish_block};
