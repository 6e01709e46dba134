/* Householder panels of a core, and what they do to the rest of it. */
#include "panel.h"

#include <math.h>

#include "../../numbers.h"
#include "../matrix/scalapack.h"
#include "ridgeless/arena.h"

/* pdlarfb is called directly. pdormqr and pdormlq apply the reflectors of their first block one by one, and a panel has
 * no others. */

/* pdgeqrf, pdgelqf, pdlarft and pdlarfb ask for at most block (rows + columns + block), of a local part that begins
 * inside a block. */
static double count_work(const rl_core *core) {
    const double block = core->m.row_block;
    return block * ((double)core->m.local_rows + core->m.local_columns + 4 * block) + RL_WORK_SLACK;
}

static void list_panels(rl_arena *arena, void *object) {
    rl_panels *panels = object;
    const rl_block_matrix *m = &panels->core->m;
    const size_t block = (size_t)m->row_block;
    RL_TAKE(arena, panels->tau, (size_t)rl_larger(m->local_rows, m->local_columns) + block);
    RL_TAKE(arena, panels->t, block * block);
    RL_TAKE(arena, panels->work, count_work(panels->core));
}

rl_status rl_panels_create(rl_panels *panels, const rl_core *core) {
    *panels = (rl_panels){.core = core};
    RL_TRY(rl_work_length("ScaLAPACK pdlarfb", count_work(core), &panels->lwork));
    return rl_arrays_create(panels, list_panels);
}

void rl_panels_destroy(rl_panels *panels) {
    rl_free(panels->tau);
    *panels = (rl_panels){0};
}

void rl_panels_needs(const rl_core *core, rl_needs *needs) {
    rl_panels panels = {.core = core};
    const double before = needs->held;
    rl_needs_limit(needs, "LWORK of pdlarfb", count_work(core), INT32_MAX);
    rl_needs_arrays(needs, &panels, list_panels);
    needs->held = before;
}

void rl_needs_panels(rl_needs *needs, rl_part part, const rl_core *core, double length, int processes) {
    const double columns = core->columns, width = fmin(core->m.row_block, columns), share = length / processes;
    const double bytes = sizeof(double) * share * width;
    rl_needs_pass(needs, part, 0, 3 * columns * bytes / 2, bytes);
}

double rl_needs_libraries(const rl_core *core) {
    enum { MESSAGES = 1 << 17 };
    return sizeof(double) * (2 * count_work(core) + MESSAGES);
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
