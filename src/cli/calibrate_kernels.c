/* `bench calibrate`: kernels in memory and caches, and whether the machine has time for them. */
#include <math.h>

#include "../vectors.h"
#include "calibrate.h"
#include "ridgeless/arena.h"

/* A matrix of at most 64 MiB. LD is no power of two, so that columns fall into different cache sets. */
enum { LD = 1032, ROWS = 1024, RANK = 64, MOST_COLUMNS = 8192 };

/* Does a piece of work, which takes some milliseconds, and returns how much it was. */
typedef double (*kernel)(void *state);

static double best_of_trials(rl_calibration *c, kernel call, void *state) {
    double best = 0;
    call(state);                              /* warms up the caches */
    for (int i = 0; i < 2 * RL_TRIALS; i++) { /* short ones */
        double amount = 0, seconds = 0;
        const double start = rl_seconds(), worked = rl_processor_seconds();
        for (; seconds < RL_TRIAL_SECONDS; seconds = rl_seconds() - start) amount += call(state);
        c->clock += seconds;
        c->processor += rl_processor_seconds() - worked;
        best = fmax(best, amount / seconds);
    }
    return best;
}

/* *rate: how much of a kernel a rank does per second. `alone`: rank 0, while the others sleep; else on average, while
 * all do the same. */
static rl_status measure_kernel(rl_calibration *c, kernel call, void *state, bool alone, double *rate) {
    RL_TRY(rl_context_wait(c->context));
    *rate = !alone || c->context->rank == 0 ? best_of_trials(c, call, state) : 0;
    RL_TRY(rl_context_wait(c->context));
    RL_TRY(rl_context_sum(c->context, rate, 1));
    if (!alone) *rate /= c->ranks;
    return RL_OK;
}

/* Draws as cases do: features by columns, and for the targets whole rows of them. */
static double draw_normals(void *state) {
    enum { COUNT = 1 << 15, BLOCK = 64 };
    const rl_key key = {{1, 2}};
    double *out = state;
    for (uint32_t i = 0; i < COUNT / BLOCK; i++)
        rl_philox_normal_column(key, RL_STREAM_FEATURES, 0, i * BLOCK, 3, BLOCK, out);
    for (uint32_t i = 0; i < COUNT / MOST_COLUMNS; i++)
        rl_philox_normal_row(key, RL_STREAM_FEATURES, 0, i, 0, MOST_COLUMNS, out);
    return 2.0 * COUNT;
}

/* Arrays of the next two kernels, large enough for all sizes. */
typedef struct operands {
    double *a, *x, *y;
    int rows, columns; /* of a for dgemv, or of vectors */
} operands;

/* A matrix times a vector and its transpose times a vector, as in a reduction to bidiagonal form, where a column begins
 * anywhere. */
static double multiply_vectors(void *state) {
    enum { LEAST = 1 << 17 }; /* numbers to read: the clock takes time, too */
    const operands *o = state;
    double read = 0;
    for (; read < LEAST; read += 2.0 * o->rows * o->columns) {
        rl_gemv('N', o->rows, o->columns, 1, o->a + 1, LD, o->x, 0, o->y);
        rl_gemv('T', o->rows, o->columns, 1, o->a + 1, LD, o->y, 0, o->x);
    }
    return read * sizeof(double);
}

static double multiply_matrices(void *state) {
    const operands *o = state;
    double *const b = o->a + (size_t)LD * RANK, *const c = b + (size_t)LD * ROWS;
    rl_gemm('N', 'N', ROWS, ROWS, RANK, 1, o->a, LD, b, LD, 1, c, LD);
    return 2.0 * ROWS * ROWS * RANK;
}

static double multiply_panels(void *state) {
    const operands *o = state;
    return rl_multiply_panels(ROWS, LD, o->a);
}

/* Few vectors at once, as Lanczos takes them through a triangle on a grid: by blocks of its columns and of its rows.
 * Gives the bytes of the matrices. */
enum { FEW = 48, FEWEST = 4 };
static double multiply_few(void *state) {
    const operands *o = state;
    const int n = o->columns;
    double *const x = o->a + (size_t)LD * ROWS, *const y = x + (size_t)LD * FEW;
    rl_gemm('N', 'N', ROWS, n, RANK, 1, o->a, LD, x, LD, 1, y, LD);
    rl_gemm('T', 'N', RANK, n, ROWS, 1, o->a, LD, x, LD, 1, y, LD);
    rl_gemm('N', 'N', RANK, n, ROWS, 1, o->a, LD, x, LD, 1, y, LD);
    rl_gemm('T', 'N', ROWS, n, RANK, 1, o->a, LD, x, LD, 1, y, LD);
    return 4.0 * ROWS * RANK * sizeof(double);
}

/* With a block of a triangle's diagonal, from either side. */
static double solve_triangles(void *state) {
    const operands *o = state;
    const int order = RANK, few = FEW, ld = LD;
    const double unit = 1;
    double *const x = o->a + (size_t)LD * RANK;
    for (int i = 0; i < RANK; i++) o->a[(size_t)i * (LD + 1)] = 1;
    dtrsm_("L", "U", "T", "N", &order, &few, &unit, o->a, &ld, x, &order, 1, 1, 1, 1);
    dtrsm_("L", "U", "N", "N", &order, &few, &unit, o->a, &ld, x, &order, 1, 1, 1, 1);
    return 2.0 * RANK * RANK * FEW;
}

/* Eigenvalues of second differences. */
static double find_eigenvalues(void *state) {
    enum { ORDER = 64 };
    const int order = ORDER;
    double diagonal[ORDER], beside[ORDER];
    int info;
    (void)state;
    for (int i = 0; i < ORDER; i++) {
        diagonal[i] = 2;
        beside[i] = -1;
    }
    dsterf_(&order, diagonal, beside, &info);
    return (double)ORDER * ORDER;
}

/* An autoencoder with two hidden dimensions and its inputs, and what sums over its outputs need. */
typedef struct outputs_work {
    rl_autoencoder model;
    rl_sparse_rows rows;
    rl_autoencoder_buffers buffers;
    double *parameters, *gradient;
} outputs_work;

static double sum_outputs(void *state) {
    const outputs_work *w = state;
    double loss;
    rl_autoencoder_gradient(w->parameters, &w->rows, &w->buffers, &loss, w->gradient);
    return rl_outputs_flops(&w->model);
}

/* The inputs anew. */
static double draw_words(void *state) {
    enum { WORDS = 4 };
    outputs_work *w = state;
    const rl_key key = {{1, 2}};
    rl_inputs_redraw(&w->model, key, 0, RL_INPUTS_TRAIN, 0, &w->rows);
    return (double)w->rows.n_rows * w->model.n_features / WORDS;
}

static void list_outputs(rl_arena *arena, void *object) {
    outputs_work *const w = object;
    const int stride = rl_parameter_stride(w->model.n_features);
    RL_TAKE_REALS(arena, (w->model.n_hidden + 1) * stride, &w->parameters, &w->gradient);
    rl_autoencoder_list_buffers(arena, &w->buffers);
}

static rl_status measure_outputs(rl_calibration *c) {
    enum { FEATURES = 10000, EXAMPLES = 100, HIDDEN = 2 };
    const rl_key key = {{1, 2}};
    outputs_work w = {.model = {.n_features = FEATURES, .n_hidden = HIDDEN, .n_train = EXAMPLES, .sparsity = 0.999},
                      .buffers = {.n_hidden = HIDDEN, .n_rows = EXAMPLES}};
    rl_status status = rl_arrays_create(&w, list_outputs);
    if (status == RL_OK) status = rl_inputs_draw(&w.model, key, 0, RL_INPUTS_TRAIN, 0, EXAMPLES, &w.rows);
    status = rl_context_agree(c->context, status);
    if (status == RL_OK) {
        rl_philox_normal_row(key, RL_STREAM_WEIGHTS, 0, 0, 0, HIDDEN * FEATURES, w.parameters);
        status = measure_kernel(c, sum_outputs, &w, false, &c->rates.outputs);
        if (status == RL_OK) status = measure_kernel(c, draw_words, &w, false, &c->rates.words);
    }
    rl_sparse_rows_destroy(&w.rows);
    rl_free(w.parameters);
    return status;
}

static rl_status measure_reading(rl_calibration *c, operands *o) {
    enum { LONG = ROWS - 1 };
    static const int shapes[][2] = {{20, 20},     {LONG, 128},  {LONG, 512},         {LONG, 1024},
                                    {LONG, 2048}, {LONG, 4096}, {LONG, MOST_COLUMNS}};
    rl_rate_table *table = &c->rates.gemv;
    table->n = sizeof shapes / sizeof *shapes;
    for (int i = 0; i < table->n; i++) {
        o->rows = shapes[i][0];
        o->columns = shapes[i][1];
        table->size[i] = (double)o->rows * o->columns * sizeof(double);
        RL_TRY(measure_kernel(c, multiply_vectors, o, false, &table->rate[i]));
    }
    return measure_kernel(c, multiply_vectors, o, true, &c->rates.gemv_alone);
}

static void list_operands(rl_arena *arena, void *object) {
    operands *o = object;
    RL_TAKE(arena, o->a, (size_t)LD * MOST_COLUMNS);
    RL_TAKE(arena, o->x, MOST_COLUMNS);
    RL_TAKE(arena, o->y, LD);
}

/* A byte of a matrix takes the longer, the more vectors there are, and some time even of none. */
static rl_status measure_products_of_few(rl_calibration *c, operands *o) {
    static const int vectors[] = {FEW, FEWEST};
    const double flops = 2.0 / sizeof(double), least = 0.01; /* of a vector and a byte; part of what a few take */
    double seconds[2];
    for (int i = 0; i < 2; i++) {
        double rate;
        o->columns = vectors[i];
        RL_TRY(measure_kernel(c, multiply_few, o, false, &rate));
        seconds[i] = 1 / rate;
    }
    const double each = fmax((seconds[0] - seconds[1]) / (FEW - FEWEST), least * seconds[0] / FEW);
    c->rates.narrow = flops / each;
    c->rates.packing = 1 / fmax(seconds[1] - FEWEST * each, least * seconds[1]);
    return RL_OK;
}

/* What Lanczos takes on a triangle that a grid shares. */
static rl_status measure_lanczos(rl_calibration *c, operands *o) {
    double eigenvalues = 0;
    RL_TRY(measure_products_of_few(c, o));
    RL_TRY(measure_kernel(c, solve_triangles, o, false, &c->rates.triangles));
    RL_TRY(measure_kernel(c, find_eigenvalues, NULL, false, &eigenvalues));
    c->rates.tridiagonal = 1 / eigenvalues;
    return RL_OK;
}

static rl_status measure_kernels(rl_calibration *c) {
    operands o;
    rl_status status = rl_context_agree(c->context, rl_arrays_create(&o, list_operands));
    if (status == RL_OK) status = measure_kernel(c, draw_normals, o.x, false, &c->rates.normals);
    if (status == RL_OK) status = measure_kernel(c, multiply_matrices, &o, false, &c->rates.gemm);
    if (status == RL_OK) status = measure_lanczos(c, &o);
    if (status == RL_OK) status = measure_kernel(c, multiply_panels, &o, false, &c->rates.panels);
    if (status == RL_OK) status = measure_reading(c, &o);
    rl_free(o.a);
    return status == RL_OK ? measure_outputs(c) : status;
}

/* The part of a core that ranks got in their trials so far, on average; collective. */
static rl_status find_share(const rl_calibration *c, double *share) {
    double sums[] = {c->processor, c->clock};
    RL_TRY(rl_context_sum(c->context, sums, 2));
    *share = sums[0] / sums[1];
    return RL_OK;
}

/* Rates of a machine that does something else, too, would make every prediction too long. */
static rl_status check_quiet(const rl_calibration *c) {
    double share;
    RL_TRY(find_share(c, &share));
    if (share >= RL_QUIET_SHARE) return RL_OK;
    if (!c->settings->force)
        return rl_fail(RL_ERR_INPUT,
                       "bench calibrate: this machine is busy: ranks got %.0f %% of a core; measure again when it is "
                       "idle, or with --force keep rates that are too low",
                       100 * share);
    if (c->context->rank == 0)
        rl_warn("this machine is busy: ranks got %.0f %% of a core; the rates are too low", 100 * share);
    return RL_OK;
}

rl_status rl_calibrate_kernels(rl_calibration *c) {
    RL_TRY(measure_kernels(c));
    return check_quiet(c);
}

/* Others may have come since. */
rl_status rl_calibrate_again(rl_calibration *c) {
    double again, block[1 << 13];
    c->clock = c->processor = 0;
    RL_TRY(measure_kernel(c, draw_normals, block, false, &again));
    c->rates.normals = fmax(c->rates.normals, again);
    return check_quiet(c);
}
