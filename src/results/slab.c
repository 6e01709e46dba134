/* Slabs: what of a group's large arrays is in memory at one time. */
#include "../numbers.h"
#include "writer.h"

size_t rl_slab_room(const writer *w, const extent *extents, int n) {
    size_t all = 0, least = 0;
    for (const extent *e = extents; e < extents + n; e++) {
        all += e->n_rows * e->width;
        if (e->n_rows > 0) least = rl_larger(least, e->width);
    }
    return rl_larger(least, rl_smaller(all, w->slab_bytes / sizeof(double)));
}

bool rl_next_slab(const writer *w, const extent *extents, int n, slab *s) {
    const part *last = s->n > 0 ? &s->parts[s->n - 1] : NULL;
    int at = last == NULL ? 0 : last->array;
    size_t row = last == NULL ? 0 : last->first + last->n, used = 0;
    s->n = 0;
    for (; at < n; at++, row = 0) {
        const extent *e = &extents[at];
        if (e->n_rows == row) continue;
        const size_t fit = rl_smaller(e->n_rows - row, (w->slab_values - used) / e->width);
        if (fit == 0) break;
        double *const values = w->slab == NULL ? NULL : w->slab + used; /* none yet where one asks who fills them */
        s->parts[s->n++] = (part){at, row, fit, e->width, values, {0, w->plan->study->repeats}};
        used += fit * e->width;
        if (row + fit < e->n_rows) break;
    }
    return s->n > 0;
}

void rl_place_slab(slab *s, double *values) {
    for (part *q = s->parts; q < s->parts + s->n; values += q->n * q->width, q++) q->values = values;
}
