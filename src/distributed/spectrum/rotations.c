/* Sweeps of plane rotations, collected and applied to many columns in one wave. */
#include "rotations.h"

#include <string.h>

#include "../../clones.h"
#include "../../numbers.h"

/* FUSED sweeps make a group: they pass over the columns together, each one column behind the one before, so that a
 * column is loaded and stored once for all of them. Position p of a group is the rotation at p of its first sweep, at
 * p - 1 of its second one, ...; they lie next to each other. */
enum { FUSED = RL_SWEEP_STRIDE, CAPACITY = RL_SWEEPS_TOGETHER, GROUPS = CAPACITY / FUSED, TILE = 128 };

static size_t group_length(int n) {
    return ((size_t)n + FUSED) * FUSED;
}

void rl_sweeps_list(rl_sweeps *sweeps, rl_arena *arena) {
    RL_TAKE(arena, sweeps->first, CAPACITY);
    RL_TAKE(arena, sweeps->end, CAPACITY);
    RL_TAKE(arena, sweeps->rotations, GROUPS * group_length(sweeps->n));
}

/* Columns that the group of sweeps [begin, count) passes over. */
static void find_reach(const rl_sweeps *sweeps, int begin, int count, int *first, int *end) {
    *first = sweeps->first[begin];
    *end = sweeps->end[begin];
    for (int k = begin + 1; k < count; k++) {
        *first = rl_smaller(*first, sweeps->first[k]);
        *end = rl_larger(*end, sweeps->end[k]);
    }
}

/* True if a sweep may join the last group. A group applies all its sweeps from its first column to its last, and must
 * not do much that none of them asked for. */
static bool sweep_fits(const rl_sweeps *sweeps, int first, int end) {
    const int begin = sweeps->count / FUSED * FUSED;
    int lowest, highest;
    int64_t asked = end - first;
    if (sweeps->count == begin) return true;
    find_reach(sweeps, begin, sweeps->count, &lowest, &highest);
    for (int k = begin; k < sweeps->count; k++) asked += sweeps->end[k] - sweeps->first[k];
    return (int64_t)(rl_larger(highest, end) - rl_smaller(lowest, first)) * (sweeps->count - begin + 1) <= 2 * asked;
}

rl_rotation *rl_sweeps_add(rl_sweeps *sweeps, int first, int end) {
    if (!sweep_fits(sweeps, first, end))
        while (sweeps->count % FUSED != 0) { /* the others of the group stay empty */
            sweeps->first[sweeps->count] = sweeps->end[sweeps->count] = sweeps->first[sweeps->count - 1];
            sweeps->count++;
        }
    if (sweeps->count == CAPACITY) return NULL;
    const int k = sweeps->count++;
    sweeps->first[k] = first;
    sweeps->end[k] = end;
    /* At column i this sweep is at position i + k % FUSED. */
    return sweeps->rotations + (size_t)(k / FUSED) * group_length(sweeps->n) + (size_t)(k % FUSED) * (FUSED + 1);
}

/* Where a sweep has no rotation and others of its group have, it rotates by nothing. */
static void complete_group(rl_sweeps *sweeps, int group, int first, int end) {
    const rl_rotation nothing = {1, 0};
    rl_rotation *rotations = sweeps->rotations + (size_t)group * group_length(sweeps->n);
    for (int k = 0; k < FUSED; k++) {
        const int sweep = group * FUSED + k;
        const bool there = sweep < sweeps->count;
        const int begin = there ? sweeps->first[sweep] + k : first, stop = there ? sweeps->end[sweep] + k : first;
        for (int p = first; p < begin; p++) rotations[p * FUSED + k] = nothing;
        for (int p = stop; p < end + FUSED - 1; p++) rotations[p * FUSED + k] = nothing;
    }
}

/* Positions of a group over some lanes of rows. */
typedef struct piece {
    const rl_rotation *rotations; /* of the group */
    double *column;               /* column 0 */
    ptrdiff_t stride;             /* to the next column */
    int begin, end;               /* positions */
    int first, last;              /* the columns that the group has; others are zeros that nobody keeps */
} piece;

/* Plain loops over the lanes, which compilers make vector instructions of. */
RL_CLONES static void rotate_piece(const piece *given) {
    const piece p = *given; /* no store below can change it */
    const rl_rotation *rotations = p.rotations + (size_t)p.begin * FUSED;
    double zeros[RL_LANES] = {0}, x[FUSED][RL_LANES];
#define COLUMN(i) ((i) < p.first || (i) > p.last ? zeros : p.column + (i)*p.stride)
    for (int k = 0; k < FUSED; k++) memcpy(x[k], COLUMN(p.begin - k), sizeof x[k]);
    for (int i = p.begin; i < p.end; i++, rotations += FUSED) {
        const double *in = COLUMN(i + 1);
        double *out = COLUMN(i - FUSED + 1), c[FUSED], s[FUSED];
        for (int k = 0; k < FUSED; k++) c[k] = rotations[k].c, s[k] = rotations[k].s;
        RL_INDEPENDENT
        for (int lane = 0; lane < RL_LANES; lane++) {
            double y = in[lane];
#pragma GCC unroll 4
            for (int k = 0; k < FUSED; k++) {
                const double rotated = c[k] * x[k][lane] + s[k] * y;
                x[k][lane] = c[k] * y - s[k] * x[k][lane];
                y = rotated;
            }
            out[lane] = y;
        }
    }
    for (int k = 0; k < FUSED; k++) memcpy(COLUMN(p.end - k), x[k], sizeof x[k]);
#undef COLUMN
}

/* The part of group g, which reaches over columns [first, end], that belongs to a tile. */
static void rotate_tile(const rl_sweeps *sweeps, int g, int first, int end, int tile, piece *p) {
    p->begin = rl_larger(first, tile - g * FUSED);
    p->end = rl_smaller(end + FUSED - 1, tile + TILE - g * FUSED);
    p->first = first;
    p->last = end;
    p->rotations = sweeps->rotations + (size_t)g * group_length(sweeps->n);
    if (p->begin < p->end) rotate_piece(p);
}

/* Each group is FUSED columns behind the one before, which has left the columns by then. */
void rl_sweeps_apply(rl_sweeps *sweeps, bool mirrored, double *x, int n_rows, int ld) {
    const int groups = (sweeps->count + FUSED - 1) / FUSED;
    int first[GROUPS], end[GROUPS], tiles_end = 0;
    for (int g = 0; g < groups; g++) {
        find_reach(sweeps, g * FUSED, rl_smaller((g + 1) * FUSED, sweeps->count), &first[g], &end[g]);
        complete_group(sweeps, g, first[g], end[g]);
        tiles_end = rl_larger(tiles_end, end[g] + (g + 1) * FUSED - 1);
    }
    double *const column = mirrored ? x + (size_t)(sweeps->n - 1) * (size_t)ld : x;
    for (int tile = 0; tile < tiles_end; tile += TILE)
        for (int row = 0; row < n_rows; row += RL_LANES) {
            piece p = {.column = column + row, .stride = mirrored ? -ld : ld};
            for (int g = 0; g < groups; g++) rotate_tile(sweeps, g, first[g], end[g], tile, &p);
        }
    sweeps->count = 0;
}
