/* Some sweeps of plane rotations over some rows, for registers of LANES doubles: ROTATE is the kernel's name. */
#include <string.h>

#include "../../clones.h"
#include "rotations.h"

typedef double vec __attribute__((vector_size(LANES * sizeof(double)), aligned(8), may_alias));

/* Registers of rows that are rotated together: what a sweep holds of a column, and the column that passes. Columns are
 * too far from each other for the processor to see which one will be wanted SOON. */
enum { MANY = LANES == 8 ? 4 : 2, SOON = 8 };

#define UNROLLED _Pragma("GCC unroll 8")

RL_INLINED vec load(const double *x) {
    return *(const vec *)x;
}

RL_INLINED void store(double *x, vec value) {
    *(vec *)x = value;
}

/* What a column is multiplied by when the last sweep of a group has left it. */
RL_INLINED double scale_of(const rl_rotated_piece *p, int column) {
    return p->scales == NULL || column < p->first || column > p->last ? 1 : p->scales[column - p->lo];
}

/* Both columns of a rotation, in its two steps or three; the first one has passed the sweep then. */
RL_INLINED void turn(vec *x, vec *y, const double *at, bool scaled) {
    const double t = at[0], s = at[RL_SWEEPS];
    const vec turned = *x + t * *y;
    *x = *y - s * (scaled ? *x : (vec)turned);
    *y = turned;
    if (!scaled) *y += t * *x;
}

/* `deep` registers of rows. */
RL_INLINED void rotate(const rl_rotated_piece *given, int row, int deep, bool scaled) {
    const rl_rotated_piece p = *given; /* no store below can change it */
    const double *frame = p.frames;
    double zeros[MANY * LANES] = {0};
    vec x[RL_FUSED][MANY];
#define COLUMN(i) ((i) < p.first || (i) > p.last ? zeros : p.column + (i)*p.stride + row)
    UNROLLED for (int k = 0; k < RL_FUSED; k++) UNROLLED for (int r = 0; r < deep; r++) x[k][r] =
        load(COLUMN(p.begin - k) + r * LANES);
    for (int i = p.begin; i < p.end; i++, frame += RL_FRAME) {
        const double *in = COLUMN(i + 1);
        double *out = COLUMN(i - RL_FUSED + 1);
        vec y[MANY];
        UNROLLED for (int r = 0; r < deep; r++) y[r] = load(in + r * LANES);
        if (p.ahead != 0) __builtin_prefetch(in + p.ahead, 1);
        UNROLLED for (int r = 0; r < deep; r++) __builtin_prefetch(in + SOON * p.stride + r * LANES, 1);
        UNROLLED for (int k = 0; k < RL_FUSED; k++) UNROLLED for (int r = 0; r < deep; r++)
            turn(&x[k][r], &y[r], frame + k * ((RL_LAG - 1) * RL_FRAME + 1), scaled);
        if (scaled && p.scales != NULL) {
            const double scale = scale_of(&p, i - RL_FUSED + 1);
            UNROLLED for (int r = 0; r < deep; r++) y[r] *= scale;
        }
        UNROLLED for (int r = 0; r < deep; r++) store(out + r * LANES, y[r]);
    }
    const bool leaves = scaled && p.end == p.last + RL_FUSED - 1;
    UNROLLED for (int k = 0; k < RL_FUSED && leaves; k++) UNROLLED for (int r = 0; r < deep; r++) x[k][r] *=
        scale_of(&p, p.end - k);
    UNROLLED for (int k = 0; k < RL_FUSED; k++) UNROLLED for (int r = 0; r < deep; r++)
        store(COLUMN(p.end - k) + r * LANES, x[k][r]);
#undef COLUMN
}

RL_INLINED void rotate_rows(const rl_rotated_piece *piece, int rows, bool scaled) {
    int row = 0;
    for (; row + MANY * LANES <= rows; row += MANY * LANES) rotate(piece, row, MANY, scaled);
    if (row + 2 * LANES <= rows) {
        rotate(piece, row, 2, scaled);
        row += 2 * LANES;
    }
    if (row < rows) rotate(piece, row, 1, scaled);
}

void ROTATE(const rl_rotated_piece *piece, int rows) {
    if (piece->scaled)
        rotate_rows(piece, rows, true);
    else
        rotate_rows(piece, rows, false);
}
