/* Vectors of several rows together.
 *
 * Each row rotates the right singular vectors: V becomes V W, with d_j^2 W_ji - W_ji s_i^2 = z_j a_i for its poles d,
 * roots s and the row z for which they are exact. So the product G of several rotations obeys
 *
 *     D^2 G - G S^2 = left right,    D before the first row, S after the last,
 *
 * with one column of `left` and one row of `right` per row, and one row more, G := G W, costs n^2 and not n^3: `left`
 * gets the column G z, and `right` becomes [right W; a]. Where D and S come close the quotients would lose digits:
 * there, along the diagonal, and everywhere if other differences are small beside what they divide, the product is
 * formed as such. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "../../numbers.h"
#include "../../vectors.h"
#include "private.h"

enum {
    BLOCK = 16, /* columns whose entries near the diagonal are formed together */
    MARGIN = 4  /* of those on either side; the roots move up by one pole per row */
};
/* The largest terms that a quotient may have; it is at most 1 itself. */
static const double most_growth = 16;

void rl_updated_square(rl_updated *u) {
    u->n_in_v = u->n_modes;
    u->n_pending = 0;
    for (int j = 0; j < u->n_modes; j++) {
        u->square[j] = u->sigma[j] * u->sigma[j];
        u->square_low[j] = fma(u->sigma[j], u->sigma[j], -u->square[j]);
    }
}

/* One row and column more, of the identity. */
static void widen_rotation(rl_updated *u, int n) {
    const size_t ld = (size_t)u->ld, last = (size_t)n - 1;
    for (size_t j = 0; j < last; j++) u->rotation[j * ld + last] = u->rotation[last * ld + j] = 0;
    u->rotation[last * ld + last] = 1;
    u->start[last] = u->start_low[last] = 0;
    for (size_t l = 0; l < (size_t)u->n_pending; l++)
        u->left[l * (ld + 1) + last] = u->right[last * RL_MOST_PENDING + l] = 0;
}

/* The displacement of the rotation times the secular equation's vectors, n columns. */
static void extend_displacement(rl_updated *u, int n) {
    const rl_secular *q = &u->secular;
    const int ld = RL_MOST_PENDING;
    double *const column = u->left + (size_t)u->n_pending * (size_t)(u->ld + 1);
    for (int j = 0; j < n; j++) u->room[j] = q->units * q->z[j];
    if (u->n_pending == 0) {
        memcpy(column, u->room, sizeof(double) * (size_t)n);
    } else {
        rl_gemv('N', n, n, 1, u->rotation, u->ld, u->room, 0, column);
        rl_gemm('N', 'N', u->n_pending, n, n, 1, u->right, ld, u->vectors, u->ld, 0, u->right_next, ld);
        rl_swap(&u->right, &u->right_next);
    }
    for (int i = 0; i < n; i++) u->right[i * ld + u->n_pending] = q->units / q->length[i];
    u->n_pending++;
}

static void measure_displacement(rl_updated *u, int n) {
    for (size_t j = 0; j < (size_t)n; j++) {
        double left = 0, right = 0;
        for (size_t l = 0; l < (size_t)u->n_pending; l++) {
            const double a = u->left[l * (size_t)(u->ld + 1) + j], b = u->right[j * RL_MOST_PENDING + l];
            left += a * a;
            right += b * b;
        }
        u->left_length[j] = sqrt(left);
        u->right_length[j] = sqrt(right);
    }
}

/* The whole product by its displacement, but for what is close to the diagonal; false: some quotient is too large. */
static bool divide_displacement(rl_updated *u, int n) {
    const rl_secular *q = &u->secular;
    const int ld = RL_MOST_PENDING, ld_left = u->ld + 1;
    double worst = 0;
    rl_gemm('N', 'N', n, n, u->n_pending, 1, u->left, ld_left, u->right, ld, 0, u->product, u->ld);
    for (int i = 0; i < n; i++) {
        const int first = i - i % BLOCK, from = rl_larger(first - u->n_pending - MARGIN, 0),
                  to = rl_smaller(first + BLOCK + MARGIN, n);
        double *const column = u->product + (size_t)i * (size_t)u->ld;
        const double above =
            q->kernel->divide(from, u->start, u->start_low, q->root[i], q->root_low[i], u->left_length, column);
        const double below = q->kernel->divide(n - to, u->start + to, u->start_low + to, q->root[i], q->root_low[i],
                                               u->left_length + to, column + to);
        worst = fmax(worst, u->right_length[i] * fmax(above, below));
    }
    return worst <= most_growth;
}

static void multiply_near_diagonal(rl_updated *u, int n) {
    const size_t ld = (size_t)u->ld;
    for (int first = 0; first < n; first += BLOCK) {
        const int from = rl_larger(first - u->n_pending - MARGIN, 0), to = rl_smaller(first + BLOCK + MARGIN, n),
                  rows = to - from, columns = rl_smaller(BLOCK, n - first);
        rl_gemm('N', 'N', rows, columns, n, 1, u->rotation + from, u->ld, u->vectors + (size_t)first * ld, u->ld, 0,
                u->product + (size_t)first * ld + (size_t)from, u->ld);
    }
}

void rl_updated_rotate(rl_updated *u, bool new_column) {
    const int n = u->n_modes + new_column;
    if (u->n_pending == 0) {
        memcpy(u->start, u->square, sizeof(double) * (size_t)n);
        memcpy(u->start_low, u->square_low, sizeof(double) * (size_t)n);
        extend_displacement(u, n);
        rl_swap(&u->rotation, &u->vectors);
    } else {
        if (new_column) widen_rotation(u, n);
        extend_displacement(u, n);
        measure_displacement(u, n);
        if (divide_displacement(u, n))
            multiply_near_diagonal(u, n);
        else
            rl_gemm('N', 'N', n, n, n, 1, u->rotation, u->ld, u->vectors, u->ld, 0, u->product, u->ld);
        rl_swap(&u->rotation, &u->product);
    }
    memcpy(u->square, u->secular.root, sizeof(double) * (size_t)n);
    memcpy(u->square_low, u->secular.root_low, sizeof(double) * (size_t)n);
}

void rl_updated_flush(rl_updated *u) {
    const size_t ld = (size_t)u->ld, n = (size_t)u->n_modes, in_v = (size_t)u->n_in_v;
    if (u->n_pending == 0) return;
    rl_gemm('N', 'N', u->n_in_v, u->n_modes, u->n_in_v, 1, u->v, u->ld, u->rotation, u->ld, 0, u->spare, u->ld);
    for (size_t i = 0; i < n; i++)
        memcpy(u->spare + i * ld + in_v, u->rotation + i * ld + in_v, sizeof(double) * (n - in_v));
    rl_swap(&u->v, &u->spare);
    rl_updated_square(u);
}

/* c [n_modes, n] = a [k, k] b [n_modes, n]; a product of matrices would copy a for a single column. */
static void multiply_square(const rl_updated *u, int k, const double *a, int n, const double *b, double *c) {
    if (n == 1)
        rl_gemv('N', k, k, 1, a, u->ld, b, 0, c);
    else
        rl_gemm('N', 'N', k, n, k, 1, a, u->ld, b, u->n_modes, 0, c, u->n_modes);
}

void rl_updated_to_basis(const void *updated, int n, const double *modes, double *room, double *basis) {
    const rl_updated *u = updated;
    const size_t k = (size_t)u->n_modes, in_v = (size_t)u->n_in_v;
    const double *rotated = modes;
    if (u->n_pending > 0) {
        multiply_square(u, u->n_modes, u->rotation, n, modes, room);
        rotated = room;
    }
    multiply_square(u, u->n_in_v, u->v, n, rotated, basis);
    for (size_t j = 0; j < (size_t)n; j++)
        memcpy(basis + j * k + in_v, rotated + j * k + in_v, sizeof(double) * (k - in_v));
}

void rl_updated_to_modes(const rl_updated *u, const double *basis, double *room, double *modes) {
    double *const rotated = u->n_pending > 0 ? room : modes;
    rl_gemv('T', u->n_in_v, u->n_in_v, 1, u->v, u->ld, basis, 0, rotated);
    for (int j = u->n_in_v; j < u->n_modes; j++) rotated[j] = basis[j];
    if (u->n_pending > 0) rl_gemv('T', u->n_modes, u->n_modes, 1, u->rotation, u->ld, rotated, 0, modes);
}
