/* QR of a tall panel whose rows are shared by all ranks of a grid. */
#include "tall_qr.h"

#include <math.h>
#include <string.h>

#include "../../numbers.h"
#include "../../vectors.h"
#include "ridgeless/context.h"

enum { TAG_UP = 1, TAG_DOWN };

/* ---- the tree ---------------------------------------------------------------------------------------------------- */

/* Places in the tree are ranks counted from the root. A rank's children are those at its place + 2^level, as long as
 * 2^level divides its place. */
static int place_of(const rl_tall_qr *q) {
    return (q->grid->rank - q->root + q->grid->size) % q->grid->size;
}

static int rank_at(const rl_tall_qr *q, int place) {
    return (place + q->root) % q->grid->size;
}

static int count_levels(int size) {
    int levels = 0;
    while ((int64_t)1 << levels < size) levels++;
    return levels;
}

/* Levels at which this rank takes a child's triangle, though the last of these children may not be there. */
static int levels_of(const rl_tall_qr *q) {
    const int place = place_of(q), all = count_levels(q->grid->size);
    int levels = 0;
    while (levels < all && (place >> levels) % 2 == 0) levels++;
    return levels;
}

/* -1: no such child. */
static int child_at(const rl_tall_qr *q, int level) {
    const int place = place_of(q) + (1 << level);
    return place < q->grid->size ? rank_at(q, place) : -1;
}

static int parent_of(const rl_tall_qr *q) {
    return rank_at(q, place_of(q) - (1 << levels_of(q)));
}

/* ---- up ---------------------------------------------------------------------------------------------------------- */

/* QR of a [rows, width], ld = rows: its triangle to r, its reflectors stay, with their ones and zeros. */
static void factor_here(rl_tall_qr *q, int rows, double *a, double *t) {
    const int width = q->width, made = rl_smaller(rows, width);
    const size_t ld = (size_t)rows, k = (size_t)made;
    int info;
    q->made = made;
    if (made == 0) return;
    dgeqrt_(&rows, &width, &made, a, &rows, t, &made, q->work, &info);
    q->info = rl_smaller(q->info, info);
    for (size_t j = 0; j < (size_t)width; j++)
        for (size_t i = 0; i < k; i++) q->r[i + j * k] = i <= j ? a[i + j * ld] : 0;
    for (size_t j = 0; j < k; j++) {
        memset(a + j * ld, 0, j * sizeof *a);
        a[j + j * ld] = 1;
        memset(t + j * k + j + 1, 0, (k - j - 1) * sizeof *t);
    }
}

/* This rank's triangle upon a child's. */
static void join_child(rl_tall_qr *q, int level, int child) {
    rl_tall_node *node = &q->nodes[level];
    const size_t width = (size_t)q->width;
    MPI_Status status;
    int count;
    RL_MPI(MPI_Recv(q->message, q->most_columns * q->most_columns, MPI_DOUBLE, child, TAG_UP, q->grid->comm, &status));
    RL_MPI(MPI_Get_count(&status, MPI_DOUBLE, &count));
    node->kept = q->made;
    node->child = count / q->width;
    if (node->child == 0) return;
    const size_t kept = (size_t)node->kept, others = (size_t)node->child;
    for (size_t j = 0; j < width; j++) {
        memcpy(node->v + j * (kept + others), q->r + j * kept, kept * sizeof(double));
        memcpy(node->v + j * (kept + others) + kept, q->message + j * others, others * sizeof(double));
    }
    factor_here(q, node->kept + node->child, node->v, node->t);
}

static void go_up(rl_tall_qr *q) {
    const int levels = levels_of(q);
    factor_here(q, q->rows, q->a, q->leaf);
    for (int level = 0; level < levels; level++) {
        const int child = child_at(q, level);
        q->nodes[level].child = 0;
        if (child >= 0) join_child(q, level, child);
    }
    if (q->grid->rank != q->root)
        RL_MPI(MPI_Send(q->r, q->made * q->width, MPI_DOUBLE, parent_of(q), TAG_UP, q->grid->comm));
}

/* ---- down -------------------------------------------------------------------------------------------------------- */

/* What V is to be multiplied by in (I - V T V^T) [c; 0] = [c; 0] + V factor: factor = -T V_1^T c, with V_1 the first
 * `made` rows. c [made, reflectors]. */
static void find_factor(const rl_tall_qr *q, int made, const double *v, int ld, const double *t) {
    rl_gemm('T', 'N', made, q->reflectors, made, 1, v, ld, q->c, made, 0, q->work, made);
    rl_gemm('N', 'N', made, q->reflectors, made, -1, t, made, q->work, made, 0, q->factor, made);
}

/* c is the part of Q that belongs to the node's triangle; it becomes that of the triangle that this rank had put in,
 * and node->v that of the child's. */
static void split_part(rl_tall_qr *q, rl_tall_node *node) {
    const int rows = node->kept + node->child, made = rl_smaller(rows, q->width), columns = q->reflectors;
    const size_t kept = (size_t)node->kept, others = (size_t)node->child;
    double *const part = node->v;
    find_factor(q, made, node->v, rows, node->t);
    rl_gemm('N', 'N', rows, columns, made, 1, node->v, rows, q->factor, made, 0, q->message, rows);
    for (size_t j = 0; j < (size_t)columns; j++) {
        double *column = q->message + j * (size_t)rows;
        for (size_t i = 0; i < (size_t)made; i++) column[i] += q->c[i + j * (size_t)made];
        memcpy(part + j * others, column + kept, others * sizeof(double));
    }
    for (size_t j = 0; j < (size_t)columns; j++)
        memcpy(q->c + j * kept, q->message + j * (size_t)rows, kept * sizeof(double));
}

/* From the root of this rank's tree to its own rows: factor and c become what these are made of. */
static void split_parts(rl_tall_qr *q) {
    for (int level = levels_of(q) - 1; level >= 0; level--)
        if (q->nodes[level].child > 0) split_part(q, &q->nodes[level]);
    if (q->rows > 0) find_factor(q, rl_smaller(q->rows, q->width), q->a, q->rows, q->leaf);
}

static void receive_part(rl_tall_qr *q) {
    const int square = q->reflectors * q->reflectors;
    MPI_Status status;
    int count;
    RL_MPI(MPI_Recv(q->message, 2 * q->most_columns * q->most_columns, MPI_DOUBLE, parent_of(q), TAG_DOWN,
                    q->grid->comm, &status));
    RL_MPI(MPI_Get_count(&status, MPI_DOUBLE, &count));
    memcpy(q->t, q->message, (size_t)square * sizeof(double));
    memcpy(q->c, q->message + square, (size_t)(count - square) * sizeof(double));
}

static void send_parts(rl_tall_qr *q) {
    const int square = q->reflectors * q->reflectors;
    for (int level = levels_of(q) - 1; level >= 0; level--) {
        const int child = child_at(q, level), count = q->nodes[level].child * q->reflectors;
        if (child < 0) continue;
        memcpy(q->message, q->t, (size_t)square * sizeof(double));
        memcpy(q->message + square, q->nodes[level].v, (size_t)count * sizeof(double));
        RL_MPI(MPI_Send(q->message, square + count, MPI_DOUBLE, child, TAG_DOWN, q->grid->comm));
    }
}

/* ---- the Householder form ---------------------------------------------------------------------------------------- */

/* Q's first rows - S = L U in place, S the signs that make every pivot at least 1 in magnitude. */
static void factor_signed(rl_tall_qr *q) {
    const size_t k = (size_t)q->reflectors;
    for (size_t i = 0; i < k; i++) {
        double *const pivot = &q->lu[i + i * k];
        q->sign[i] = *pivot >= 0 ? -1 : 1;
        *pivot -= q->sign[i];
        for (size_t row = i + 1; row < k; row++) q->lu[row + i * k] /= *pivot;
        for (size_t j = i + 1; j < k; j++) {
            const double above = q->lu[i + j * k];
            for (size_t row = i + 1; row < k; row++) q->lu[row + j * k] -= q->lu[row + i * k] * above;
        }
    }
}

/* x [rows, reflectors] U^-1 */
static void divide_by_upper(const rl_tall_qr *q, int rows, double *x) {
    const double unit = 1;
    const int k = q->reflectors;
    if (rows > 0) dtrsm_("R", "U", "N", "N", &rows, &k, &unit, q->lu, &k, x, &rows, 1, 1, 1, 1);
}

/* Q - [S; 0] = V U with V_1 = L, and T = -U S L^-T; the rows of R change their signs by S. */
static void reconstruct(rl_tall_qr *q) {
    const int k = q->reflectors, made = rl_smaller(q->rows, q->width);
    const size_t n = (size_t)k;
    const double unit = 1;
    rl_gemm('N', 'N', k, k, made, 1, q->a, q->rows, q->factor, made, 0, q->lu, k);
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < (size_t)made; i++) q->lu[i + j * n] += q->c[i + j * (size_t)made];
    factor_signed(q);
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < n; i++) q->t[i + j * n] = i <= j ? -q->lu[i + j * n] * q->sign[j] : 0;
    dtrsm_("R", "L", "T", "U", &k, &k, &unit, q->lu, &k, q->t, &k, 1, 1, 1, 1);
    for (size_t j = 0; j < (size_t)q->width; j++)
        for (size_t i = 0; i < n; i++) q->r[i + j * n] *= q->sign[i];
    for (int level = 0; level < levels_of(q); level++) divide_by_upper(q, q->nodes[level].child, q->nodes[level].v);
    divide_by_upper(q, made, q->factor);
}

/* Where all rows are the root's, LAPACK has made the Householder form. */
static bool is_alone(const rl_tall_qr *q) {
    for (int level = 0; level < levels_of(q); level++)
        if (q->nodes[level].child > 0) return false;
    return true;
}

static void take_own(rl_tall_qr *q, double *vt) {
    const size_t k = (size_t)q->reflectors, rows = (size_t)q->rows;
    memcpy(q->t, q->leaf, k * k * sizeof(double));
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < k; j++) vt[j + i * k] = q->a[i + j * rows];
}

/* V^T of this rank's rows, from factor, and but for the root's first rows from c. */
static void make_rows(const rl_tall_qr *q, double *vt) {
    const int made = rl_smaller(q->rows, q->width), k = q->reflectors;
    if (q->rows > 0) rl_gemm('T', 'T', k, q->rows, made, 1, q->factor, made, q->a, q->rows, 0, vt, k);
    if (q->grid->rank == q->root)
        for (int i = 0; i < k; i++)
            for (int j = 0; j < k; j++) vt[j + i * k] = i > j ? q->lu[i + j * k] : i == j;
    else
        for (int i = 0; i < made; i++)
            for (int j = 0; j < k; j++) vt[j + i * k] += q->c[i + j * made];
}

void rl_tall_qr_factor(rl_tall_qr *q, double *vt) {
    const bool is_root = q->grid->rank == q->root;
    go_up(q);
    if (is_root && is_alone(q)) {
        take_own(q, vt);
        send_parts(q);
        return;
    }
    if (is_root) {
        const size_t k = (size_t)q->reflectors;
        memset(q->c, 0, k * k * sizeof(double));
        for (size_t i = 0; i < k; i++) q->c[i + i * k] = 1;
    } else {
        receive_part(q);
    }
    split_parts(q);
    if (is_root) reconstruct(q);
    send_parts(q);
    make_rows(q, vt);
}

/* As many levels as thousands of ranks have, so that memory does not grow with ranks. What no node uses is never
 * touched. */
enum { USUAL_LEVELS = 12 };

void rl_tall_qr_list(rl_tall_qr *q, rl_arena *arena) {
    const size_t width = (size_t)q->most_columns, square = width * width;
    RL_TAKE(arena, q->a, (size_t)q->most_rows * width);
    RL_TAKE_REALS(arena, square, &q->t, &q->r, &q->leaf, &q->factor, &q->c, &q->lu, &q->work);
    RL_TAKE(arena, q->sign, width);
    RL_TAKE(arena, q->message, 2 * square);
    for (int level = 0; level < rl_larger(count_levels(q->grid->size), (int)USUAL_LEVELS); level++) {
        rl_tall_node *node = &q->nodes[level];
        RL_TAKE(arena, node->v, 2 * square);
        RL_TAKE(arena, node->t, square);
    }
}
