/* The source `sphere`: rows uniform on the sphere of radius sqrt(inputs), with a linear teacher, as the asymptotic
 * theory of random features has them. */
#include <math.h>

#include "../../vectors.h"
#include "source.h"

static void scale_to_length(int n, double *x, double length) {
    const double factor = length / sqrt(rl_sum_of_squares(n, x));
    for (int i = 0; i < n; i++) x[i] *= factor;
}

static void draw_row(const rl_dataset *dataset, rl_key key, uint32_t repeat, int row, double *inputs, double *y) {
    const rl_teacher *teacher = &dataset->teacher;
    const int n = teacher->n_hidden;
    rl_philox_normal_row(key, RL_STREAM_FEATURES, repeat, (uint32_t)row, 0, n, inputs);
    scale_to_length(n, inputs, sqrt(n));
    double sum =
        teacher->noise > 0 ? teacher->noise * rl_philox_normal(key, RL_STREAM_NOISE, repeat, (uint32_t)row, 0) : 0;
    for (int i = 0; i < n; i++) sum += teacher->beta[i] * inputs[i];
    *y = sum;
}

static rl_status make_teacher(const rl_source_request *request, int n, rl_teacher *teacher) {
    const rl_key key = rl_key_make(request->seed, request->name);
    *teacher = (rl_teacher){.n_hidden = n, .noise = rl_options_real(request->options, "noise"), .isotropic = true};
    RL_TRY(RL_ALLOC(teacher->beta, n));
    RL_TRY(RL_ALLOC(teacher->scale, n));
    rl_philox_normal_row(key, RL_STREAM_TEACHER, 0, 0, 0, n, teacher->beta);
    scale_to_length(n, teacher->beta, rl_options_real(request->options, "signal"));
    for (int i = 0; i < n; i++) teacher->scale[i] = 1;
    return RL_OK;
}

static rl_status load_sphere(const rl_source_request *request, rl_dataset *dataset) {
    rl_text text = RL_TEXT_EMPTY;
    if (request->random == RL_RANDOM_NUMPY)
        return rl_fail(RL_ERR_INPUT, "dataset `%s`: the source `sphere` needs `random: philox`", request->name);
    dataset->n_rows = rl_options_integer(request->options, "rows");
    dataset->n_features = rl_options_integer(request->options, "inputs");
    dataset->fresh = true;
    RL_TRY(make_teacher(request, dataset->n_features, &dataset->teacher));
    const rl_status status = rl_text_append(&text, "fresh rows on a sphere, drawn by Philox4x32-10, seed %llu",
                                            (unsigned long long)request->seed);
    dataset->origin = text.bytes;
    return status;
}

static const rl_option_spec options[] = {
    RL_INTEGER_SPEC("rows", 2, 1e8, 1000, "rows of each repeat"),
    RL_INTEGER_SPEC("inputs", 1, 1e6, 50, "dimensions of the sphere's space"),
    RL_REAL_SPEC("signal", 1e-100, 1e100, 1, "length of the teacher, so the standard deviation of what it says"),
    RL_REAL_SPEC("noise", 0, 1e100, 0, "standard deviation of the targets' noise"),
};

const rl_source rl_source_sphere = {
    .name = "sphere",
    .summary = "linear teacher on rows drawn anew from a sphere",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .load = load_sphere,
    .law = RL_INPUTS_SPHERE,
    .draw = draw_row,
};
