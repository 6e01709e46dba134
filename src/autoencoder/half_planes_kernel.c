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

/* As correct_row of gradient.c. *h: the hidden vector, then 1. */
RL_INLINED double correct(const rl_half_planes *p, const rl_sparse_rows *rows, int row, const point *h, point *pull) {
    double loss = 0;
    for (int64_t e = rows->start[row]; e < rows->start[row + 1]; e++) {
        const point w = *point_at(p->points, rows->column[e]);
        const double x = rows->value[e], z = w[2] + w[0] * (*h)[0] + w[1] * (*h)[1], taken = z > 0 ? x : 0;
        loss += x * x - 2 * z * taken;
        *sum_at(p->sums, rows->column[e]) -= taken * *h;
        *pull -= taken * w;
    }
    return loss;
}

static void make_vectors(const rl_half_planes *p, const rl_sparse_rows *rows, double *loss) {
    for (int i = 0; i < rows->n_rows; i++) {
        point h = {0}, pull = {0};
        for (int64_t e = rows->start[i]; e < rows->start[i + 1]; e++)
            h += rows->value[e] * *point_at(p->points, rows->column[e]);
        h[2] = 1;
        *loss += correct(p, rows, i, &h, &pull);
        double *const vector_of = place_of(p->vectors, p->place[i]), *const pull_of = place_of(p->pulls, p->place[i]);
        vector_of[0] = h[0];
        vector_of[RL_LANES] = h[1];
        pull_of[0] = pull[0];
        pull_of[RL_LANES] = pull[1];
    }
}

static void pass_back(const rl_half_planes *p, const rl_sparse_rows *rows) {
    for (int i = 0; i < rows->n_rows; i++) {
        const double *const pull_of = place_of(p->pulls, p->place[i]);
        const point pull = {pull_of[0], pull_of[RL_LANES]};
        for (int64_t e = rows->start[i]; e < rows->start[i + 1]; e++)
            *sum_at(p->sums, rows->column[e]) += rows->value[e] * pull;
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

static void refit_leaf(const rl_half_planes *p, rl_plane_node *node) {
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
        node->sum[k] = sum_of(&m.sum[k]);
    }
    set_box(node, &b);
    node->n = node->n_vectors * RL_LANES;
    node->xx = sum_of(&m.xx);
    node->xy = sum_of(&m.xy);
    node->yy = sum_of(&m.yy);
}

static void refit_inner(rl_plane_node *node, const rl_plane_node *a, const rl_plane_node *b) {
    box whole = box_of(a);
    const box other = box_of(b);
    widen(&whole, &other);
    set_box(node, &whole);
    node->n = a->n + b->n;
    for (int k = 0; k < RL_PLANE; k++) node->sum[k] = a->sum[k] + b->sum[k];
    node->xx = a->xx + b->xx;
    node->xy = a->xy + b->xy;
    node->yy = a->yy + b->yy;
}

static void refit(const rl_half_planes *p) {
    memset(p->shares, 0, (size_t)p->n_nodes * RL_NODE_SHARES * RL_LANES * sizeof *p->shares);
    for (int i = p->n_nodes - 1; i >= 0; i--) {
        rl_plane_node *const node = &p->nodes[i];
        if (node->second == 0)
            refit_leaf(p, node);
        else
            refit_inner(node, node + 1, &p->nodes[node->second]);
    }
}

/* ---- features ---------------------------------------------------------------------------------------------------- */

/* Eight features, a lane each; and their sums over nodes wholly inside. */
typedef struct features {
    wide x, y, b, x_size, y_size;
    wide inside[RL_PLANE + 1];
    double lane[RL_PLANE + 1][RL_LANES];
} features;

static void take_features(const rl_half_planes *p, int first, features *f) {
    memset(f, 0, sizeof *f);
    for (int i = 0; i < RL_LANES && first + i < p->n_features; i++)
        for (int k = 0; k <= RL_PLANE; k++)
            f->lane[k][i] = p->points[(size_t)p->order[first + i] * RL_POINT + (size_t)k];
    f->x = load(f->lane[0]);
    f->y = load(f->lane[1]);
    f->b = load(f->lane[2]);
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

/* The sums of z h and z over all vectors of a node, for the features whose bits are set; and those of w w^T and b
 * w into the node's shares. */
RL_INLINED void add_inside(features *f, const rl_plane_node *node, unsigned bits, double *shares) {
    const wide all_x = only(&f->x, bits), all_y = only(&f->y, bits), all_b = only(&f->b, bits);
    EACH_PART(i) {
        const vector x = all_x.part[i], y = all_y.part[i], b = all_b.part[i];
        const vector of_x = x * node->xx + y * node->xy + b * node->sum[0];
        const vector of_y = x * node->xy + y * node->yy + b * node->sum[1];
        const vector of_1 = x * node->sum[0] + y * node->sum[1] + b * node->n;
        f->inside[0].part[i] += of_x;
        f->inside[1].part[i] += of_y;
        f->inside[2].part[i] += of_1;
        const vector of_node[RL_NODE_SHARES] = {x * x, x * y, y * y, b * x, b * y};
        for (int k = 0; k < RL_NODE_SHARES; k++) {
            vector sum;
            memcpy(&sum, shares + k * RL_LANES + i * LANES, sizeof sum);
            sum += of_node[k];
            memcpy(shares + k * RL_LANES + i * LANES, &sum, sizeof sum);
        }
    }
}

/* What eight features found in the tree: how many nodes have some of them inside, and how many leaves each cuts. */
typedef struct found {
    int inside, cut[RL_LANES];
} finds;

/* Goes down the tree: lists the nodes that features have inside, and the leaves that they cut. Lists are written
 * without a branch that would be guessed wrong: an entry that does not count is written over. Returns how many leaves
 * there are.
 */
static int find_nodes(const rl_half_planes *p, const features *f, finds *found, rl_plane_counts *counts) {
    const rl_plane_node *const nodes = p->nodes;
    rl_plane_visit *restrict const visits = p->visits, *restrict const inside = p->inside,
                                   *restrict const leaves = p->leaves;
    int n = 1, n_inside = 0, n_leaves = 0;
    visits[0] = (rl_plane_visit){0, ALL};
    for (int i = 0; i < n; i++) {
        const rl_plane_visit v = visits[i];
        const int32_t second = nodes[v.node].second;
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
    found->inside = n_inside;
    counts->tests += n;
    counts->inside += n_inside;
    return n_leaves;
}

/* Lists for each feature the leaves that it cuts. */
static void deal_leaves(const rl_half_planes *p, int n_leaves, finds *found) {
    int32_t *restrict const cut = p->cut;
    const rl_plane_visit *const leaves = p->leaves;
    const size_t length = (size_t)p->n_nodes;
    int n[RL_LANES] = {0};
    for (int i = 0; i < n_leaves; i++)
        for (int k = 0; k < RL_LANES; k++) {
            cut[(size_t)k * length + (size_t)n[k]] = leaves[i].node;
            n[k] += leaves[i].bits >> k & 1;
        }
    memcpy(found->cut, n, sizeof n);
}

/* The sums of one feature over outputs. */
typedef struct feature_sums {
    wide x, y, one;
} feature_sums;

RL_INLINED void add_vector(feature_sums *s, const double w[RL_PLANE + 1], const double *vectors, double *pulls) {
    EACH_PART(i) {
        vector hx, hy, pull_x, pull_y;
        memcpy(&hx, vectors + i * LANES, sizeof hx);
        memcpy(&hy, vectors + RL_LANES + i * LANES, sizeof hy);
        memcpy(&pull_x, pulls + i * LANES, sizeof pull_x);
        memcpy(&pull_y, pulls + RL_LANES + i * LANES, sizeof pull_y);
        vector p = w[2] + w[0] * hx + w[1] * hy;
        p = (vector)((mask)p & (p > 0));
        s->one.part[i] += p;
        s->x.part[i] += p * hx;
        s->y.part[i] += p * hy;
        pull_x += p * w[0];
        pull_y += p * w[1];
        memcpy(pulls + i * LANES, &pull_x, sizeof pull_x);
        memcpy(pulls + RL_LANES + i * LANES, &pull_y, sizeof pull_y);
    }
}

/* Adds the outputs of a feature w at the vectors of leaves that it cuts: to its sums and to the pulls. */
static void add_cut(const rl_half_planes *p, const double w[RL_PLANE + 1], const int32_t *leaves, int n,
                    double sums[RL_PLANE + 1], rl_plane_counts *counts) {
    feature_sums s = {0};
    for (int i = 0; i < n; i++) {
        const rl_plane_node *const leaf = &p->nodes[leaves[i]];
        size_t at = (size_t)leaf->first * RL_PLANE * RL_LANES;
        for (int k = 0; k < leaf->n_vectors; k++, at += RL_PLANE * RL_LANES)
            add_vector(&s, w, p->vectors + at, p->pulls + at);
        counts->outputs += leaf->n_vectors;
    }
    sums[0] += sum_of(&s.x);
    sums[1] += sum_of(&s.y);
    sums[2] += sum_of(&s.one);
}

/* The sums of one of eight features. As p^2 = p z, their squares follow from the others. */
static double finish_feature(const rl_half_planes *p, const features *f, const finds *found, int feature, int lane,
                             rl_plane_counts *counts) {
    double w[RL_PLANE + 1], sums[RL_PLANE + 1], inside[RL_LANES], squares = 0;
    for (int k = 0; k <= RL_PLANE; k++) {
        store(inside, &f->inside[k]);
        sums[k] = inside[lane];
        w[k] = f->lane[k][lane];
    }
    add_cut(p, w, p->cut + (size_t)lane * (size_t)p->n_nodes, found->cut[lane], sums, counts);
    for (int k = 0; k <= RL_PLANE; k++) {
        p->sums[(size_t)p->order[feature] * RL_POINT + (size_t)k] += sums[k];
        squares += w[k] * sums[k];
    }
    return squares;
}

static void add_features(const rl_half_planes *p, double *squares, rl_plane_counts *counts) {
    features f;
    finds found;
    for (int first = 0; first < p->n_features && p->n_nodes > 0; first += RL_LANES) {
        take_features(p, first, &f);
        deal_leaves(p, find_nodes(p, &f, &found, counts), &found);
        for (int i = 0; i < found.inside; i++) {
            const rl_plane_visit v = p->inside[i];
            add_inside(&f, &p->nodes[v.node], v.bits, p->shares + (size_t)v.node * RL_NODE_SHARES * RL_LANES);
        }
        for (int i = 0; i < RL_LANES && first + i < p->n_features; i++)
            *squares += finish_feature(p, &f, &found, first + i, i, counts);
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

/* The first numbers of a node's shares become the sums of its own and its ancestors'. */
static void hand_down(const rl_half_planes *p) {
    for (int i = 0; i < p->n_nodes; i++) {
        double *const own = p->shares + (size_t)i * RL_NODE_SHARES * RL_LANES;
        double total[RL_NODE_SHARES];
        for (int k = 0; k < RL_NODE_SHARES; k++) total[k] = add_lanes(own + k * RL_LANES);
        if (p->nodes[i].second == 0) {
            hand_to_vectors(p, &p->nodes[i], total);
            continue;
        }
        const int children[] = {i + 1, p->nodes[i].second};
        for (int c = 0; c < 2; c++)
            for (int k = 0; k < RL_NODE_SHARES; k++)
                p->shares[((size_t)children[c] * RL_NODE_SHARES + (size_t)k) * RL_LANES] += total[k];
    }
}

const rl_half_planes_kernel KERNEL = {make_vectors, refit, add_features, hand_down, pass_back};
