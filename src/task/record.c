#include "ridgeless/task.h"

rl_record_layout rl_record_layout_of(const rl_plan *plan, int grid) {
    const rl_grid *g = &plan->grids[grid];
    rl_record_layout l = {.n_sizes = g->n_n_train / g->n_parts,
                          .n_variants = g->spec->n_variants,
                          .max_modes = g->max_modes,
                          .has_population = g->data.fresh,
                          .has_modes = plan->study->keep_modes};
    const size_t spectra = (size_t)l.n_sizes, cells = spectra * (size_t)l.n_variants,
                 modes = spectra * (size_t)l.max_modes;
    size_t *const spectrum_fields[] = {&l.sigma_min,    &l.sigma_max,     &l.rank,
                                       &l.test_bias_sq, &l.test_bias_mse, &l.status};
    size_t *const mode_fields[] = {&l.sigma, &l.test_projection_rms, &l.residual_projection};
    l.test_mse = 0;
    l.train_mse = cells;
    l.population_mse = 2 * cells;
    l.length = (l.has_population ? 3 : 2) * cells;
    for (size_t i = 0; i < sizeof spectrum_fields / sizeof *spectrum_fields; i++, l.length += spectra)
        *spectrum_fields[i] = l.length;
    for (size_t i = 0; l.has_modes && i < sizeof mode_fields / sizeof *mode_fields; i++, l.length += modes)
        *mode_fields[i] = l.length;
    return l;
}

size_t rl_record_length_max(const rl_plan *plan) {
    size_t longest = 0;
    for (int g = 0; g < plan->n_grids; g++) {
        const size_t length = rl_record_layout_of(plan, g).length;
        if (length > longest) longest = length;
    }
    return longest;
}
