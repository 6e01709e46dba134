/* panel: Householder panels of a core with their updates. Private to `distributed`.
 *
 * The borders are part of the core's matrix, so a panel's block reflector reaches them in the same multiplication that
 * updates A, and no reflector has to be kept for later. */
#ifndef RL_PANEL_H
#define RL_PANEL_H

#include "producer.h"

typedef struct rl_panels {
    const rl_core *core; /* borrowed */
    double *tau, *t, *work;
    int lwork;
    int info; /* the lowest that a panel gave */
} rl_panels;

/* Local. The arrays for panels up to as wide as the core's blocks. */
rl_status rl_panels_create(rl_panels *panels, const rl_core *core);
void rl_panels_destroy(rl_panels *panels);

/* Local. The memory of panels, for as long as they are needed. */
void rl_panels_needs(const rl_core *core, rl_needs *needs);

/* Local. Time of the panels themselves, one for each block of A's columns, on one row or column of the grid, of so many
 * processes; their columns are `length` long on average. Each is multiplied with what is left of its panel, which is
 * then read and written. */
void rl_needs_panels(rl_needs *needs, rl_part part, const rl_core *core, double length, int processes);

/* Local. Bytes that libraries keep between calls: PBLAS a few blocks as long as a rank's rows and columns, MPI buffers
 * for messages. */
double rl_needs_libraries(const rl_core *core);

/* Collective on the grid. A panel must lie in one row or column of blocks.
 *
 * QR of rows [first, rows) x columns [first, first + width): the panel's triangle is left in its place (what is below
 * it are the reflectors), and Q^T is applied to the same rows of all columns after it, the left border's among them. */
void rl_panel_qr(rl_panels *panels, int first, int width);

/* LQ of rows [first, first + width) x columns [first + width, columns), if there are any: Q^T is applied from the right
 * to the same columns of all rows below, the right border's among them. */
void rl_panel_lq(rl_panels *panels, int first, int width);

/* Collective on the grid. RL_ERR_LIBRARY if any panel got a wrong argument. */
rl_status rl_panels_check(const rl_panels *panels);

#endif
