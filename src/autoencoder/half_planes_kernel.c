/* Arithmetic of half-planes in vector registers.
 *
 * Sums have RL_LANES lanes, whatever the registers: those of LANES numbers take a part of the lanes each. */
#include <math.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "../clones.h"
#include "half_planes.h"

enum { PARTS = RL_LANES / LANES, ALL = (1 << RL_LANES) - 1 };

typedef double vector __attribute__((vector_size(sizeof(double) * LANES)));
typedef int64_t mask __attribute__((vector_size(sizeof(int64_t) * LANES)));
typedef double point __attribute__((vector_size(sizeof(double) * RL_POINT)));

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

RL_INLINED void add_to(double *to, const wide *all) {
    wide sum = load(to);
    EACH_PART(i) sum.part[i] += all->part[i];
    store(to, &sum);
}

RL_INLINED double add_lanes(const double lane[RL_LANES]) {
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

RL_INLINED double sum_of(const wide *all) {
    double lane[RL_LANES];
    store(lane, all);
    return add_lanes(lane);
}

/* A bit for each lane where a number is above zero, or zero at least. */
#if LANES == 8 && defined(__AVX512F__)
RL_INLINED unsigned above_zero(vector v) {
    return _mm512_cmp_pd_mask((__m512d)v, _mm512_setzero_pd(), _CMP_GT_OQ);
}

RL_INLINED unsigned not_below_zero(vector v) {
    return _mm512_cmp_pd_mask((__m512d)v, _mm512_setzero_pd(), _CMP_GE_OQ);
}
#else
RL_INLINED unsigned bits_of(mask set) {
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

RL_INLINED unsigned above_zero(vector v) {
    return bits_of(v > 0);
}

RL_INLINED unsigned not_below_zero(vector v) {
    return bits_of(v >= 0);
}
#endif

/* The lanes whose bits are set, and zeros. */
RL_INLINED wide only(const wide *all, unsigned bits) {
    wide some;
    EACH_PART(i) {
        mask lane;
        for (int k = 0; k < LANES; k++) lane[k] = 1 << (i * LANES + k);
        some.part[i] = (vector)((mask)all->part[i] & ((lane & (int64_t)bits) != 0));
    }
    return some;
}

/* Points lie on whole multiples of their size. */
RL_INLINED const point *point_at(const double *points, int32_t i) {
    return (const point *)(const void *)(points + (size_t)i * RL_POINT);
}

RL_INLINED point *sum_at(double *sums, int32_t i) {
    return (point *)(void *)(sums + (size_t)i * RL_POINT);
}

/* ---- inputs that are not zero ------------------------------------------------------------------------------------ */

static double *place_of(double *vectors, int place) {
    return vectors + (size_t)(place / RL_LANES) * RL_PLANE * RL_LANES + place % RL_LANES;
}

static void put_vector(double *vectors, int place, const point *v) {
    double *const at = place_of(vectors, place);
    at[0] = (*v)[0];
    at[RL_LANES] = (*v)[1];
}

/* h of the row in a place, then 1. */
RL_INLINED void make_hidden(const rl_half_planes *p, int place, point *hidden) {
    point h = {0};
    for (int64_t e = p->start[place]; e < p->start[place + 1]; e++)
        h += p->value[e] * *point_at(p->points, p->column[e]);
    h[RL_PLANE] = 1;
    *hidden = h;
}

/* Where an input is x and its output above zero, half the derivative by that is p - x: less by x than as if the input
 * were zero. Notes which outputs are, and sums up -x w over them, whose third number is that of -x b. */
RL_INLINED void make_pull(const rl_half_planes *p, int place, const point *h, point *pull) {
    point sum = {0};
    for (int64_t e = p->start[place]; e < p->start[place + 1]; e++) {
        const point w = *point_at(p->points, p->column[e]);
        const double z = w[2] + w[0] * (*h)[0] + w[1] * (*h)[1];
        p->above[e] = z > 0;
        sum -= p->above[e] * p->value[e] * w;
    }
    *pull = sum;
}

/* The loss is (p - x)^2 = p^2 + x^2 - 2 p x: that of the pull's own product with (h, 1) is the last. */
static void make_vectors(const rl_half_planes *p, double *loss) {
    double sum = 0;
    for (int i = 0; i < p->n_rows; i++) {
        point h, pull;
        make_hidden(p, i, &h);
        make_pull(p, i, &h, &pull);
        const point product = pull * h;
        sum += product[0] + product[1] + product[2];
        put_vector(p->vectors, i, &h);
        put_vector(p->pulls, i, &pull);
    }
    *loss += p->squares + 2 * sum;
}

/* By an entry x of a row: x times the row's pull, and -x (h, 1) where the output is above zero. */
static void pass_back(const rl_half_planes *p) {
    for (int i = 0; i < p->n_rows; i++) {
        const double *const h = place_of(p->vectors, i), *const pull = place_of(p->pulls, i);
        const point below = {pull[0], pull[RL_LANES]};
        const point of_entry[] = {below, below - (point){h[0], h[RL_LANES], 1}};
        for (int64_t e = p->start[i]; e < p->start[i + 1]; e++)
            *sum_at(p->sums, p->column[e]) += p->value[e] * of_entry[p->above[e]];
    }
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

static void refit_leaf(const rl_half_planes *p, rl_plane_node *node, rl_plane_moments *all) {
    const double *const first = p->vectors + (size_t)node->first * RL_PLANE * RL_LANES;
    lane_moments m = {0};
    for (int k = 0; k < RL_PLANE; k++) m.low[k] = m.high[k] = load(first + k * RL_LANES);
    for (int i = 0; i < node->n_vectors; i++) add_moments(&m, first + (size_t)i * RL_PLANE * RL_LANES);
    box b;
    for (int k = 0; k < RL_PLANE; k++) {
        wide negative;
        EACH_PART(i) negative.part[i] = -m.high[k].part[i];
        b.low[k] = least_of(&m.low[k]);
        b.high[k] = -least_of(&negative);
        all->sum[k] = sum_of(&m.sum[k]);
    }
    set_box(node, &b);
    all->n = node->n_vectors * RL_LANES;
    all->xx = sum_of(&m.xx);
    all->xy = sum_of(&m.xy);
    all->yy = sum_of(&m.yy);
}

static void refit_inner(rl_plane_node *node, const rl_plane_node *a, const rl_plane_node *b) {
    box whole = box_of(a);
    const box other = box_of(b);
    widen(&whole, &other);
    set_box(node, &whole);
}

static void add_up_moments(rl_plane_moments *all, const rl_plane_moments *a, const rl_plane_moments *b) {
    all->n = a->n + b->n;
    for (int k = 0; k < RL_PLANE; k++) all->sum[k] = a->sum[k] + b->sum[k];
    all->xx = a->xx + b->xx;
    all->xy = a->xy + b->xy;
    all->yy = a->yy + b->yy;
}

static void refit(const rl_half_planes *p) {
    memset(p->shares, 0, (size_t)p->n_nodes * RL_LANES * sizeof *p->shares);
    for (int i = p->n_nodes - 1; i >= 0; i--) {
        rl_plane_node *const node = &p->nodes[i];
        if (node->second == 0) {
            refit_leaf(p, node, &p->moments[i]);
            continue;
        }
        refit_inner(node, node + 1, &p->nodes[node->second]);
        add_up_moments(&p->moments[i], &p->moments[i + 1], &p->moments[node->second]);
    }
}

/* ---- features ---------------------------------------------------------------------------------------------------- */

/* Eight features, a lane each; and their sums over nodes wholly inside. */
typedef struct features {
    wide x, y, b, x_size, y_size;
    wide inside[RL_PLANE + 1];
    double lane[RL_PLANE + 1][RL_LANES];
    double shares[RL_LANES + 1][RL_LANES]; /* what each gives a node that it has inside; the last: all of them */
} features;

static void make_shares(features *f) {
    for (int i = 0; i < RL_LANES; i++) {
        const double x = f->lane[0][i], y = f->lane[1][i], b = f->lane[2][i];
        const double of_node[RL_NODE_SHARES] = {x * x, x * y, y * y, b * x, b * y};
        memcpy(f->shares[i], of_node, sizeof of_node);
        for (int k = 0; k < RL_NODE_SHARES; k++) f->shares[RL_LANES][k] += of_node[k];
    }
}

static void take_features(const rl_half_planes *p, int first, features *f) {
    memset(f, 0, sizeof *f);
    for (int i = 0; i < RL_LANES && first + i < p->n_features; i++)
        for (int k = 0; k <= RL_PLANE; k++)
            f->lane[k][i] = p->points[(size_t)p->order[first + i] * RL_POINT + (size_t)k];
    f->x = load(f->lane[0]);
    f->y = load(f->lane[1]);
    f->b = load(f->lane[2]);
    make_shares(f);
    const vector zero = {0};
    EACH_PART(i) {
        const vector x = f->x.part[i], y = f->y.part[i];
        f->x_size.part[i] = (vector)(((mask)x & (x > zero)) | ((mask)-x & ~(x > zero)));
        f->y_size.part[i] = (vector)(((mask)y & (y > zero)) | ((mask)-y & ~(y > zero)));
    }
}

/* Which of the features have the node inside, and which have a part of it inside. */
RL_INLINED void test_node(const features *f, const rl_plane_node *node, unsigned *inside, unsigned *touched) {
    *inside = *touched = 0;
    EACH_PART(i) {
        const vector z = f->b.part[i] + f->x.part[i] * node->middle[0] + f->y.part[i] * node->middle[1];
        const vector reach = f->x_size.part[i] * node->half[0] + f->y_size.part[i] * node->half[1];
        *inside |= not_below_zero(z - reach) << (i * LANES);
        *touched |= above_zero(z + reach) << (i * LANES);
    }
}

/* The sums of z h and z over all vectors of a node, for the features whose bits are set. */
RL_INLINED void add_inside(features *f, const rl_plane_moments *m, unsigned bits) {
    const wide all_x = only(&f->x, bits), all_y = only(&f->y, bits), all_b = only(&f->b, bits);
    EACH_PART(i) {
        const vector x = all_x.part[i], y = all_y.part[i], b = all_b.part[i];
        f->inside[0].part[i] += x * m->xx + y * m->xy + b * m->sum[0];
        f->inside[1].part[i] += x * m->xy + y * m->yy + b * m->sum[1];
        f->inside[2].part[i] += x * m->sum[0] + y * m->sum[1] + b * m->n;
    }
}

/* Their sums of w w^T and b w into the node's shares. */
RL_INLINED void add_shares(const features *f, unsigned bits, double *shares) {
    wide sum = load(shares);
    if (bits == ALL) {
        const wide all = load(f->shares[RL_LANES]);
        EACH_PART(i) sum.part[i] += all.part[i];
        bits = 0;
    }
    for (; bits != 0; bits &= bits - 1) {
        const wide one = load(f->shares[__builtin_ctz(bits)]);
        EACH_PART(i) sum.part[i] += one.part[i];
    }
    store(shares, &sum);
}

/* How many nodes have some of eight features inside, and how many leaves are cut by some. */
typedef struct finds {
    int inside, leaves;
} finds;

/* Goes down the tree: lists the nodes that features have inside, and the leaves that they cut. Lists are written
 * without a branch that would be guessed wrong: an entry that does not count is written over. */
static finds find_nodes(const rl_half_planes *p, const features *f, rl_plane_counts *counts) {
    const rl_plane_node *const nodes = p->nodes;
    rl_plane_visit *restrict const visits = p->visits, *restrict const inside = p->inside,
                                   *restrict const leaves = p->leaves;
    int n = 1, n_inside = 0, n_leaves = 0;
    visits[0] = (rl_plane_visit){0, ALL};
    for (int i = 0; i < n; i++) {
        const rl_plane_visit v = visits[i];
        const int32_t second = nodes[v.node].second;
        __builtin_prefetch(&nodes[v.node + 1]);
        __builtin_prefetch(&nodes[second]);
        unsigned has_inside, touched;
        test_node(f, &nodes[v.node], &has_inside, &touched);
        const unsigned settled = v.bits & has_inside, cut = v.bits & touched & ~has_inside;
        inside[n_inside] = (rl_plane_visit){v.node, settled};
        leaves[n_leaves] = (rl_plane_visit){v.node, cut};
        visits[n] = (rl_plane_visit){v.node + 1, cut};
        visits[n + 1] = (rl_plane_visit){second, cut};
        n_inside += settled != 0;
        n_leaves += (cut != 0) & (second == 0);
        n += 2 * ((cut != 0) & (second != 0));
    }
    counts->tests += n;
    counts->inside += n_inside;
    return (finds){n_inside, n_leaves};
}

/* The sums of eight features over outputs: of z h and z, in the lanes of the vectors. */
typedef struct cut_sums {
    _Alignas(64) double of[RL_LANES][RL_PLANE + 1][RL_LANES];
} cut_sums;

RL_INLINED vector load_part(const double *from) {
    vector v;
    memcpy(&v, from, sizeof v);
    return v;
}

RL_INLINED void store_part(double *to, vector v) {
    memcpy(to, &v, sizeof v);
}

/* Adds the outputs of the features in `bits` at some vectors of a leaf, of which a part of the lanes goes together: to
 * the features' sums and to the vectors' pulls, which stay in registers meanwhile. n is a constant in every call. */
RL_INLINED void add_vectors(const int n, const features *f, unsigned bits, const double *vectors, double *pulls,
                            int first_lane, cut_sums *sums) {
    enum { NEXT = RL_PLANE * RL_LANES };
    vector x[RL_LEAF], y[RL_LEAF], pull_x[RL_LEAF], pull_y[RL_LEAF];
    for (int i = 0; i < n; i++) {
        x[i] = load_part(vectors + i * NEXT + first_lane);
        y[i] = load_part(vectors + i * NEXT + RL_LANES + first_lane);
        pull_x[i] = load_part(pulls + i * NEXT + first_lane);
        pull_y[i] = load_part(pulls + i * NEXT + RL_LANES + first_lane);
    }
    for (; bits != 0; bits &= bits - 1) {
        const int k = __builtin_ctz(bits);
        double(*const of)[RL_LANES] = sums->of[k];
        const double w_x = f->lane[0][k], w_y = f->lane[1][k], w_b = f->lane[2][k];
        vector of_x = load_part(of[0] + first_lane), of_y = load_part(of[1] + first_lane);
        vector of_1 = load_part(of[2] + first_lane);
        for (int i = 0; i < n; i++) {
            vector z = w_b + w_x * x[i] + w_y * y[i];
            z = (vector)((mask)z & (z > 0));
            of_x += z * x[i];
            of_y += z * y[i];
            of_1 += z;
            pull_x[i] += z * w_x;
            pull_y[i] += z * w_y;
        }
        store_part(of[0] + first_lane, of_x);
        store_part(of[1] + first_lane, of_y);
        store_part(of[2] + first_lane, of_1);
    }
    for (int i = 0; i < n; i++) {
        store_part(pulls + i * NEXT + first_lane, pull_x[i]);
        store_part(pulls + i * NEXT + RL_LANES + first_lane, pull_y[i]);
    }
}

static void add_leaf(const rl_half_planes *p, const features *f, rl_plane_visit leaf, cut_sums *sums,
                     rl_plane_counts *counts) {
    const int n = p->nodes[leaf.node].n_vectors;
    const size_t at = (size_t)p->nodes[leaf.node].first * RL_PLANE * RL_LANES;
    for (int lane = 0; lane < RL_LANES; lane += LANES) {
        if (n == RL_LEAF) add_vectors(RL_LEAF, f, leaf.bits, p->vectors + at, p->pulls + at, lane, sums);
        for (size_t i = at; n < RL_LEAF && i < at + (size_t)n * RL_PLANE * RL_LANES; i += RL_PLANE * RL_LANES)
            add_vectors(1, f, leaf.bits, p->vectors + i, p->pulls + i, lane, sums);
    }
    counts->outputs += n * __builtin_popcount(leaf.bits);
}

/* The sums of one of eight features. As p^2 = p z, their squares follow from the others. */
static double finish_feature(const rl_half_planes *p, const features *f, const cut_sums *cut, int feature, int lane) {
    double inside[RL_LANES], squares = 0;
    for (int k = 0; k <= RL_PLANE; k++) {
        store(inside, &f->inside[k]);
        const double sum = inside[lane] + add_lanes(cut->of[lane][k]);
        p->sums[(size_t)p->order[feature] * RL_POINT + (size_t)k] += sum;
        squares += f->lane[k][lane] * sum;
    }
    return squares;
}

/* The lists say long before what of a large tree will be wanted, which lies in no cache. */
enum { AHEAD = 8 };

static void add_nodes_inside(const rl_half_planes *p, features *f, int n) {
    for (int i = 0; i < n; i++) {
        const rl_plane_visit v = p->inside[i];
        const int32_t next = p->inside[i + AHEAD < n ? i + AHEAD : i].node;
        __builtin_prefetch(&p->moments[next]);
        __builtin_prefetch(p->shares + (size_t)next * RL_LANES, 1);
        add_inside(f, &p->moments[v.node], v.bits);
        add_shares(f, v.bits, p->shares + (size_t)v.node * RL_LANES);
    }
}

static void add_leaves(const rl_half_planes *p, const features *f, int n, cut_sums *cut, rl_plane_counts *counts) {
    for (int i = 0; i < n; i++) {
        const rl_plane_node *const next = &p->nodes[p->leaves[i + 1 < n ? i + 1 : i].node];
        const size_t at = (size_t)next->first * RL_PLANE * RL_LANES;
        for (size_t k = 0; k < RL_LEAF * RL_PLANE * RL_LANES; k += RL_LANES) {
            __builtin_prefetch(p->vectors + at + k);
            __builtin_prefetch(p->pulls + at + k, 1);
        }
        add_leaf(p, f, p->leaves[i], cut, counts);
    }
}

static void add_features(const rl_half_planes *p, double *squares, rl_plane_counts *counts) {
    features f;
    for (int first = 0; first < p->n_features && p->n_nodes > 0; first += RL_LANES) {
        cut_sums cut = {0};
        take_features(p, first, &f);
        const finds found = find_nodes(p, &f, counts);
        add_nodes_inside(p, &f, found.inside);
        add_leaves(p, &f, found.leaves, &cut, counts);
        for (int i = 0; i < RL_LANES && first + i < p->n_features; i++)
            *squares += finish_feature(p, &f, &cut, first + i, i);
    }
}

/* ---- shares ------------------------------------------------------------------------------------------------------ */

static void hand_to_vectors(const rl_half_planes *p, const rl_plane_node *leaf, const double *shares) {
    for (int i = 0; i < leaf->n_vectors; i++) {
        const size_t at = (size_t)(leaf->first + i) * RL_PLANE * RL_LANES;
        const wide x = load(p->vectors + at), y = load(p->vectors + at + RL_LANES);
        wide of_x, of_y;
        EACH_PART(q) {
            of_x.part[q] = shares[0] * x.part[q] + shares[1] * y.part[q] + shares[3];
            of_y.part[q] = shares[1] * x.part[q] + shares[2] * y.part[q] + shares[4];
        }
        add_to(p->pulls + at, &of_x);
        add_to(p->pulls + at + RL_LANES, &of_y);
    }
}

/* A node's shares become the sums of its own and its ancestors'. */
static void hand_down(const rl_half_planes *p) {
    for (int i = 0; i < p->n_nodes; i++) {
        const double *const own = p->shares + (size_t)i * RL_LANES;
        if (p->nodes[i].second == 0) {
            hand_to_vectors(p, &p->nodes[i], own);
            continue;
        }
        const wide all = load(own);
        add_to(p->shares + ((size_t)i + 1) * RL_LANES, &all);
        add_to(p->shares + (size_t)p->nodes[i].second * RL_LANES, &all);
    }
}

const rl_half_planes_kernel KERNEL = {make_vectors, refit, add_features, hand_down, pass_back};
