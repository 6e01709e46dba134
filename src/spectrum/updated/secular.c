/* The secular equation: buffers, the kernel for this processor, and products with left vectors. */
#include "secular.h"

#include <math.h>

#include "../../registers.h"
#include "../../vectors.h"

void rl_secular_list_arrays(rl_arena *arena, void *secular) {
    rl_secular *const q = secular;
    const size_t n = (size_t)q->max_order + RL_SECULAR_LANES; /* whole blocks */
    RL_TAKE_REALS(arena, n, &q->sigma, &q->root, &q->root_low, &q->pole, &q->pole_low, &q->d, &q->z, &q->z_sq, &q->base,
                  &q->base_low, &q->offset, &q->length, &q->scale, &q->column);
}

rl_secular rl_secular_sizes(int max_order, int max_lanes) {
    return (rl_secular){.kernel = RL_KERNEL_FOR(rl_secular_kernel, rl_register_lanes(max_lanes)),
                        .max_order = max_order};
}

void rl_secular_project(const rl_secular *q, const double *v, int ld, const double *above, double last, double *room,
                        double *c, double *outside) {
    double along = -last, length = 1;
    for (int j = 0; j < q->n; j++) {
        room[j] = q->d[j] * above[j];
        if (q->d[j] == 0) continue;
        along += q->z[j] / q->d[j] * above[j];
        length += q->z[j] / q->d[j] * (q->z[j] / q->d[j]);
    }
    *outside = along / sqrt(length);
    rl_gemv('T', q->n, q->n, 1, v, ld, room, 0, c);
    for (int i = 0; i < q->n; i++) c[i] = q->scale[i] * (q->length[i] * c[i] - last);
}
