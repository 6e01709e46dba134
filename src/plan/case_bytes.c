/* Memory of a case on a rank: what `distributed` holds at each of its stages, of which the largest counts. The largest
 * rank is the first: it has a part of every remainder, and collects sums. */
#include <math.h>

#include "case_shape.h"

static const double word = sizeof(double);

/* What the heap wastes, and whatever small is not counted. */
static const double heap = 1.04;

static double local(const rl_case_shape *s, double rows, double columns) {
    return (double)rl_local_elements(s, (int64_t)rows, (int64_t)columns);
}

static double bordered(const rl_case_shape *s) {
    return local(s, (double)(s->rows + s->right), (double)(s->columns + s->left));
}

/* What libraries keep for themselves between calls: PBLAS a few blocks as long as a rank's rows and columns, MPI
 * buffers for messages. */
static double library_buffers(const rl_case_shape *s) {
    enum { MESSAGES = 1 << 17 };
    return 2 * (double)rl_panel_work(s) + MESSAGES;
}

/* Vectors that every rank has whole: targets, y, beta*; and on the first rank sums from all others, a chunk at a time.
 */
static double vectors(const rl_case_sizes *c, const rl_case_shape *s) {
    enum { CHUNK = 1 << 16 };
    const double rows = (double)(c->n_train + c->n_test), chunk = fmin(CHUNK, rows);
    return (RL_CASE_TARGETS + 1) * rows + 8 * (double)s->columns + 4 * (double)s->left + 2 * (double)c->n_features +
           chunk * (double)s->ranks;
}

/* Panels, then the right border moved up in pieces, which pdgemr2d copies twice more. */
static double while_reshaping(const rl_case_shape *s) {
    const double piece = fmin((double)s->right, (double)(s->block * s->grid_rows));
    return s->qr_first ? fmax((double)rl_panel_work(s), 3 * local(s, piece, (double)s->columns)) : 0;
}

/* What a producer has beside the bordered matrix while it reduces it, and still when it gathers the borders. */
typedef struct held {
    double reducing, gathering;
} held;

static held held_by(const rl_case_sizes *c, const rl_case_shape *s) {
    const double n = (double)s->columns, square = local(s, n, n);
    switch (c->way) {
        case RL_CASE_PDGESVD: {
            /* U, V^T and the work array; pdgesvd deals U and V^T anew, pdgemr2d in two copies. The border's product. */
            const double factors = 2 * square + (double)rl_pdgesvd_work(s);
            const double border = fmax(local(s, n, (double)s->left), local(s, (double)s->right, n));
            return (held){factors + fmax(2 * square, 2 * border), factors};
        }
        case RL_CASE_PROJECTED:
            return (held){(double)rl_bidiagonal_work(s), (double)rl_bidiagonal_work(s)};
        default:
            return (held){(double)rl_panel_work(s), 3 * n * (double)s->block};
    }
}

/* Z while it is dealt out: pdgemr2d packs what goes and what comes. Where test rows are columns, they are turned first;
 * the bordered matrix is given back before they are dealt. */
static double while_gathering(const rl_case_shape *s, const held *h) {
    const double rows = (double)s->z_rows, n = (double)s->columns;
    const double z = (double)rl_dealt_elements(s, s->z_rows, s->columns), turned = local(s, rows, n);
    if (!s->wide) return h->gathering + bordered(s) + turned + 2 * z;
    return h->gathering + turned + fmax(bordered(s), turned + 2 * z);
}

/* Z; the targets turned with it, as rows; rotations of two times 32 sweeps, of rows and of columns. Where there is a
 * band, it stays, and before the rotations come the reflectors of 32 sweeps. */
static double while_rotating(const rl_case_sizes *c, const rl_case_shape *s) {
    enum { SWEEPS = 32, LANES = 16, VECTORS = 8 };
    const double n = (double)s->columns, z = (double)rl_dealt_elements(s, s->z_rows, s->columns);
    const double rotations = 2 * SWEEPS * 2 * n + LANES * n, reflectors = SWEEPS * n * (1 + 1 / (double)s->block);
    const double kept = z + VECTORS * n;
    return c->way == RL_CASE_TWO_STAGE ? kept + 3 * n * (double)s->block + fmax(rotations, reflectors)
                                       : kept + rotations;
}

static double spectrum_words(const rl_case_sizes *c, const rl_case_shape *s) {
    const held h = held_by(c, s);
    const double reducing = bordered(s) + fmax(while_reshaping(s), h.reducing);
    const double peak = fmax(fmax(reducing, while_gathering(s, &h)), while_rotating(c, s));
    return peak + library_buffers(s) + vectors(c, s);
}

/* The matrix, a copy of the triangle while rows are appended to it, and vectors, up to 64 at a time. */
static double curve_words(const rl_case_sizes *c, const rl_case_shape *s) {
    enum { VECTORS = 64, ARRAYS = 8 };
    const double n = (double)c->n_features, w = (double)s->columns;
    const double edges =
        (double)(rl_share(s->rows, s->block, s->grid_rows) + rl_share(s->columns, s->block, s->grid_columns));
    const double triangle = c->n_train > c->n_features ? local(s, n + 2 * (double)s->block, n) : 0;
    return bordered(s) + triangle + ARRAYS * VECTORS * edges + (double)rl_panel_work(s) + library_buffers(s) +
           vectors(c, s) + 2 * w;
}

double rl_case_bytes(const rl_case_sizes *c, int64_t ranks) {
    const rl_case_shape s = rl_case_shape_of(c, ranks);
    return heap * word * (c->way == RL_CASE_CURVE ? curve_words(c, &s) : spectrum_words(c, &s));
}
