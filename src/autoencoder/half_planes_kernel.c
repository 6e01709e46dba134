/* Arithmetic of half-planes in vector registers. */
#include "half_planes.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "half_planes_registers.h"

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

/* Entries some pages ahead: a processor finds out by itself what is read next, but only within a page. */
RL_INLINED void fetch_entries(const quad *q, int64_t e) {
    enum { AHEAD = 1024 };
    __builtin_prefetch(q->column + e + AHEAD);
    __builtin_prefetch(q->value + e + AHEAD);
}

/* Where the first of its hidden vectors is in an array of such. */
RL_INLINED size_t quad_at(int i) {
    return (size_t)(i / 2) * RL_PLANE * RL_LANES + (size_t)(i % 2) * RL_QUAD;
}

/* The numbers at k and k + 1 of the columns of four entries. */
RL_INLINED void take_columns(const double *table, size_t stride, const int32_t *column, size_t k, point four[2]) {
    const double *from[RL_QUAD];
    for (int r = 0; r < RL_QUAD; r++) from[r] = table + k + (size_t)column[r] * stride;
#ifdef __AVX__
    const __m256d even = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_load_pd(from[0])), _mm_load_pd(from[2]), 1);
    const __m256d odd = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_load_pd(from[1])), _mm_load_pd(from[3]), 1);
    four[0] = (point)_mm256_unpacklo_pd(even, odd);
    four[1] = (point)_mm256_unpackhi_pd(even, odd);
#else
    for (int i = 0; i < 2; i++) four[i] = (point){from[0][i], from[1][i], from[2][i], from[3][i]};
#endif
}

/* The hidden vectors of four rows. */
RL_INLINED void make_hidden(const rl_half_planes *p, int i) {
    const quad q = quad_of(p, i);
    const double *const weights = p->weights;
    point x = {0}, y = {0};
    for (int64_t e = q.first * RL_QUAD; e < q.end * RL_QUAD; e += RL_QUAD) {
        const point value = *four_at(q.value + e);
        fetch_entries(&q, e);
        point w[RL_PLANE];
        take_columns(weights, RL_PLANE, q.column + e, 0, w);
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
        point w[RL_POINT];
        fetch_entries(q, e);
        for (size_t k = 0; k < RL_POINT; k += 2) take_columns(points, RL_ROOM, q->column + e, k, w + k);
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

enum { SUMS = 3 }; /* of a line, over the vectors in its half-plane: those of z h and z */

/* The lines of those features that cut a node, and what their sums take from it. Behind the last one are some that have
 * nothing inside and cut nothing. */
typedef struct lines {
    int n;
    size_t room;
    double *x, *y, *b;
    double *sums; /* [SUMS, room] */
    uint8_t *cut; /* [n / LANES]: a bit for each line of the node above that is one of these */
} lines;

/* The list of child k of a node of the level above. Children go one after the other, and have sums in common. */
static lines lines_of(const rl_half_planes *p, int level, int k) {
    const size_t n = rl_room_for_lines(p->n_features), list = (size_t)level * RL_CHILDREN + (size_t)k;
    double *const first = p->lines + list * (RL_PLANE + 1) * n;
    return (lines){.room = n,
                   .x = first,
                   .y = first + n,
                   .b = first + 2 * n,
                   .sums = p->line_sums + (size_t)level * SUMS * n,
                   .cut = p->cuts + list * n};
}

static void close_lines(lines *l) {
    for (int i = l->n; i < l->n + RL_LANES; i++) {
        l->x[i] = l->y[i] = 0;
        l->b[i] = -1;
    }
}

/* Some lines side by side. */
typedef struct some_lines {
    vector x, y, b;
} some_lines;

RL_INLINED some_lines lines_at(const lines *l, int at) {
    return (some_lines){load_part(l->x + at), load_part(l->y + at), load_part(l->b + at)};
}

/* Their sums. */
typedef struct some_sums {
    vector of[SUMS];
} some_sums;

RL_INLINED some_sums sums_at(const lines *l, int at) {
    some_sums s;
    for (int k = 0; k < SUMS; k++) s.of[k] = load_part(l->sums + (size_t)k * l->room + at);
    return s;
}

RL_INLINED void set_sums(const lines *l, int at, const some_sums *s) {
    for (int k = 0; k < SUMS; k++) store_part(l->sums + (size_t)k * l->room + at, s->of[k]);
}

/* Appends those whose bits are set. What does not count is written over. */
RL_INLINED void append_lines(lines *to, const some_lines *l, unsigned bits) {
    const int n = to->n;
    to->n = n + __builtin_popcount(bits);
    pack(to->x + n, l->x, bits);
    pack(to->y + n, l->y, bits);
    pack(to->b + n, l->b, bits);
}

/* Adds the sums of a list to those of the lines that it was taken from. */
static void give_sums(const lines *from, const lines *to) {
    const lines all = *to;
    const double *next = from->sums;
    for (int at = 0; at < all.n; at += LANES) {
        const unsigned bits = from->cut[at / LANES];
        some_sums s = sums_at(&all, at);
        for (int k = 0; k < SUMS; k++) s.of[k] += unpack(next + (size_t)k * all.room, bits);
        set_sums(&all, at, &s);
        next += __builtin_popcount(bits);
    }
}

/* ---- lines and nodes --------------------------------------------------------------------------------------------- */

/* Which of some lines have a box inside, and which cut it. */
RL_INLINED void test_lines(const some_lines *l, const rl_plane_node *node, lanes *inside, lanes *cut) {
    const vector z = rl_fused(l->x, all_of(node->middle[0]), rl_fused(l->y, all_of(node->middle[1]), l->b));
    const vector reach = rl_fused(size_of(l->x), all_of(node->half[0]), size_of(l->y) * node->half[1]);
    *inside = not_below(z, reach);
    *cut = above(reach, size_of(z));
}

/* The sums of z h and z over nodes from their moments. */
RL_INLINED some_sums sums_of_moments(const some_lines *l, const vector m[RL_MOMENTS]) {
    return (some_sums){{rl_fused(l->x, m[3], rl_fused(l->y, m[4], l->b * m[1])),
                        rl_fused(l->x, m[4], rl_fused(l->y, m[5], l->b * m[2])),
                        rl_fused(l->x, m[1], rl_fused(l->y, m[2], l->b * m[0]))}};
}

/* Gives a node the shares of the lines that have it inside. */
static void add_shares(const lines *own, const uint8_t *inside, double *shares) {
    const lines from = *own;
    wide all[RL_SHARES];
    EACH_PART(part) {
        vector sum[RL_SHARES] = {{0}};
        for (int at = part * LANES; at < from.n; at += RL_LANES) {
            const some_lines l = lines_at(&from, at);
            const lanes set = lanes_of(inside[at / LANES]);
            const vector x = only(set, l.x), y = only(set, l.y);
            sum[0] = rl_fused(x, l.x, sum[0]);
            sum[1] = rl_fused(x, l.y, sum[1]);
            sum[2] = rl_fused(y, l.y, sum[2]);
            sum[3] = rl_fused(x, l.b, sum[3]);
            sum[4] = rl_fused(y, l.b, sum[4]);
        }
        for (int j = 0; j < RL_SHARES; j++) all[j].part[part] = sum[j];
    }
    for (int j = 0; j < RL_SHARES; j++) shares[j] += sum_of(&all[j]);
}

/* Sorts the lines of a node by where they have its children: those that cut one go on to its list; those that have it
 * inside take its moments, and give it their shares. */
static void sift_lines(const rl_half_planes *p, const rl_plane_node *nodes, int n, const lines *own, lines *children,
                       double shares[RL_CHILDREN][RL_SHARES]) {
    const lines from = *own;
    uint8_t *const all_inside = p->inside;
    for (int at = 0; at < from.n; at += LANES) {
        const some_lines l = lines_at(&from, at);
        vector moments[RL_MOMENTS] = {{0}};
        for (int k = 0; k < n; k++) {
            lanes inside, cut;
            test_lines(&l, &nodes[k], &inside, &cut);
            const unsigned bits = bits_of(cut);
            children[k].cut[at / LANES] = (uint8_t)bits;
            all_inside[(size_t)k * from.room + (size_t)(at / LANES)] = (uint8_t)bits_of(inside);
            append_lines(&children[k], &l, bits);
            for (int j = 0; j < RL_MOMENTS; j++) moments[j] = add_only(moments[j], inside, all_of(nodes[k].moments[j]));
        }
        const some_sums sums = sums_of_moments(&l, moments);
        set_sums(&from, at, &sums);
    }
    for (int k = 0; k < n; k++) add_shares(&from, all_inside + (size_t)k * from.room, shares[k]);
}

/* ---- leaves ------------------------------------------------------------------------------------------------------ */

/* The columns of a leaf's entries whose points are not in the first cache yet. */
typedef struct columns {
    const double *points;
    const int32_t *next, *end;
} columns;

RL_INLINED columns columns_of(const rl_half_planes *p, int first_quad, int n) {
    return (columns){p->points, p->column + p->start[first_quad] * RL_QUAD,
                     p->column + p->start[first_quad + n] * RL_QUAD};
}

/* Fetches the next few: that takes no time while outputs keep multipliers busy. */
RL_INLINED void fetch_points(columns *c) {
    enum { AT_ONCE = 8 };
    if (c->end - c->next < AT_ONCE) return;
    for (int i = 0; i < AT_ONCE; i++) __builtin_prefetch(c->points + (size_t)c->next[i] * RL_ROOM);
    c->next += AT_ONCE;
}

/* Vectors that go together, so that what is summed stays in registers. */
enum { TOGETHER = LANES == RL_LANES ? 8 : 4 };

/* Adds the outputs of all lines at a few hidden vectors to the sums of the lines. Makes their sums for each vector. */
RL_INLINED void add_outputs(const lines *own, const double *x, columns *ahead, wide *of_x, wide *of_y) {
    const lines list = *own, *const l = &list;
    const double *const y = x + RL_LANES;
    EACH_PART(part) {
        vector sum_x[TOGETHER], sum_y[TOGETHER];
        for (int k = 0; k < TOGETHER; k++) sum_x[k] = sum_y[k] = (vector){0};
        for (int at = part * LANES; at < l->n; at += RL_LANES) {
            const some_lines s = lines_at(l, at);
            some_sums sums = sums_at(l, at);
            fetch_points(ahead);
            for (int k = 0; k < TOGETHER; k++) {
                const vector h_x = all_of(x[k]), h_y = all_of(y[k]);
                const vector z = positive_part(rl_fused(s.x, h_x, rl_fused(s.y, h_y, s.b)));
                sums.of[0] = rl_fused(z, h_x, sums.of[0]);
                sums.of[1] = rl_fused(z, h_y, sums.of[1]);
                sums.of[2] += z;
                sum_x[k] = rl_fused(z, s.x, sum_x[k]);
                sum_y[k] = rl_fused(z, s.y, sum_y[k]);
            }
            set_sums(l, at, &sums);
        }
        for (int k = 0; k < TOGETHER; k++) {
            of_x[k].part[part] = sum_x[k];
            of_y[k].part[part] = sum_y[k];
        }
    }
}

/* Those of eight vectors x[8], y[8], whose pulls take theirs. */
static void add_eight(const lines *own, const double *at, columns *ahead, double *pull) {
    wide of_x[RL_LANES], of_y[RL_LANES];
    for (int k = 0; k < RL_LANES; k += TOGETHER) add_outputs(own, at + k, ahead, of_x + k, of_y + k);
    double sums[RL_PLANE * RL_LANES];
    sums_of(of_x, sums);
    sums_of(of_y, sums + RL_LANES);
    for (int k = 0; k < RL_PLANE * RL_LANES; k++) pull[k] += sums[k];
}

/* ---- the walk ---------------------------------------------------------------------------------------------------- */

typedef struct walk {
    const rl_half_planes *planes;
    double *loss;
    rl_plane_counts *counts;
} walk;

/* Half the derivatives by the vectors of a leaf, complete, and what its rows make of them. */
static void visit_leaf(const walk *w, int leaf, const lines *own, const double *shares) {
    const rl_half_planes *const p = w->planes;
    const int first = leaf * RL_LEAF, n = part_of(p->n_rows / RL_LANES, first, RL_LEAF);
    const int first_quad = first * RL_LANES / RL_QUAD, n_quads = n * RL_LANES / RL_QUAD;
    columns ahead = columns_of(p, first_quad, n_quads);
    const some_sums none = {{{0}}};
    _Alignas(RL_POINT * sizeof(double)) double pulls[RL_LEAF * RL_PLANE * RL_LANES];
    for (int at = 0; at < own->n; at += LANES) set_sums(own, at, &none);
    for (int i = 0; i < n; i++) {
        const double *const x = p->vectors + (size_t)(first + i) * RL_PLANE * RL_LANES, *const y = x + RL_LANES;
        double *const pull_x = pulls + i * RL_PLANE * RL_LANES, *const pull_y = pull_x + RL_LANES;
        for (int k = 0; k < RL_LANES; k++) {
            pull_x[k] = shares[0] * x[k] + shares[1] * y[k] + shares[3];
            pull_y[k] = shares[1] * x[k] + shares[2] * y[k] + shares[4];
        }
        if (own->n > 0) add_eight(own, x, &ahead, pull_x);
    }
    w->counts->outputs += (int64_t)n * own->n;
    finish_quads(p, first_quad, n_quads, pulls, w->loss);
}

/* Visits a node of a level with the lines that cut it, and what its vectors have of shares so far. */
static void visit(const walk *w, int level, int i, lines *own, const double *shares) {
    const rl_half_planes *const p = w->planes;
    close_lines(own);
    if (level == 0) {
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
    sift_lines(p, &p->nodes[below + first], n, own, children, of_children);
    w->counts->tests += (int64_t)n * own->n;
    for (int k = 0; k < n; k++) {
        visit(w, level - 1, first + k, &children[k], of_children[k]);
        give_sums(&children[k], own);
    }
}

/* Gives the features the sums of their lines. As p^2 = p z, the sum of squares follows from these. */
static void use_sums(const rl_half_planes *p, const lines *all, double *loss) {
    double squares = 0;
    for (int i = 0; i < all->n; i++) {
        const double *const sums = all->sums + i;
        double *const of = p->points + (size_t)p->order[i] * RL_ROOM;
        const point sum = {sums[0], sums[all->room], sums[2 * all->room]}, product = sum * *point_at(of);
        *point_at(of + RL_POINT) += sum;
        squares += product[0] + product[1] + product[2];
    }
    *loss += squares;
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
    }
    visit(&w, p->n_levels - 1, 0, &all, none);
    use_sums(p, &all, loss);
}

const rl_half_planes_kernel KERNEL = {make_vectors, add_features, finish_quads};
