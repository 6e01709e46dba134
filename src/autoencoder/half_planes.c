/* The tree over hidden vectors: planting it, and the course of a step. */
#include "half_planes.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "../numbers.h"
#include "../registers.h"

typedef rl_plane_key key;

/* ---- arrays ------------------------------------------------------------------------------------------------------ */

static int whole_vectors(int n_rows) {
    return n_rows / RL_LANES;
}

/* Sets where the nodes of each level begin. */
static void set_levels(rl_half_planes *p, int n_rows) {
    int n = (whole_vectors(n_rows) + RL_LEAF - 1) / RL_LEAF, levels = 0;
    p->level[0] = p->n_levels = 0;
    if (n == 0) return;
    do {
        p->level[levels + 1] = p->level[levels] + n;
        levels++;
        n = (n + RL_CHILDREN - 1) / RL_CHILDREN;
    } while (p->level[levels] - p->level[levels - 1] > 1);
    p->n_levels = levels;
}

enum { LEAF = RL_LEAF * RL_LANES }; /* rows */

/* As the rows of a leaf are sorted by length, each of its quads is as long as no row of the next one is short: zeros
 * fill up what one quad of the longest rows would have, and in the rows behind the tree what two would. */
int64_t rl_half_planes_room(int n_rows, int64_t n_entries, int64_t longest) {
    return n_entries + ((int64_t)n_rows / LEAF + 3) * RL_QUAD * longest;
}

void rl_half_planes_list(rl_arena *arena, void *planes) {
    rl_half_planes *const p = planes;
    set_levels(p, p->max_rows);
    const size_t vectors = (size_t)whole_vectors(p->max_rows) + 1, lists = (size_t)p->n_levels;
    const size_t features = (size_t)p->n_features, lines = lists * rl_room_for_lines(p->n_features);
    RL_TAKE(arena, p->nodes, p->level[p->n_levels] + 1);
    RL_TAKE(arena, p->vectors, vectors * RL_PLANE * RL_LANES);
    RL_TAKE(arena, p->weights, features * RL_PLANE);
    RL_TAKE(arena, p->points, features * RL_ROOM);
    RL_TAKE(arena, p->start, (size_t)p->max_rows / RL_QUAD + 2);
    RL_TAKE(arena, p->column, p->max_entries);
    RL_TAKE(arena, p->value, p->max_entries);
    RL_TAKE(arena, p->above, features * RL_QUAD);
    RL_TAKE(arena, p->order, features);
    RL_TAKE(arena, p->lines, lines * RL_CHILDREN * (RL_PLANE + 1));
    RL_TAKE(arena, p->line_sums, lines * (RL_PLANE + 1));
    RL_TAKE(arena, p->cuts, lines * RL_CHILDREN);
    RL_TAKE(arena, p->inside, rl_room_for_lines(p->n_features) * RL_CHILDREN);
    RL_TAKE(arena, p->keys, rl_larger(p->max_rows, p->n_features));
}

static const rl_half_planes_kernel *kernel_for(const rl_half_planes *planes) {
    return RL_KERNEL_FOR(rl_half_planes_kernel, rl_fused_lanes(planes->max_lanes));
}

/* ---- planting ---------------------------------------------------------------------------------------------------- */

/* The middle one of three numbers. */
static float middle_of(float a, float b, float c) {
    const float low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* Of nine keys from one end to the other, the middle one of the middle ones of three. */
static float pivot_of(const key *keys, int n, int by) {
    float middle[3];
    for (int i = 0; i < 3; i++) {
        const key *const at = keys + (size_t)n * (size_t)i / 3;
        const int apart = n / 9;
        middle[i] = middle_of(at[0].at[by], at[apart].at[by], at[2 * apart].at[by]);
    }
    return middle_of(middle[0], middle[1], middle[2]);
}

/* Puts keys below a pivot first, or those not above it, without a branch that would be guessed wrong: each key changes
 * places with the first of the others. Returns how many there are. */
static int part_at(key *keys, int n, float pivot, int by, bool not_above) {
    int first = 0;
    for (int i = 0; i < n; i++) {
        const key this = keys[i];
        const bool below = this.at[by]<pivot, above = this.at[by]> pivot;
        keys[i] = keys[first];
        keys[first] = this;
        first += not_above ? !above : below;
    }
    return first;
}

/* Puts the smallest `wanted` of n keys by one component first. Many that are the same are as well dealt out as others.
 */
static void part_keys(key *keys, int n, int wanted, int by) {
    while (wanted > 0 && wanted < n) {
        const float pivot = pivot_of(keys, n, by);
        int first = part_at(keys, n, pivot, by, false);
        if (first == 0) {
            first = part_at(keys, n, pivot, by, true);
            if (wanted <= first) return;
        }
        if (wanted <= first) {
            n = first;
            continue;
        }
        keys += first;
        n -= first;
        wanted -= first;
    }
}

/* By a thousand of them, where there are more. */
static int longer_side(const key *keys, int n) {
    enum { ENOUGH = 1024 };
    float low[RL_PLANE] = {INFINITY, INFINITY}, high[RL_PLANE] = {-INFINITY, -INFINITY};
    for (int i = 0; i < n; i += 1 + n / ENOUGH)
        for (int k = 0; k < RL_PLANE; k++) {
            const float at = keys[i].at[k];
            low[k] = at < low[k] ? at : low[k];
            high[k] = at > high[k] ? at : high[k];
        }
    return high[1] - low[1] > high[0] - low[0];
}

/* The largest number of vectors for the first child of a node of n that fills leaves of a whole tree. */
static int first_part(int n) {
    int part = RL_LEAF;
    while (2 * part < n) part *= 2;
    return part;
}

/* Parts the vectors from `first` on across the longer side of their box, until they make a leaf. */
static void part_vectors(rl_half_planes *p, int first, int n_vectors) {
    if (n_vectors <= RL_LEAF) return;
    key *const keys = p->keys + (size_t)first * RL_LANES;
    const int n = n_vectors * RL_LANES, part = first_part(n_vectors);
    part_keys(keys, n, part * RL_LANES, longer_side(keys, n));
    part_vectors(p, first, part);
    part_vectors(p, first + part, n_vectors - part);
}

/* Rises with the angle of a point from -2 to 2, by arithmetic that has the same bits everywhere. */
static double direction_of(double x, double y) {
    const double size = fabs(x) + fabs(y), sine = size > 0 ? y / size : 0;
    return x >= 0 ? sine : y >= 0 ? 2 - sine : -2 - sine;
}

/* Where the line of a feature crosses its direction. */
static double offset_of(const double *point) {
    const double length = sqrt(point[0] * point[0] + point[1] * point[1]);
    return length > 0 ? -point[2] / length : 0;
}

/* Parts keys by one component into pieces of a size, the lowest first. */
static void part_evenly(key *keys, int n, int size, int by) {
    const int n_pieces = (n + size - 1) / size, first = n_pieces / 2 * size;
    if (n_pieces <= 1) return;
    part_keys(keys, n, first, by);
    part_evenly(keys, first, size, by);
    part_evenly(keys + first, n - first, size, by);
}

/* By direction into as many parts as there are groups of eight in each, and these by offset: features of one group have
 * lines as close together in the one as in the other. */
static void sort_features(rl_half_planes *p) {
    const int n = p->n_features, part = RL_LANES * (int)ceil(sqrt((double)n / RL_LANES));
    for (int j = 0; j < n; j++) {
        const double *point = p->points + (size_t)j * RL_ROOM;
        p->keys[j] = (key){.at = {(float)direction_of(point[0], point[1]), (float)offset_of(point)}, .index = j};
    }
    part_evenly(p->keys, n, part, 0);
    for (int j = 0; j < n; j += part) part_evenly(p->keys + j, rl_smaller(part, n - j), RL_LANES, 1);
    for (int j = 0; j < n; j++) p->order[j] = p->keys[j].index;
}

static void set_points(rl_half_planes *p, const double *parameters) {
    const size_t stride = (size_t)rl_parameter_stride(p->n_features);
    memset(p->points, 0, (size_t)p->n_features * RL_ROOM * sizeof *p->points);
    for (size_t j = 0; j < (size_t)p->n_features; j++) {
        for (size_t k = 0; k <= RL_PLANE; k++) p->points[j * RL_ROOM + k] = parameters[k * stride + j];
        for (size_t k = 0; k < RL_PLANE; k++) p->weights[j * RL_PLANE + k] = parameters[k * stride + j];
    }
}

/* Component k of the vector in a place. */
static double *component(double *vectors, int place, int k) {
    return vectors + ((size_t)(place / RL_LANES) * RL_PLANE + (size_t)k) * RL_LANES + place % RL_LANES;
}

static key key_of(const rl_half_planes *p, const rl_sparse_rows *rows, int row) {
    double at[RL_PLANE] = {0};
    for (int64_t e = rows->start[row]; e < rows->start[row + 1]; e++)
        for (int i = 0; i < RL_PLANE; i++)
            at[i] += rows->value[e] * p->weights[(size_t)rows->column[e] * RL_PLANE + (size_t)i];
    return (key){
        .at = {(float)at[0], (float)at[1]}, .index = row, .length = (int32_t)(rows->start[row + 1] - rows->start[row])};
}

/* Puts short rows first. */
static void sort_by_length(key *keys, int n) {
    for (int i = 1; i < n; i++) {
        const key next = keys[i];
        int j = i;
        for (; j > 0 && keys[j - 1].length > next.length; j--) keys[j] = keys[j - 1];
        keys[j] = next;
    }
}

/* Rows of the keys behind lie anywhere, in no cache. */
static void fetch_rows(const rl_half_planes *p, int first, const rl_sparse_rows *rows) {
    enum { AHEAD = 16, LINE = 64 };
    for (int i = first + AHEAD; i < first + AHEAD + RL_QUAD && i < p->n_rows; i++) {
        const int64_t from = rows->start[p->keys[i].index], n = p->keys[i].length;
        for (int64_t e = 0; e < n; e += LINE / (int64_t)sizeof *rows->value) __builtin_prefetch(&rows->value[from + e]);
        for (int64_t e = 0; e < n; e += LINE / (int64_t)sizeof *rows->column)
            __builtin_prefetch(&rows->column[from + e]);
    }
    for (int i = first + 2 * AHEAD; i < first + 2 * AHEAD + RL_QUAD && i < p->n_rows; i++)
        __builtin_prefetch(&rows->start[p->keys[i].index]);
}

/* Copies up to four rows side by side, the longest of which comes last; zeros fill up the others. */
static void take_quad(rl_half_planes *p, int i, const rl_sparse_rows *rows) {
    const int first = i * RL_QUAD, n = rl_smaller(p->n_rows - first, RL_QUAD);
    const int64_t longest = p->keys[first + n - 1].length, at = p->start[i] * RL_QUAD;
    int32_t *const restrict column = p->column + at;
    double *const restrict value = p->value + at;
    double squares = 0;
    int64_t from[RL_QUAD] = {0}, length[RL_QUAD] = {0};
    fetch_rows(p, first, rows);
    for (int r = 0; r < n; r++) {
        from[r] = rows->start[p->keys[first + r].index];
        length[r] = p->keys[first + r].length;
    }
    for (int64_t e = 0; e < longest; e++)
        for (int r = 0; r < RL_QUAD; r++) {
            const bool is_there = e < length[r];
            const int64_t entry = is_there ? from[r] + e : 0;
            const double x = rows->value[entry];
            column[e * RL_QUAD + r] = is_there ? rows->column[entry] : 0;
            value[e * RL_QUAD + r] = is_there ? x : 0;
            squares += is_there ? x * x : 0;
        }
    p->squares += squares;
    p->start[i + 1] = p->start[i] + longest;
}

/* Copies the rows into the order of the keys, those of a leaf by length: a step reads them one after the other. */
static void take_rows(rl_half_planes *p, const rl_sparse_rows *rows) {
    const int in_tree = whole_vectors(p->n_rows) * RL_LANES;
    for (int i = 0; i < in_tree; i += LEAF) sort_by_length(p->keys + i, rl_smaller(LEAF, in_tree - i));
    sort_by_length(p->keys + in_tree, p->n_rows - in_tree);
    p->squares = 0;
    for (int i = 0; i * RL_QUAD < p->n_rows; i++) take_quad(p, i, rows);
}

void rl_half_planes_plant(rl_half_planes *p, const double *parameters, const rl_sparse_rows *rows) {
    assert(rows->n_rows <= p->max_rows && rows->start[rows->n_rows] <= p->max_entries);
    p->n_rows = rows->n_rows;
    set_points(p, parameters);
    sort_features(p);
    for (int i = 0; i < p->n_rows; i++) p->keys[i] = key_of(p, rows, i);
    set_levels(p, p->n_rows);
    part_vectors(p, 0, whole_vectors(p->n_rows));
    take_rows(p, rows);
}

/* ---- a step ------------------------------------------------------------------------------------------------------ */

/* The few vectors behind the tree, densely. Takes gradient[3 * stride] for their sums. */
static void add_rest(rl_half_planes *p, const double *parameters, double *gradient, double *loss) {
    const int first = whole_vectors(p->n_rows) * RL_LANES, n = p->n_rows - first;
    const size_t stride = (size_t)rl_parameter_stride(p->n_features);
    double squares, hidden[RL_LANES * RL_PLANE], by_hidden[RL_LANES * RL_PLANE] = {0};
    _Alignas(RL_POINT * sizeof(double)) double pulls[RL_LANES * RL_PLANE] = {0};
    const rl_outputs o = {.n_hidden = RL_PLANE,
                          .n_rows = n,
                          .stride = stride,
                          .parameters = parameters,
                          .hidden = hidden,
                          .gradient = gradient,
                          .hidden_gradient = by_hidden,
                          .max_lanes = p->max_lanes};
    for (int i = 0; i < n * RL_PLANE; i++) hidden[i] = *component(p->vectors, first + i / RL_PLANE, i % RL_PLANE);
    memset(gradient, 0, (RL_PLANE + 1) * stride * sizeof *gradient);
    rl_outputs_sum(&o, &squares);
    for (int i = 0; i < n * RL_PLANE; i++) *component(pulls, i / RL_PLANE, i % RL_PLANE) = by_hidden[i];
    kernel_for(p)->finish_quads(p, first / RL_QUAD, (n + RL_QUAD - 1) / RL_QUAD, pulls, loss);
    *loss += squares;
}

/* Time beside that of eight dense outputs, measured at n = 10,000: of a node by a line, with the line's way to it, of
 * eight outputs of a leaf, of eight vectors, and of a feature. Inputs that are not zero take as long as with dense
 * sums.
 */
static double work_of(const rl_half_planes *p, const rl_plane_counts *c) {
    static const double test = 0.5, output = 0.6, vector = 4, feature = 1.8;
    return test * (double)c->tests + output * (double)c->outputs + vector * whole_vectors(p->n_rows) +
           feature * p->n_features;
}

void rl_half_planes_gradient(rl_half_planes *p, const double *parameters, double *loss, double *gradient,
                             double *work) {
    const rl_half_planes_kernel *const kernel = kernel_for(p);
    const size_t stride = (size_t)rl_parameter_stride(p->n_features);
    rl_plane_counts counts = {0};
    set_points(p, parameters);
    *loss = p->squares;
    kernel->make_vectors(p);
    kernel->add_features(p, loss, &counts);
    add_rest(p, parameters, gradient, loss);
    for (size_t k = 0; k <= RL_PLANE; k++)
        for (size_t j = 0; j < (size_t)p->n_features; j++) {
            double *const sum = &gradient[k * stride + j];
            *sum = 2 * (*sum + p->points[j * RL_ROOM + RL_POINT + k]);
        }
    *work = work_of(p, &counts);
}
