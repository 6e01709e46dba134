/* Arithmetic of half-planes in vector registers.
 *
 * Sums have RL_LANES lanes, whatever the registers: those of LANES numbers take a part of the lanes each. A product
 * that is added to something is rounded once with the sum: by fma() where the registers are those of any processor. */
#include <math.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "../fused.h"
#include "half_planes.h"

enum { PARTS = RL_LANES / LANES };

typedef double vector __attribute__((vector_size(sizeof(double) * LANES)));
typedef int64_t mask __attribute__((vector_size(sizeof(int64_t) * LANES)));
typedef double point __attribute__((vector_size(sizeof(double) * RL_POINT)));
typedef int64_t point_mask __attribute__((vector_size(sizeof(int64_t) * RL_POINT)));

/* Eight numbers. */
typedef struct wide {
    vector part[PARTS];
} wide;

#define EACH_PART(i) for (int i = 0; i < PARTS; i++)

RL_INLINED wide load(const double *from) {
    wide all;
    memcpy(&all, from, sizeof all);
    return all;
}

RL_INLINED void store(double *to, const wide *all) {
    memcpy(to, all, sizeof *all);
}

RL_INLINED double add_lanes(const double lane[RL_LANES]) {
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

RL_INLINED double sum_of(const wide *all) {
    double lane[RL_LANES];
    store(lane, all);
    return add_lanes(lane);
}

/* Which lanes of a vector have something: a register of bits, or a vector of masks. */
#if LANES == 8 && defined(__AVX512F__)
typedef __mmask8 lanes;

RL_INLINED lanes above_zero(vector v) {
    return _mm512_cmp_pd_mask((__m512d)v, _mm512_setzero_pd(), _CMP_GT_OQ);
}

RL_INLINED lanes not_below_zero(vector v) {
    return _mm512_cmp_pd_mask((__m512d)v, _mm512_setzero_pd(), _CMP_GE_OQ);
}

RL_INLINED unsigned bits_of(lanes set) {
    return set;
}

/* sum + v there, and sum. */
RL_INLINED vector add_only(vector sum, lanes set, vector v) {
    return (vector)_mm512_mask_add_pd((__m512d)sum, set, (__m512d)sum, (__m512d)v);
}

RL_INLINED vector positive_part(vector z) {
    return (vector)_mm512_max_pd((__m512d)z, _mm512_setzero_pd());
}
#else
typedef mask lanes;

RL_INLINED lanes above_zero(vector v) {
    return v > 0;
}

RL_INLINED lanes not_below_zero(vector v) {
    return v >= 0;
}

RL_INLINED unsigned bits_of(lanes set) {
#if LANES == 4 && defined(__AVX__)
    return (unsigned)_mm256_movemask_pd((__m256d)set);
#elif LANES == 2 && defined(__SSE2__)
    return (unsigned)_mm_movemask_pd((__m128d)set);
#else
    unsigned bits = 0;
    for (int i = 0; i < LANES; i++) bits |= (unsigned)(set[i] != 0) << i;
    return bits;
#endif
}

RL_INLINED vector add_only(vector sum, lanes set, vector v) {
    return sum + (vector)((mask)v & set); /* no sum is -0 */
}

RL_INLINED vector positive_part(vector z) {
    return (vector)((mask)z & (z > 0));
}
#endif

RL_INLINED vector all_of(double number) {
    return number - (vector){0};
}

RL_INLINED vector size_of(vector v) {
    return (vector)((mask)v & INT64_MAX);
}

RL_INLINED vector load_part(const double *from) {
    vector v;
    memcpy(&v, from, sizeof v);
    return v;
}

RL_INLINED void store_part(double *to, vector v) {
    memcpy(to, &v, sizeof v);
}

/* Points lie on whole multiples of their size. */
RL_INLINED point *point_at(double *points) {
    return (point *)(void *)points;
}

/* ---- inputs that are not zero ------------------------------------------------------------------------------------ */

/* Four numbers, one of each row of a quad. */
RL_INLINED const point *four_at(const double *from) {
    return (const point *)(const void *)from;
}

/* The entries of four rows side by side. */
typedef struct quad {
    int64_t first, end;
    const int32_t *column;
    const double *value;
} quad;

RL_INLINED quad quad_of(const rl_half_planes *p, int i) {
    return (quad){p->start[i], p->start[i + 1], p->column, p->value};
}

/* Where the first of its hidden vectors is in an array of such. */
RL_INLINED size_t quad_at(int i) {
    return (size_t)(i / 2) * RL_PLANE * RL_LANES + (size_t)(i % 2) * RL_QUAD;
}

/* Component k of the columns of four entries. */
RL_INLINED void take_columns(const double *table, size_t stride, const int32_t *column, size_t k, point *four) {
    const double *const at = table + k;
    *four = (point){at[(size_t)column[0] * stride], at[(size_t)column[1] * stride], at[(size_t)column[2] * stride],
                    at[(size_t)column[3] * stride]};
}

/* The hidden vectors of four rows. */
RL_INLINED void make_hidden(const rl_half_planes *p, int i) {
    const quad q = quad_of(p, i);
    const double *const weights = p->weights;
    point x = {0}, y = {0};
    for (int64_t e = q.first * RL_QUAD; e < q.end * RL_QUAD; e += RL_QUAD) {
        const point value = *four_at(q.value + e);
        point w[RL_PLANE];
        for (size_t k = 0; k < RL_PLANE; k++) take_columns(weights, RL_PLANE, q.column + e, k, &w[k]);
        rl_fused_add_four(&value, &w[0], &x);
        rl_fused_add_four(&value, &w[1], &y);
    }
    double *const at = p->vectors + quad_at(i);
    *point_at(at) = x;
    *point_at(at + RL_LANES) = y;
}

/* Where an input is x and its output above zero, half the derivative by that is p - x: less by x than as if the input
 * were zero. Notes these -x in `above`, and sums up -x w and -x b over them. */
RL_INLINED void make_pulls(const rl_half_planes *p, const quad *q, const point h[RL_PLANE], double *above,
                           point pull[RL_PLANE + 1]) {
    const double *const points = p->points;
    pull[0] = pull[1] = pull[2] = (point){0};
    for (int64_t e = q->first * RL_QUAD; e < q->end * RL_QUAD; e += RL_QUAD, above += RL_QUAD) {
        point w[RL_PLANE + 1];
        for (size_t k = 0; k <= RL_PLANE; k++) take_columns(points, RL_ROOM, q->column + e, k, &w[k]);
        const point z = w[2] + w[0] * h[0] + w[1] * h[1]; /* rounded as in the dense sums: its sign counts */
        const point value = (point)((point_mask) - *four_at(q->value + e) & (z > 0));
        *point_at(above) = value;
        for (int k = 0; k <= RL_PLANE; k++) rl_fused_add_four(&value, &w[k], &pull[k]);
    }
}

/* Gives the columns what the entries make of them: x times the row's pull, and -x (h, 1) where the output is above
 * zero. */
RL_INLINED void pass_back(const rl_half_planes *p, const quad *q, const point h[RL_PLANE], const double *above,
                          const point pull[RL_PLANE]) {
    double *const sums = p->points + RL_POINT;
    point of_value[RL_QUAD], of_above[RL_QUAD];
    for (int r = 0; r < RL_QUAD; r++) {
        of_value[r] = (point){pull[0][r], pull[1][r]};
        of_above[r] = (point){h[0][r], h[1][r], 1};
    }
    for (int64_t e = q->first * RL_QUAD; e < q->end * RL_QUAD; e += RL_QUAD, above += RL_QUAD)
        for (int r = 0; r < RL_QUAD; r++) {
            point *const sum = point_at(sums + (size_t)q->column[e + r] * RL_ROOM);
            const point value = q->value[e + r] - (point){0}, less = above[r] - (point){0};
            point all = *sum;
            rl_fused_add_four(&value, &of_value[r], &all);
            rl_fused_add_four(&less, &of_above[r], &all);
            *sum = all;
        }
}

/* The loss is (p - x)^2 = p^2 + x^2 - 2 p x: that of the pull's own product with (h, 1) is the last. */
static void finish_quads(const rl_half_planes *p, int first, int n, const double *pulls, double *loss) {
    point sum = {0};
    for (int i = 0; i < n; i++) {
        const quad q = quad_of(p, first + i);
        const double *const vectors = p->vectors + quad_at(first + i), *const other = pulls + quad_at(i);
        const point h[] = {*four_at(vectors), *four_at(vectors + RL_LANES)};
        point pull[RL_PLANE + 1];
        make_pulls(p, &q, h, p->above, pull);
        sum += pull[0] * h[0] + pull[1] * h[1] + pull[2];
        pull[0] += *four_at(other);
        pull[1] += *four_at(other + RL_LANES);
        pass_back(p, &q, h, p->above, pull);
    }
    *loss += 2 * ((sum[0] + sum[2]) + (sum[1] + sum[3]));
}

/* ---- boxes and moments ------------------------------------------------------------------------------------------- */

typedef struct box {
    double low[RL_PLANE], high[RL_PLANE];
} box;

static box box_of(const rl_plane_node *node) {
    box b;
    for (int k = 0; k < RL_PLANE; k++) {
        b.low[k] = node->middle[k] - node->half[k];
        b.high[k] = node->middle[k] + node->half[k];
    }
    return b;
}

/* Rounding may leave a vector outside by a part of eps, where its output is as small. */
static void set_box(rl_plane_node *node, const box *b) {
    for (int k = 0; k < RL_PLANE; k++) {
        node->middle[k] = (b->low[k] + b->high[k]) / 2;
        node->half[k] = (b->high[k] - b->low[k]) / 2;
    }
}

static void widen(box *b, const box *other) {
    for (int k = 0; k < RL_PLANE; k++) {
        b->low[k] = other->low[k] < b->low[k] ? other->low[k] : b->low[k];
        b->high[k] = other->high[k] > b->high[k] ? other->high[k] : b->high[k];
    }
}

/* Of the vectors of a leaf, lane by lane. */
typedef struct lane_moments {
    wide low[RL_PLANE], high[RL_PLANE], sum[RL_PLANE], xx, xy, yy;
} lane_moments;

RL_INLINED vector smaller(vector a, vector b) {
    const mask is_smaller = a < b;
    return (vector)(((mask)a & is_smaller) | ((mask)b & ~is_smaller));
}

RL_INLINED void add_moments(lane_moments *m, const double *at) {
    const wide x = load(at), y = load(at + RL_LANES), both[] = {x, y};
    for (int k = 0; k < RL_PLANE; k++) EACH_PART(i) {
            m->low[k].part[i] = smaller(both[k].part[i], m->low[k].part[i]);
            m->high[k].part[i] = -smaller(-both[k].part[i], -m->high[k].part[i]);
            m->sum[k].part[i] += both[k].part[i];
        }
    EACH_PART(i) {
        m->xx.part[i] += x.part[i] * x.part[i];
        m->xy.part[i] += x.part[i] * y.part[i];
        m->yy.part[i] += y.part[i] * y.part[i];
    }
}

static double least_of(const wide *all) {
    double lane[RL_LANES], least = INFINITY;
    store(lane, all);
    for (int i = 0; i < RL_LANES; i++) least = lane[i] < least ? lane[i] : least;
    return least;
}

/* How many of all `n` there are from `first` on, `most` at most. */
static int part_of(int n, int first, int most) {
    return n - first < most ? n - first : most;
}

static void refit_leaf(const rl_half_planes *p, int leaf) {
    rl_plane_node *const node = &p->nodes[leaf];
    const int at = leaf * RL_LEAF, n = part_of(p->n_rows / RL_LANES, at, RL_LEAF);
    const double *const first = p->vectors + (size_t)at * RL_PLANE * RL_LANES;
    lane_moments m = {0};
    for (int k = 0; k < RL_PLANE; k++) m.low[k] = m.high[k] = load(first + k * RL_LANES);
    for (int i = 0; i < n; i++) add_moments(&m, first + (size_t)i * RL_PLANE * RL_LANES);
    box b;
    for (int k = 0; k < RL_PLANE; k++) {
        wide negative;
        EACH_PART(i) negative.part[i] = -m.high[k].part[i];
        b.low[k] = least_of(&m.low[k]);
        b.high[k] = -least_of(&negative);
    }
    set_box(node, &b);
    const double moments[RL_MOMENTS] = {n * RL_LANES,  sum_of(&m.sum[0]), sum_of(&m.sum[1]),
                                        sum_of(&m.xx), sum_of(&m.xy),     sum_of(&m.yy)};
    memcpy(node->moments, moments, sizeof moments);
}

static void refit_inner(rl_plane_node *node, const rl_plane_node *children, int n) {
    box whole = box_of(children);
    memset(node, 0, sizeof *node);
    for (int i = 0; i < n; i++) {
        const box other = box_of(&children[i]);
        widen(&whole, &other);
        for (int k = 0; k < RL_MOMENTS; k++) node->moments[k] += children[i].moments[k];
    }
    set_box(node, &whole);
}

static void refit_above(const rl_half_planes *p, int level) {
    const int below = p->level[level - 1], n = p->level[level] - below;
    for (int i = p->level[level]; i < p->level[level + 1]; i++) {
        const int first = (i - p->level[level]) * RL_CHILDREN;
        refit_inner(&p->nodes[i], &p->nodes[below + first], part_of(n, first, RL_CHILDREN));
    }
}

static void make_vectors(const rl_half_planes *p) {
    enum { QUADS = RL_LEAF * RL_LANES / RL_QUAD };
    const int n = (p->n_rows + RL_QUAD - 1) / RL_QUAD, in_tree = p->n_rows / RL_LANES * RL_LANES / RL_QUAD;
    for (int i = 0; i < n; i++) {
        make_hidden(p, i);
        if (i < in_tree && ((i + 1) % QUADS == 0 || i + 1 == in_tree)) refit_leaf(p, i / QUADS);
    }
    for (int level = 1; level < p->n_levels; level++) refit_above(p, level);
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

/* The lines of those features that cut a node, and sums over what lies in their half-planes: the moments of nodes
 * inside, or, of a leaf, of z h and z. Behind the last one are some that have nothing inside and cut nothing. */
typedef struct lines {
    int n;
    double *x, *y, *b;
    double *sums;   /* [n / 8, RL_MOMENTS, 8] */
    int32_t *place; /* of the feature, in the order of lines */
} lines;

/* The list of child k of a node of the level above. Children go one after the other, and have sums in common. */
static lines lines_of(const rl_half_planes *p, int level, int k) {
    const size_t n = rl_room_for_lines(p->n_features), list = (size_t)level * RL_CHILDREN + (size_t)k;
    double *const first = p->lines + list * (RL_PLANE + 1) * n;
    return (lines){.x = first,
                   .y = first + n,
                   .b = first + 2 * n,
                   .sums = p->line_sums + (size_t)level * RL_MOMENTS * n,
                   .place = p->places + list * n};
}

/* A sum of the lines that begin at a lane. */
RL_INLINED double *sums_at(const lines *l, int at, int k) {
    return l->sums + (size_t)(at / RL_LANES * RL_MOMENTS + k) * RL_LANES + at % RL_LANES;
}

/* Ends a list, and empties `n_sums` of its sums. */
RL_INLINED void close_lines(lines *l, const int n_sums) {
    const vector zero = {0};
    for (int i = l->n; i < l->n + RL_LANES; i++) {
        l->x[i] = l->y[i] = 0;
        l->b[i] = -1;
    }
    for (int i = 0; i < l->n; i += LANES)
        for (int k = 0; k < n_sums; k++) store_part(sums_at(l, i, k), zero);
}

/* Some lines side by side. */
typedef struct some_lines {
    vector x, y, b;
} some_lines;

RL_INLINED some_lines lines_at(const lines *l, int at) {
    return (some_lines){load_part(l->x + at), load_part(l->y + at), load_part(l->b + at)};
}

/* Appends those whose lanes are set. What does not count is written over. */
RL_INLINED void append_lines(lines *to, const lines *from, int at, const some_lines *l, lanes set) {
    int n = to->n;
#if LANES == 8 && defined(__AVX512F__)
    const __m256i place = _mm256_loadu_si256((const __m256i *)(const void *)(from->place + at));
    _mm512_storeu_pd(to->x + n, _mm512_maskz_compress_pd(set, (__m512d)l->x));
    _mm512_storeu_pd(to->y + n, _mm512_maskz_compress_pd(set, (__m512d)l->y));
    _mm512_storeu_pd(to->b + n, _mm512_maskz_compress_pd(set, (__m512d)l->b));
    _mm256_storeu_si256((__m256i *)(void *)(to->place + n),
                        _mm512_castsi512_si256(_mm512_maskz_compress_epi32(set, _mm512_castsi256_si512(place))));
    n += __builtin_popcount(set);
#else
    (void)l;
    const unsigned bits = bits_of(set);
    for (int i = 0; i < LANES; i++) {
        to->x[n] = from->x[at + i];
        to->y[n] = from->y[at + i];
        to->b[n] = from->b[at + i];
        to->place[n] = from->place[at + i];
        n += (int)(bits >> i & 1);
    }
#endif
    to->n = n;
}

/* Which of some lines have a box inside, and which cut it. */
RL_INLINED void test_lines(const some_lines *l, const rl_plane_node *node, lanes *inside, lanes *cut) {
    const vector z = rl_fused(l->x, all_of(node->middle[0]), rl_fused(l->y, all_of(node->middle[1]), l->b));
    const vector reach = rl_fused(size_of(l->x), all_of(node->half[0]), size_of(l->y) * node->half[1]);
    *inside = not_below_zero(z - reach);
    *cut = above_zero(z + reach) & ~*inside;
}

/* Sorts the lines of a node by where they have its children: those that cut one go on to its list; those that have it
 * inside take its moments, and give it their shares. */
static void sift_lines(const rl_plane_node *nodes, int n, const lines *own, lines *children,
                       double shares[RL_CHILDREN][RL_SHARES]) {
    const lines from = *own;
    wide all[RL_CHILDREN][RL_SHARES];
    memset(all, 0, sizeof all);
    for (int at = 0; at < from.n; at += LANES) {
        const some_lines l = lines_at(&from, at);
        const vector products[RL_SHARES] = {l.x * l.x, l.x * l.y, l.y * l.y, l.b * l.x, l.b * l.y};
        const int part = at % RL_LANES / LANES;
        vector sums[RL_MOMENTS];
        for (int j = 0; j < RL_MOMENTS; j++) sums[j] = load_part(sums_at(&from, at, j));
        for (int k = 0; k < n; k++) {
            lanes inside, cut;
            test_lines(&l, &nodes[k], &inside, &cut);
            if (LANES == RL_LANES || bits_of(cut) != 0) append_lines(&children[k], &from, at, &l, cut);
            if (bits_of(inside) == 0) continue;
            for (int j = 0; j < RL_MOMENTS; j++) sums[j] = add_only(sums[j], inside, all_of(nodes[k].moments[j]));
            for (int j = 0; j < RL_SHARES; j++)
                all[k][j].part[part] = add_only(all[k][j].part[part], inside, products[j]);
        }
        for (int j = 0; j < RL_MOMENTS; j++) store_part(sums_at(&from, at, j), sums[j]);
    }
    for (int k = 0; k < n; k++)
        for (int j = 0; j < RL_SHARES; j++) shares[k][j] += sum_of(&all[k][j]);
}

/* The sums of z h and z from moments. */
static void use_moments(const lines *all) {
    const lines l = *all;
    for (int at = 0; at < l.n; at += LANES) {
        const some_lines s = lines_at(&l, at);
        vector m[RL_MOMENTS];
        for (int k = 0; k < RL_MOMENTS; k++) m[k] = load_part(sums_at(&l, at, k));
        store_part(sums_at(&l, at, 0), rl_fused(s.x, m[3], rl_fused(s.y, m[4], s.b * m[1])));
        store_part(sums_at(&l, at, 1), rl_fused(s.x, m[4], rl_fused(s.y, m[5], s.b * m[2])));
        store_part(sums_at(&l, at, 2), rl_fused(s.x, m[1], rl_fused(s.y, m[2], s.b * m[0])));
    }
}

/* Adds the sums of z h and z to those of the features. */
static void give_sums(const rl_half_planes *p, const lines *all) {
    const lines l = *all;
    double *const sums = p->sums;
    for (int i = 0; i < l.n; i++)
        *point_at(sums + (size_t)l.place[i] * RL_POINT) +=
            (point){*sums_at(&l, i, 0), *sums_at(&l, i, 1), *sums_at(&l, i, 2)};
}

/* ---- leaves ------------------------------------------------------------------------------------------------------ */

enum { TOGETHER = 4 }; /* vectors, so that what is summed stays in registers */

/* Adds the outputs of all lines at a few hidden vectors: to the sums of the lines and to pulls. */
static void add_outputs(const lines *own, const double *x, const double *y, double *pull_x, double *pull_y) {
    const lines list = *own, *const l = &list;
    wide of_x[TOGETHER], of_y[TOGETHER];
    EACH_PART(part) {
        vector sum_x[TOGETHER], sum_y[TOGETHER];
        for (int k = 0; k < TOGETHER; k++) sum_x[k] = sum_y[k] = (vector){0};
        for (int at = part * LANES; at < l->n; at += RL_LANES) {
            const some_lines s = lines_at(l, at);
            vector z_x = load_part(sums_at(l, at, 0)), z_y = load_part(sums_at(l, at, 1)),
                   z_1 = load_part(sums_at(l, at, 2));
            for (int k = 0; k < TOGETHER; k++) {
                const vector h_x = all_of(x[k]), h_y = all_of(y[k]);
                const vector z = positive_part(rl_fused(s.x, h_x, rl_fused(s.y, h_y, s.b)));
                z_x = rl_fused(z, h_x, z_x);
                z_y = rl_fused(z, h_y, z_y);
                z_1 += z;
                sum_x[k] = rl_fused(z, s.x, sum_x[k]);
                sum_y[k] = rl_fused(z, s.y, sum_y[k]);
            }
            store_part(sums_at(l, at, 0), z_x);
            store_part(sums_at(l, at, 1), z_y);
            store_part(sums_at(l, at, 2), z_1);
        }
        for (int k = 0; k < TOGETHER; k++) {
            of_x[k].part[part] = sum_x[k];
            of_y[k].part[part] = sum_y[k];
        }
    }
    for (int k = 0; k < TOGETHER; k++) {
        pull_x[k] += sum_of(&of_x[k]);
        pull_y[k] += sum_of(&of_y[k]);
    }
}

/* ---- the walk ---------------------------------------------------------------------------------------------------- */

typedef struct walk {
    const rl_half_planes *planes;
    double *loss;
    rl_plane_counts *counts;
} walk;

/* Half the derivatives by the vectors of a leaf, complete, and what its rows make of them. */
static void visit_leaf(const walk *w, int leaf, lines *own, const double *shares) {
    const rl_half_planes *const p = w->planes;
    const int first = leaf * RL_LEAF, n = part_of(p->n_rows / RL_LANES, first, RL_LEAF);
    _Alignas(RL_POINT * sizeof(double)) double pulls[RL_LEAF * RL_PLANE * RL_LANES];
    for (int i = 0; i < n; i++) {
        const double *const x = p->vectors + (size_t)(first + i) * RL_PLANE * RL_LANES, *const y = x + RL_LANES;
        double *const pull_x = pulls + i * RL_PLANE * RL_LANES, *const pull_y = pull_x + RL_LANES;
        for (int k = 0; k < RL_LANES; k++) {
            pull_x[k] = shares[0] * x[k] + shares[1] * y[k] + shares[3];
            pull_y[k] = shares[1] * x[k] + shares[2] * y[k] + shares[4];
        }
        for (int k = 0; own->n > 0 && k < RL_LANES; k += TOGETHER)
            add_outputs(own, x + k, y + k, pull_x + k, pull_y + k);
    }
    w->counts->outputs += (int64_t)n * own->n;
    give_sums(p, own);
    finish_quads(p, first * RL_LANES / RL_QUAD, n * RL_LANES / RL_QUAD, pulls, w->loss);
}

/* Visits a node of a level with the lines that cut it, and what its vectors have of shares so far. */
static void visit(const walk *w, int level, int i, lines *own, const double *shares) {
    const rl_half_planes *const p = w->planes;
    if (level == 0) {
        close_lines(own, RL_PLANE + 1);
        visit_leaf(w, i, own, shares);
        return;
    }
    const int below = p->level[level - 1], first = i * RL_CHILDREN;
    const int n = part_of(p->level[level] - below, first, RL_CHILDREN);
    lines children[RL_CHILDREN];
    double of_children[RL_CHILDREN][RL_SHARES];
    for (int k = 0; k < n; k++) {
        children[k] = lines_of(p, level - 1, k);
        memcpy(of_children[k], shares, sizeof of_children[k]);
    }
    close_lines(own, RL_MOMENTS);
    sift_lines(&p->nodes[below + first], n, own, children, of_children);
    for (int k = 0; k < n; k++) visit(w, level - 1, first + k, &children[k], of_children[k]);
    w->counts->tests += (int64_t)n * own->n;
    use_moments(own);
    give_sums(p, own);
}

static void add_features(const rl_half_planes *p, double *loss, rl_plane_counts *counts) {
    const walk w = {p, loss, counts};
    const double none[RL_SHARES] = {0};
    if (p->n_levels == 0) return;
    lines all = lines_of(p, p->n_levels - 1, 0);
    all.n = p->n_features;
    for (int i = 0; i < all.n; i++) {
        const point l = *point_at(p->points + (size_t)p->order[i] * RL_ROOM);
        all.x[i] = l[0];
        all.y[i] = l[1];
        all.b[i] = l[2];
        all.place[i] = i;
    }
    memset(p->sums, 0, (size_t)p->n_features * RL_POINT * sizeof(double));
    visit(&w, p->n_levels - 1, 0, &all, none);
    /* As p^2 = p z, the sum of squares follows from the others. */
    double squares = 0;
    for (int i = 0; i < all.n; i++) {
        double *const of = p->points + (size_t)p->order[i] * RL_ROOM;
        const point sum = *point_at(p->sums + (size_t)i * RL_POINT), product = sum * *point_at(of);
        *point_at(of + RL_POINT) += sum;
        squares += product[0] + product[1] + product[2];
    }
    *loss += squares;
}

const rl_half_planes_kernel KERNEL = {make_vectors, add_features, finish_quads};
