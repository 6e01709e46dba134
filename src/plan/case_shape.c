#include "case_shape.h"

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* As rl_process_grid_shape of `distributed`. */
static void shape_grid(rl_case_shape *s) {
    s->grid_rows = 1;
    for (int64_t rows = 2; rows <= s->ranks / rows; rows++)
        if (s->ranks % rows == 0) s->grid_rows = rows;
    s->grid_columns = s->ranks / s->grid_rows;
}

static void shape_curve(const rl_case_sizes *c, rl_case_shape *s) {
    s->rows = c->n_features;
    s->columns = least(c->n_train, c->n_features);
    s->left = c->n_train - s->columns + c->n_test + 1 + c->n_population;
}

static void shape_spectrum(const rl_case_sizes *c, rl_case_shape *s) {
    s->z_rows = c->n_test + c->n_population + 1;
    s->wide = c->n_train < c->n_features;
    s->rows = most(c->n_train, c->n_features);
    s->columns = least(c->n_train, c->n_features);
    s->left = s->wide ? s->z_rows : RL_CASE_TARGETS;
    s->right = s->wide ? RL_CASE_TARGETS : s->z_rows;
    s->qr_first = 10 * s->rows > 11 * s->columns || (c->way == RL_CASE_PDGESVD && s->rows > s->columns);
}

rl_case_shape rl_case_shape_of(const rl_case_sizes *c, int64_t ranks) {
    rl_case_shape s = {.block = c->block, .ranks = ranks};
    shape_grid(&s);
    if (c->way == RL_CASE_CURVE)
        shape_curve(c, &s);
    else
        shape_spectrum(c, &s);
    return s;
}

int64_t rl_share(int64_t n, int64_t block, int64_t processes) {
    const int64_t blocks = n / block;
    return blocks / processes * block + (blocks % processes > 0 ? block : n % block);
}

/* No multiple of 64: see rl_block_matrix. */
static int64_t leading_dimension(int64_t rows) {
    const int64_t ld = most(rows, 1);
    return ld % 64 == 0 ? ld + 8 : ld;
}

/* Saturates: what does not fit is above every limit. */
static int64_t product(int64_t a, int64_t b) {
    int64_t result;
    return __builtin_mul_overflow(a, b, &result) ? INT64_MAX : result;
}

static int64_t sum(int64_t a, int64_t b) {
    int64_t result;
    return __builtin_add_overflow(a, b, &result) ? INT64_MAX : result;
}

int64_t rl_local_elements(const rl_case_shape *s, int64_t rows, int64_t columns) {
    return product(leading_dimension(rl_share(rows, s->block, s->grid_rows)),
                   rl_share(columns, s->block, s->grid_columns));
}

int64_t rl_dealt_elements(const rl_case_shape *s, int64_t rows, int64_t columns) {
    return rows == 0 ? 0 : product(leading_dimension((rows - 1) / s->ranks + 1), columns);
}

/* Rows and columns of the bordered matrix that a rank has, together. */
static int64_t edges(const rl_case_shape *s) {
    return rl_share(s->rows + s->right, s->block, s->grid_rows) +
           rl_share(s->columns + s->left, s->block, s->grid_columns);
}

/* See rl_panels_create, rl_alloc_work and pdgesvd.c of `distributed`. */
enum { SLACK = 4096 };

int64_t rl_panel_work(const rl_case_shape *s) {
    return sum(product(s->block, edges(s) + 4 * s->block), SLACK);
}

int64_t rl_bidiagonal_work(const rl_case_shape *s) {
    return sum(product(s->block, edges(s) + 2 * s->block), SLACK);
}

int64_t rl_pdgesvd_work(const rl_case_shape *s) {
    const int64_t n = s->columns, vectors = product(2 * n, (n - 1) / s->ranks + 1);
    return sum(vectors, sum(6 * n, most(4 * n, rl_bidiagonal_work(s))));
}

int64_t rl_pdgesvd_work_bound(const rl_case_shape *s) {
    const int64_t n = s->columns, vectors = product(2 * n, (n - 1) / s->ranks + 1);
    return sum(vectors, sum(16 * n, product(4 * s->block, 2 * n + s->block)));
}
