/* Householder panels of a core, and what they do to the rest of it. */
#include "panel.h"

#include "../../numbers.h"
#include "../matrix/scalapack.h"

/* pdlarfb is called directly: pdormqr and pdormlq apply their first reflectors, as many as a block has, one by one, and
 * a panel has no others. */

rl_status rl_panels_create(rl_panels *panels, rl_core *core) {
    const int64_t block = core->m.row_block;
    /* pdgeqrf, pdgelqf, pdlarft and pdlarfb ask for at most block (rows + columns + block), of a local part that
     * begins inside a block. */
    const int64_t lwork = block * ((int64_t)core->m.local_rows + core->m.local_columns + 4 * block);
    const int taus = core->m.local_rows > core->m.local_columns ? core->m.local_rows : core->m.local_columns;
    *panels = (rl_panels){.core = core};
    RL_TRY(RL_ALLOC(panels->tau, taus + block));
    RL_TRY(RL_ALLOC(panels->t, block * block));
    return rl_alloc_work("ScaLAPACK pdlarfb", (double)lwork, &panels->work, &panels->lwork);
}

void rl_panels_destroy(rl_panels *panels) {
    rl_free(panels->tau);
    rl_free(panels->t);
    rl_free(panels->work);
    *panels = (rl_panels){0};
}

void rl_panel_qr(rl_panels *panels, int first, int width) {
    const rl_core *core = panels->core;
    const int *descriptor = core->m.descriptor, i = first + 1, next = first + width + 1;
    const int rows = core->rows - first, after = core->columns + core->n_left - first - width;
    double *const a = core->m.a;
    int info;
    pdgeqrf_(&rows, &width, a, &i, &i, descriptor, panels->tau, panels->work, &panels->lwork, &info);
    panels->info = rl_smaller(panels->info, info);
    if (after == 0) return;
    pdlarft_("F", "C", &rows, &width, a, &i, &i, descriptor, panels->tau, panels->t, panels->work, 1, 1);
    pdlarfb_("L", "T", "F", "C", &rows, &after, &width, a, &i, &i, descriptor, panels->t, a, &i, &next, descriptor,
             panels->work, 1, 1, 1, 1);
}

void rl_panel_lq(rl_panels *panels, int first, int width) {
    const rl_core *core = panels->core;
    const int *descriptor = core->m.descriptor, i = first + 1, next = first + width + 1;
    const int columns = core->columns - first - width, below = core->rows + core->n_right - first - width;
    const int reflectors = rl_smaller(width, columns);
    double *const a = core->m.a;
    int info;
    if (columns <= 0) return;
    pdgelqf_(&width, &columns, a, &i, &next, descriptor, panels->tau, panels->work, &panels->lwork, &info);
    panels->info = rl_smaller(panels->info, info);
    pdlarft_("F", "R", &columns, &reflectors, a, &i, &next, descriptor, panels->tau, panels->t, panels->work, 1, 1);
    pdlarfb_("R", "N", "F", "R", &below, &columns, &reflectors, a, &i, &next, descriptor, panels->t, a, &next, &next,
             descriptor, panels->work, 1, 1, 1, 1);
}

rl_status rl_panels_check(const rl_panels *panels) {
    int info = panels->info;
    return rl_agree_info(panels->core->grid, "ScaLAPACK pdgeqrf or pdgelqf", &info);
}
