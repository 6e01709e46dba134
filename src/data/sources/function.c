/* The source `function`: named functions of one input, sampled. The first is that of the published program: its
 * polynomial regression draws 15 inputs by numpy.random.RandomState(0).uniform for each number of features in turn and
 * for each repeat in turn, and tests at 1000 equispaced points. */
#include <math.h>

#include "../../numbers.h"
#include "source.h"

static double linear_cosine(double x) {
    return 2 * x + cos(25 * x);
}

static double sine(double x) {
    return sin(M_PI * x);
}

static double runge(double x) {
    return 1 / (1 + 25 * x * x);
}

static double step(double x) {
    return x < 0 ? -1 : 1;
}

/* In the order of FUNCTIONS, the words of the key `function`. */
static double (*const functions[])(double) = {linear_cosine, sine, runge, step, fabs, exp};
#define FUNCTIONS "linear-cosine|sine|runge|step|absolute|exponential"

enum { DRAW_FRESH, DRAW_POOL };
enum { INPUTS_UNIFORM, INPUTS_EQUISPACED };

/* Point i of n equispaced ones on [low, high], both ends among them, as numpy.linspace rounds it. */
static double equispaced(double low, double high, int n, int i) {
    if (n == 1) return low;
    return i == n - 1 ? high : i * ((high - low) / (n - 1)) + low;
}

static void draw_point(const rl_dataset *dataset, rl_key key, uint32_t repeat, int row, double *inputs, double *y) {
    const rl_function *f = &dataset->function;
    const int n = dataset->n_rows - dataset->n_test_only;
    if (row >= n)
        inputs[0] = equispaced(f->low, f->high, dataset->n_test_only, row - n);
    else if (f->equispaced)
        inputs[0] = equispaced(f->low, f->high, n, row);
    else if (f->drawn != NULL)
        inputs[0] = f->drawn[((int64_t)dataset->view * f->n_repeats + repeat) * n + row];
    else
        inputs[0] = f->low + (f->high - f->low) * rl_philox_uniform(key, RL_STREAM_INPUTS, repeat, (uint32_t)row, 0);
    *y = functions[f->which](inputs[0]);
    if (row < n && f->noise > 0) *y += f->noise * rl_philox_normal(key, RL_STREAM_NOISE, repeat, (uint32_t)row, 0);
}

static rl_status draw_numpy(const rl_source_request *request, rl_dataset *dataset) {
    rl_function *f = &dataset->function;
    const int n = dataset->n_rows - dataset->n_test_only, views = rl_larger(request->n_views, 1);
    rl_mt19937 generator;
    f->n_repeats = rl_larger(request->n_repeats, 1);
    f->n_drawn = (int64_t)views * f->n_repeats * n;
    RL_TRY(RL_ALLOC(f->drawn, f->n_drawn));
    rl_mt19937_seed(&generator, 0);
    for (int64_t i = 0; i < f->n_drawn; i++) f->drawn[i] = f->low + (f->high - f->low) * rl_mt19937_uniform(&generator);
    return RL_OK;
}

static rl_status fill_pool(const rl_source_request *request, rl_dataset *dataset) {
    const rl_key key = rl_key_make(request->seed, request->name);
    RL_TRY(RL_ALLOC(dataset->x, dataset->n_rows));
    RL_TRY(RL_ALLOC(dataset->y, dataset->n_rows));
    for (int i = 0; i < dataset->n_rows; i++) draw_point(dataset, key, 0, i, dataset->x + i, dataset->y + i);
    return RL_OK;
}

static rl_status check_options(const rl_source_request *request, const rl_dataset *dataset) {
    const rl_function *f = &dataset->function;
    if (!(f->low < f->high))
        return rl_source_key_fail(request, "low", "%.6g is not below the %.6g of `high`, expected less", f->low,
                                  f->high);
    if (request->random != RL_RANDOM_NUMPY) return RL_OK;
    if (f->noise > 0) return rl_source_key_fail(request, "noise", "needs `random: philox`, expected 0 with numpy");
    if (f->equispaced)
        return rl_source_key_fail(request, "inputs", "needs `random: philox`, expected `uniform` with numpy");
    if (!dataset->fresh)
        return rl_source_key_fail(request, "draw", "needs `random: philox`, expected `fresh` with numpy");
    return RL_OK;
}

static rl_status describe_origin(const rl_source_request *request, rl_dataset *dataset) {
    const char *name = rl_options_text(request->options, "function");
    const char *by = request->random == RL_RANDOM_NUMPY ? "numpy.random.RandomState(0)" : "Philox4x32-10";
    rl_text text = RL_TEXT_EMPTY;
    const rl_status status =
        rl_text_append(&text, "%s rows of the function `%s` on [%.6g, %.6g], drawn by %s, and %d test points",
                       dataset->fresh ? "fresh" : "a pool of", name, dataset->function.low, dataset->function.high, by,
                       dataset->n_test_only);
    dataset->origin = text.bytes;
    return status;
}

static rl_status load_function(const rl_source_request *request, rl_dataset *dataset) {
    const rl_options *options = request->options;
    dataset->n_features = 1;
    dataset->n_test_only = rl_options_integer(options, "test_points");
    dataset->n_rows = rl_options_integer(options, "rows") + dataset->n_test_only;
    dataset->fresh = rl_options_get(options, "draw")->number == DRAW_FRESH;
    dataset->function = (rl_function){.which = (int)rl_options_get(options, "function")->number,
                                      .low = rl_options_real(options, "low"),
                                      .high = rl_options_real(options, "high"),
                                      .noise = rl_options_real(options, "noise"),
                                      .equispaced = rl_options_get(options, "inputs")->number == INPUTS_EQUISPACED};
    RL_TRY(check_options(request, dataset));
    RL_TRY(describe_origin(request, dataset));
    if (!dataset->fresh) return fill_pool(request, dataset);
    return request->random == RL_RANDOM_NUMPY ? draw_numpy(request, dataset) : RL_OK;
}

static const rl_option_spec options[] = {
    RL_CHOICE_SPEC("function", "linear-cosine", FUNCTIONS,
                   "2x + cos(25x), sin(pi x), 1/(1 + 25x^2), the sign, |x|, e^x"),
    RL_REAL_SPEC("low", -1e100, 1e100, -1, "smallest input"),
    RL_REAL_SPEC("high", -1e100, 1e100, 1, "largest input"),
    RL_CHOICE_SPEC("inputs", "uniform", "uniform|equispaced", "how the rows that may train are drawn"),
    RL_INTEGER_SPEC("rows", 1, 1e8, 15, "rows that may train, of the pool or of each repeat"),
    RL_INTEGER_SPEC("test_points", 0, 1e8, 1000, "equispaced points without noise that are test rows at any N"),
    RL_REAL_SPEC("noise", 0, 1e100, 0, "standard deviation of the targets' noise"),
    RL_CHOICE_SPEC("draw", "fresh", "fresh|pool",
                   "fresh rows for each repeat, or one pool of rows split anew for each"),
};

const rl_source rl_source_function = {
    .name = "function",
    .summary = "a named function of one input, sampled",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .load = load_function,
    .draw = draw_point,
    .draws_in_a_row = true,
};
