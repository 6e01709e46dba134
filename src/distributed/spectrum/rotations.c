/* Sweeps of plane rotations, collected and applied to many columns in one wave. */
#include "rotations.h"

#include <string.h>

#include "../../numbers.h"
#include "../../registers.h"

/* Frames for each group lie before and behind its columns, too, and its scales after them. TILE is what the first cache
 * holds of columns of MOST_ROWS and frames. */
enum { GROUPS = 64, MARGIN = RL_SWEEPS + RL_SWEEPS + RL_LAG * RL_SWEEPS, TILE = 64, MOST_ROWS = 32, LINE = 8 };

/* A group over all columns, with the short ones that come between it and the next, takes SPARE frames more than there
 * are columns. With TOGETHER of them rows come into the caches half as often; no more than ROOM frames are spent on it.
 */
enum { SPARE = 1024, TOGETHER = 2, ROOM = 1 << 15 };

static size_t count_frames(int columns) {
    return (size_t)columns + MARGIN;
}

static size_t frames_of_scales(int columns) {
    return (size_t)columns / RL_FRAME + 1;
}

static int groups_together(int n) {
    const size_t one = count_frames(n) + frames_of_scales(n) + SPARE;
    return rl_larger(1, rl_smaller((int)TOGETHER, (int)((size_t)ROOM / one)));
}

static size_t capacity(int n) {
    return (count_frames(n) + frames_of_scales(n) + SPARE) * (size_t)groups_together(n);
}

int rl_sweeps_waiting(int n) {
    return RL_SWEEPS * groups_together(n);
}

void rl_sweeps_list(rl_sweeps *sweeps, rl_arena *arena) {
    RL_TAKE(arena, sweeps->groups, GROUPS);
    RL_TAKE(arena, sweeps->frames, RL_FRAME * capacity(sweeps->n));
}

void rl_sweeps_clear(rl_sweeps *sweeps) {
    sweeps->count = 0;
    sweeps->used = 0;
}

/* NULL: there is no room. */
static rl_sweep_group *open_group(rl_sweeps *sweeps, int lo, int hi, bool scaled) {
    const size_t frames = count_frames(hi - lo), all = frames + (scaled ? frames_of_scales(hi - lo) : 0);
    if (sweeps->count == GROUPS || sweeps->used + all > capacity(sweeps->n)) return NULL;
    rl_sweep_group *group = &sweeps->groups[sweeps->count++];
    *group = (rl_sweep_group){
        .lo = lo, .hi = hi, .first = hi, .end = lo, .frames = sweeps->frames + sweeps->used * RL_FRAME};
    sweeps->used += all;
    if (!scaled) return group;
    group->scales = group->frames + frames * RL_FRAME;
    for (int i = 0; i <= hi - lo; i++) group->scales[i] = 1;
    return group;
}

rl_sweep rl_sweep_of(const rl_sweep_group *group, int k) {
    return (rl_sweep){group->frames + k, group->lo - RL_SWEEPS - RL_LAG * k, group->scales, group->lo};
}

/* A sweep passes over a group's columns with others, which may be a few columns before it or behind it: where it has no
 * rotation, it rotates by nothing. */
static void rotate_by_nothing(const rl_sweep *sweep, int first, int end) {
    for (int i = first; i < end; i++) {
        double *const at = sweep->frames + (ptrdiff_t)(i - sweep->time) * RL_FRAME;
        at[0] = at[RL_SWEEPS] = 0;
    }
}

static rl_sweep join(rl_sweep_group *group, int first, int end) {
    const rl_sweep sweep = rl_sweep_of(group, group->count++);
    group->first = rl_smaller(group->first, first);
    group->end = rl_larger(group->end, end);
    rotate_by_nothing(&sweep, group->lo - RL_SWEEPS, first);
    rotate_by_nothing(&sweep, end, group->hi + RL_SWEEPS);
    return sweep;
}

/* A group applies all its sweeps over all its columns, and must not do much that none of them asked for. */
static bool fits(const rl_sweep_group *group, int lo, int hi, int first, int end) {
    return group->count < RL_SWEEPS && first >= group->lo && end <= group->hi && group->hi - group->lo <= 2 * (hi - lo);
}

rl_sweep rl_sweeps_add(rl_sweeps *sweeps, int lo, int hi, int first, int end) {
    rl_sweep_group *group = sweeps->count > 0 ? &sweeps->groups[sweeps->count - 1] : NULL;
    if (group == NULL || !fits(group, lo, hi, first, end)) group = open_group(sweeps, lo, hi, false);
    return group != NULL ? join(group, first, end) : (rl_sweep){.frames = NULL};
}

rl_sweep_group *rl_sweeps_add_group(rl_sweeps *sweeps, int first, int end) {
    rl_sweep_group *group = open_group(sweeps, first, end, true);
    for (int k = 0; k < RL_SWEEPS && group != NULL; k++) join(group, first, end);
    return group;
}

bool rl_sweeps_are_scaled_well(const rl_sweep_group *group) {
    const double least = 0x1p-400;
    bool well = true;
    for (int i = 0; i <= group->hi - group->lo; i++) well &= group->scales[i] >= least;
    return well;
}

/* Sweeps that a group lacks, in part of the kernel's company. */
static void complete_group(const rl_sweep_group *group) {
    for (int k = group->count; k % RL_FUSED != 0; k++) {
        const rl_sweep sweep = rl_sweep_of(group, k);
        rotate_by_nothing(&sweep, group->lo - RL_SWEEPS, group->hi + RL_SWEEPS);
    }
}

static void call_kernel(int lanes, const rl_rotated_piece *piece, int rows) {
#ifdef RL_WIDE
    if (lanes > 2) {
        (lanes == 8 ? rl_rotate_8 : rl_rotate_4)(piece, rows);
        return;
    }
#endif
    (void)lanes;
    rl_rotate_2(piece, rows);
}

/* Rows of which all sweeps have their turn while the columns of a tile are in the cache. */
typedef struct tile {
    double *column; /* column 0 of the rows */
    ptrdiff_t stride;
    int begin, rows, lanes;
    ptrdiff_t ahead; /* from them to those that come next */
} tile;

/* RL_FUSED sweeps of a group, from sweep k on: `behind` columns behind the first ones of all. */
static void rotate_fused(const tile *t, const rl_sweep_group *group, int k, int behind) {
    rl_rotated_piece p = {.column = t->column, .stride = t->stride, .first = group->first, .last = group->end};
    p.begin = rl_larger(group->first, t->begin - behind);
    p.end = rl_smaller(group->end + RL_FUSED - 1, t->begin + TILE - behind);
    p.frames = rl_sweep_frame(group, p.begin + RL_LAG * k) + k;
    p.scaled = group->scales != NULL;
    p.scales = k + RL_FUSED < group->count ? NULL : group->scales;
    p.lo = group->lo;
    p.ahead = behind < MOST_ROWS / LINE * RL_FUSED ? t->ahead + behind / RL_FUSED * LINE : 0;
    if (p.begin < p.end) call_kernel(t->lanes, &p, t->rows);
}

static int whole_turned(int rows) {
    return (rows + RL_ROWS_TURNED - 1) / RL_ROWS_TURNED * RL_ROWS_TURNED;
}

/* All sweeps, each RL_FUSED columns behind those before, which have left the columns by then. */
static void rotate_tile(const rl_sweeps *sweeps, const tile *t) {
    int behind = 0;
    for (const rl_sweep_group *group = sweeps->groups; group < sweeps->groups + sweeps->count; group++)
        for (int k = 0; k < group->count; k += RL_FUSED, behind += RL_FUSED) rotate_fused(t, group, k, behind);
}

/* Positions of all sweeps, those that wait counted in. */
static int count_positions(const rl_sweeps *sweeps) {
    int behind = 0, end = 0;
    for (const rl_sweep_group *group = sweeps->groups; group < sweeps->groups + sweeps->count; group++) {
        behind += (group->count + RL_FUSED - 1) / RL_FUSED * RL_FUSED;
        end = rl_larger(end, group->end + behind);
    }
    return end;
}

void rl_sweeps_apply(rl_sweeps *sweeps, bool mirrored, double *x, int n_rows, int ld, int max_lanes) {
    const int positions = count_positions(sweeps);
    tile t = {.stride = mirrored ? -ld : ld, .lanes = rl_fused_lanes(max_lanes)};
    double *const column = mirrored ? x + (size_t)(sweeps->n - 1) * (size_t)ld : x;
    for (int g = 0; g < sweeps->count; g++) complete_group(&sweeps->groups[g]);
    for (; t.begin < positions; t.begin += TILE)
        for (int row = 0; row < n_rows; row += MOST_ROWS) {
            t.rows = rl_smaller((int)MOST_ROWS, whole_turned(n_rows - row));
            t.column = column + row;
            t.ahead = row + MOST_ROWS < n_rows ? MOST_ROWS : TILE * t.stride - row;
            rotate_tile(sweeps, &t);
        }
}
