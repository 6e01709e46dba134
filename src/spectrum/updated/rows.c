/* Decompositions of the first rows, and one row more. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "../../numbers.h"
#include "../../vectors.h"
#include "private.h"

/* ---- anew -------------------------------------------------------------------------------------------------------- */

/* n <= features: the leading block of L. */
static void wide_core(rl_updated *u, int n) {
    for (size_t j = 0; j < (size_t)n; j++)
        memcpy(u->product + j * (size_t)u->ld, u->rows + j * (size_t)u->n_rows, sizeof(double) * (size_t)n);
    for (int t = 0; t < RL_N_TARGETS; t++) memcpy(u->moved[t], u->target[t], sizeof(double) * (size_t)n);
}

/* n > features: the triangle of [X Y]; below it the columns of Y hold what X cannot reach. */
static rl_status tall_core(rl_updated *u, int n) {
    const int p = u->features, columns = p + RL_N_TARGETS;
    const size_t ld = (size_t)n;
    int info;
    for (size_t j = 0; j < (size_t)p; j++) memcpy(u->qr + j * ld, u->rows + j * (size_t)u->n_rows, sizeof(double) * ld);
    for (int t = 0; t < RL_N_TARGETS; t++) memcpy(u->qr + (size_t)(p + t) * ld, u->target[t], sizeof(double) * ld);
    dgeqrf_(&n, &columns, u->qr, &n, u->qr_tau, u->work, &u->lwork, &info);
    RL_TRY(rl_lapack_check("dgeqrf", info));
    for (size_t j = 0; j < (size_t)p; j++)
        for (size_t i = 0; i < (size_t)p; i++) u->product[j * (size_t)u->ld + i] = i <= j ? u->qr[j * ld + i] : 0;
    for (int t = 0; t < RL_N_TARGETS; t++) {
        const double *const column = u->qr + (size_t)(p + t) * ld;
        memcpy(u->moved[t], column, sizeof(double) * (size_t)p);
        for (int i = p; i < n && i <= p + t; i++) u->outside_sq[t] += column[i] * column[i];
    }
    return RL_OK;
}

rl_status rl_updated_decompose(rl_updated *u, int n) {
    const int k = rl_smaller(n, u->features);
    const size_t ld = (size_t)u->ld;
    int info;
    u->n = n;
    u->n_modes = k;
    memset(u->outside_sq, 0, sizeof u->outside_sq);
    if (n > u->features)
        RL_TRY(tall_core(u, n));
    else
        wide_core(u, n);
    dgesdd_("S", &k, &k, u->product, &u->ld, u->sigma, u->spare, &u->ld, u->vectors, &u->ld, u->work, &u->lwork,
            u->iwork, &info, 1);
    RL_TRY(rl_lapack_check("dgesdd", info));
    u->broken = info > 0;
    for (size_t r = 0; r < (size_t)k; r++)
        for (size_t j = 0; j < (size_t)k; j++) u->v[r * ld + j] = u->vectors[j * ld + r];
    rl_updated_square(u);
    for (int t = 0; t < RL_N_TARGETS; t++) rl_gemv('T', k, k, 1, u->spare, u->ld, u->moved[t], 0, u->c[t]);
    return RL_OK;
}

/* ---- one row more ------------------------------------------------------------------------------------------------ */

/* Rotates modes a and b, whose singular values are as good as equal, so that the row has no part along a. */
static void rotate_pair(rl_updated *u, int a, int b) {
    const double length = hypot(u->z[a], u->z[b]), cosine = u->z[b] / length, sine = -u->z[a] / length;
    const int one = 1;
    const size_t ld = (size_t)u->ld;
    drot_(&u->n_modes, u->v + (size_t)a * ld, &one, u->v + (size_t)b * ld, &one, &cosine, &sine);
    for (int t = 0; t < RL_N_TARGETS; t++) drot_(&one, &u->c[t][a], &one, &u->c[t][b], &one, &cosine, &sine);
    u->z[a] = 0;
    u->z[b] = length;
}

/* Numbers up to this count as zero beside the largest of the poles and of the row. It is never 0 itself: its square is
 * in range. */
static double tolerance_of(const rl_updated *u, bool new_column) {
    double largest = fmax(u->poles[0], 0x1p-250);
    for (int j = 0; j < u->n_modes + new_column; j++) largest = fmax(largest, fabs(u->z[j]));
    return 8 * DBL_EPSILON * largest;
}

/* Modes that the row does not touch stay as they are; the others are kept[n_kept]. As LAPACK's dlasd2: no error is
 * larger than the tolerance. A new column comes last, its pole 0, and is always kept. */
static int deflate_modes(rl_updated *u, bool new_column) {
    const double tolerance = tolerance_of(u, new_column);
    int n_kept = 0;
    for (int j = 0; j < u->n_modes; j++) {
        u->poles[j] = fmax(u->poles[j], tolerance / 2);
        u->is_kept[j] = fabs(u->z[j]) > tolerance;
        if (!u->is_kept[j]) continue;
        const int before = n_kept > 0 ? u->kept[n_kept - 1] : -1;
        if (before >= 0 && u->poles[before] - u->poles[j] <= tolerance) {
            rotate_pair(u, before, j);
            u->is_kept[before] = false;
            n_kept--;
        }
        u->kept[n_kept++] = j;
    }
    if (!new_column) return n_kept;
    const int last = u->n_modes;
    if (fabs(u->z[last]) < tolerance) u->z[last] = copysign(tolerance, u->z[last]);
    u->poles[last] = 0;
    u->kept[n_kept++] = last;
    return n_kept;
}

/* The row in coordinates of the modes, and, where it is one dimension more, its part along that. */
static void project_row(rl_updated *u, bool new_column) {
    for (int j = 0; j < u->n_modes + new_column; j++) u->row[j] = u->rows[(size_t)j * (size_t)u->n_rows + (size_t)u->n];
    rl_updated_to_modes(u, u->row, u->room, u->z);
    memcpy(u->poles, u->sigma, sizeof(double) * (size_t)u->n_modes);
    if (new_column) u->z[u->n_modes] = u->row[u->n_modes];
}

/* Poles and row of the modes that are kept, to the front. */
static bool solve_for_kept(rl_updated *u, int n_kept) {
    for (int j = 0; j < n_kept; j++) {
        const double d = u->poles[u->kept[j]];
        u->square[j] = d * d;
        u->square_low[j] = fma(d, d, -u->square[j]);
        u->row[j] = u->z[u->kept[j]];
    }
    return n_kept == 0 || u->secular.kernel->solve(&u->secular, n_kept, u->square, u->square_low, u->row);
}

static void project_targets(rl_updated *u, int n_kept, bool new_column) {
    for (int t = 0; t < RL_N_TARGETS; t++) {
        double outside = u->target[t][u->n];
        for (int j = 0; j < n_kept; j++) u->above[j] = u->kept[j] < u->n_modes ? u->c[t][u->kept[j]] : 0;
        if (n_kept > 0)
            rl_secular_project(&u->secular, u->vectors, u->ld, u->above, outside, u->room, u->moved[t], &outside);
        if (!new_column) u->outside_sq[t] += outside * outside;
    }
}

/* The kept modes' new directions, n_kept columns. */
static void rotate_kept(rl_updated *u, int n_kept, bool new_column) {
    const int inner = n_kept - new_column, k = u->n_modes;
    const size_t ld = (size_t)u->ld;
    for (int j = 0; j < inner; j++)
        memcpy(u->spare + (size_t)j * ld, u->v + (size_t)u->kept[j] * ld, sizeof(double) * (size_t)k);
    if (n_kept > 0) rl_gemm('N', 'N', k, n_kept, inner, 1, u->spare, u->ld, u->vectors, u->ld, 0, u->product, u->ld);
    for (int j = 0; new_column && j < n_kept; j++)
        u->product[(size_t)j * ld + (size_t)k] = u->vectors[(size_t)j * ld + (size_t)inner];
}

/* Modes that are kept and those that are not, in one descending list. */
static void merge_modes(rl_updated *u, int n_kept, bool new_column) {
    const int total = u->n_modes + new_column;
    const size_t ld = (size_t)u->ld, rows = (size_t)u->n_modes;
    int next = 0, other = 0;
    for (int r = 0; r < total; r++) {
        while (other < u->n_modes && u->is_kept[other]) other++;
        const bool is_new = other == u->n_modes || (next < n_kept && u->secular.sigma[next] >= u->poles[other]);
        const int from = is_new ? next++ : other++;
        const double *const column = (is_new ? u->product : u->v) + (size_t)from * ld;
        double *const target = u->spare + (size_t)r * ld;
        memcpy(target, column, sizeof(double) * rows);
        if (new_column) target[rows] = is_new ? column[rows] : 0;
        u->sigma[r] = is_new ? u->secular.sigma[from] : u->poles[from];
        for (int t = 0; t < RL_N_TARGETS; t++) u->merged[t][r] = is_new ? u->moved[t][from] : u->c[t][from];
    }
    rl_swap(&u->v, &u->spare);
}

static void swap_targets(rl_updated *u, double **others) {
    for (int t = 0; t < RL_N_TARGETS; t++) rl_swap(&u->c[t], &others[t]);
}

/* The general way: without the modes that the row leaves alone, and v at once. */
static bool append_to_some(rl_updated *u, bool new_column) {
    const int n_kept = deflate_modes(u, new_column);
    if (!solve_for_kept(u, n_kept)) return false;
    if (n_kept > 0) u->secular.kernel->fill_vectors(&u->secular, u->vectors, u->ld);
    project_targets(u, n_kept, new_column);
    rotate_kept(u, n_kept, new_column);
    merge_modes(u, n_kept, new_column);
    swap_targets(u, u->merged);
    return true;
}

/* Deflation would leave everything as it is. */
static bool touches_all(const rl_updated *u, bool new_column) {
    const double tolerance = tolerance_of(u, new_column);
    bool all = !new_column || fabs(u->z[u->n_modes]) >= tolerance;
    for (int j = 0; j < u->n_modes; j++)
        all &= fabs(u->z[j]) > tolerance && u->poles[j] >= tolerance / 2 &&
               (j == 0 || u->poles[j - 1] - u->poles[j] > tolerance);
    return all;
}

static bool append_to_all(rl_updated *u, bool new_column) {
    const int n = u->n_modes + new_column;
    if (new_column) u->square[n - 1] = u->square_low[n - 1] = 0;
    for (int j = 0; j < n; j++) u->kept[j] = j;
    if (!u->secular.kernel->solve(&u->secular, n, u->square, u->square_low, u->z)) return false;
    u->secular.kernel->fill_vectors(&u->secular, u->vectors, u->ld);
    project_targets(u, n, new_column);
    rl_updated_rotate(u, new_column);
    memcpy(u->sigma, u->secular.sigma, sizeof(double) * (size_t)n);
    swap_targets(u, u->moved);
    return true;
}

void rl_updated_append(rl_updated *u) {
    const bool new_column = u->n < u->features;
    if (u->n_pending == RL_MOST_PENDING) rl_updated_flush(u);
    if (!u->broken) project_row(u, new_column);
    const bool all = !u->broken && touches_all(u, new_column);
    if (!u->broken && !all && u->n_pending > 0) {
        rl_updated_flush(u);
        project_row(u, new_column);
    }
    if (!u->broken) u->broken = !(all ? append_to_all(u, new_column) : append_to_some(u, new_column));
    u->n++;
    u->n_modes += new_column;
    if (!all) rl_updated_square(u);
}
