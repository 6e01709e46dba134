/* Products of a large matrix with narrow ones, for registers of LANES doubles: PASS and LEFT are the kernels' names.
 * Loops over tiles that fill the registers; the compiler keeps them there. */
#include <stddef.h>

#include "../../clones.h"
#include "../../numbers.h"
#include "narrow.h"

typedef double vec __attribute__((vector_size(LANES * sizeof(double)), aligned(8), may_alias));

enum {
    DEEP = RL_NARROW_DEEP,
    ROWS = DEEP * LANES, /* of a tile of C, in DEEP registers */
    COLUMNS = LANES,     /* of a tile of C that is subtracted from, of the product that is added to */
    CHUNK = 128,         /* columns of C that are multiplied before the next rows: ROWS of them fit the first cache */
    ACROSS = RL_NARROW_ACROSS, /* columns of C that are multiplied from the left at a time */
    TALL = LANES / 2,          /* registers of rows of such a product */
    RUN = 384,                 /* rows of C that are multiplied before the next columns */
    LINE = 8                   /* doubles in a line of the cache */
};

#define UNROLLED _Pragma("GCC unroll 8")

static inline vec *at(double *x) {
    return (vec *)x;
}

static inline vec load(const double *x) {
    return *(const vec *)x;
}

/* C [ROWS, COLUMNS] -= packed^T right */
RL_INLINED void subtract(int k, const double *packed, const double *right, double *c, size_t ld) {
    vec sums[DEEP][COLUMNS];
    UNROLLED for (int j = 0; j < COLUMNS; j++) UNROLLED for (int x = 0; x < DEEP; x++) sums[x][j] =
        load(c + (size_t)j * ld + x * LANES);
    for (int i = 0; i < k; i++) {
        vec left[DEEP];
        UNROLLED for (int x = 0; x < DEEP; x++) left[x] = load(packed + i * ROWS + x * LANES);
        UNROLLED for (int j = 0; j < COLUMNS; j++) UNROLLED for (int x = 0; x < DEEP; x++) sums[x][j] -=
            left[x] * right[j * k + i];
    }
    UNROLLED for (int j = 0; j < COLUMNS; j++) UNROLLED for (int x = 0; x < DEEP; x++) *
        at(c + (size_t)j * ld + x * LANES) = sums[x][j];
}

/* product [ROWS, COLUMNS] += C [ROWS, n] factor^T, factor [COLUMNS, n] of `factors` rows */
RL_INLINED void multiply(int n, const double *c, size_t ld, const double *factor, size_t factors, double *product,
                         size_t ld_product) {
    vec sums[DEEP][COLUMNS];
    UNROLLED for (int l = 0; l < COLUMNS; l++) UNROLLED for (int x = 0; x < DEEP; x++) sums[x][l] =
        load(product + (size_t)l * ld_product + x * LANES);
    for (int j = 0; j < n; j++) {
        vec column[DEEP];
        UNROLLED for (int x = 0; x < DEEP; x++) column[x] = load(c + (size_t)j * ld + x * LANES);
        UNROLLED for (int l = 0; l < COLUMNS; l++) UNROLLED for (int x = 0; x < DEEP; x++) sums[x][l] +=
            column[x] * factor[(size_t)j * factors + (size_t)l];
    }
    UNROLLED for (int l = 0; l < COLUMNS; l++) UNROLLED for (int x = 0; x < DEEP; x++) *
        at(product + (size_t)l * ld_product + x * LANES) = sums[x][l];
}

/* Tiles of rows, each with its elements of a row of left side by side. */
static void pack(const rl_narrow *p, int row, int end) {
    for (int i = row; i < end; i++) {
        double *to = p->packed + (size_t)((i - row) / ROWS) * (size_t)(ROWS * p->k) + (i - row) % ROWS;
        for (int l = 0; l < p->k; l++) to[l * ROWS] = p->left[(size_t)i * (size_t)p->k + (size_t)l];
    }
}

/* Asks for columns [begin, end) of the rows that come next. */
RL_INLINED void fetch(const double *next, size_t ld, int begin, int end) {
    for (int j = begin; j < end; j++)
        for (int i = 0; i < ROWS; i += LINE) __builtin_prefetch(next + (size_t)j * ld + i, 0, 2);
}

/* Rows [row, row + ROWS) of columns [column, column + n); `next` is what comes after them. */
RL_INLINED void pass_tile(const rl_narrow *p, int row, int column, int n, const double *packed, const double *next) {
    const size_t ld = (size_t)p->ld;
    double *const c = p->c + (size_t)column * ld + row;
    if (p->left != NULL)
        for (int j = 0; j < n; j += COLUMNS) {
            fetch(next, ld, j, j + COLUMNS);
            subtract(p->k, packed, p->right + (size_t)(column + j) * (size_t)p->k, c + (size_t)j * ld, ld);
        }
    if (p->factor == NULL) return;
    for (int l = 0; l < p->factors; l += COLUMNS) {
        if (p->left == NULL)
            fetch(next, ld, (int)((int64_t)l * n / p->factors), (int)((int64_t)(l + COLUMNS) * n / p->factors));
        multiply(n, c, ld, p->factor + (size_t)column * (size_t)p->factors + l, (size_t)p->factors,
                 p->product + (size_t)l * (size_t)p->ld_product + row, (size_t)p->ld_product);
    }
}

void PASS(const rl_narrow *p, int m, int n) {
    for (int row = 0; row < m; row += RL_NARROW_ROWS) {
        const int end = rl_smaller(row + RL_NARROW_ROWS, m);
        if (p->left != NULL) pack(p, row, end);
        for (int column = 0; column < n; column += CHUNK) {
            const int width = rl_smaller((int)CHUNK, n - column);
            for (int i = row; i < end; i += ROWS) {
                const double *here = p->c + (size_t)column * (size_t)p->ld + i;
                const double *next = i + ROWS < end ? here + ROWS : here;
                if (i + ROWS >= end && n - column >= 2 * CHUNK)
                    next = p->c + (size_t)(column + CHUNK) * (size_t)p->ld + row;
                pass_tile(p, i, column, width, p->packed + (size_t)(i - row) * (size_t)p->k, next);
            }
        }
    }
}

/* out [TALL registers, ACROSS] += left C for some of the rows of left, C [m, ACROSS]; asks for columns to come. */
RL_INLINED void multiply_left(int m, size_t k, const double *left, const double *c, size_t ld, const double *next,
                              double *out) {
    vec sums[TALL][ACROSS];
    UNROLLED for (int j = 0; j < ACROSS; j++) UNROLLED for (int x = 0; x < TALL; x++) sums[x][j] =
        load(out + (size_t)j * k + x * LANES);
    for (int i = 0; i < m; i++) {
        vec row[TALL];
        UNROLLED for (int x = 0; x < TALL; x++) row[x] = load(left + (size_t)i * k + x * LANES);
        if (i % LINE == 0 && next != NULL)
            UNROLLED for (int j = 0; j < ACROSS; j++) __builtin_prefetch(next + (size_t)j * ld + i);
        UNROLLED for (int j = 0; j < ACROSS; j++) UNROLLED for (int x = 0; x < TALL; x++) sums[x][j] +=
            row[x] * c[(size_t)j * ld + (size_t)i];
    }
    UNROLLED for (int j = 0; j < ACROSS; j++) UNROLLED for (int x = 0; x < TALL; x++) *
        at(out + (size_t)j * k + x * LANES) = sums[x][j];
}

void LEFT(int m, int n, int k, const double *left, const double *c, int ld, double *out) {
    for (int row = 0; row < m; row += RUN)
        for (int j = 0; j < n; j += ACROSS) {
            const double *columns = c + (size_t)j * (size_t)ld + row;
            for (int l = 0; l < k; l += TALL * LANES) {
                const double *next = l == 0 && j + ACROSS < n ? columns + ACROSS * (size_t)ld : NULL;
                multiply_left(rl_smaller((int)RUN, m - row), (size_t)k, left + (size_t)row * (size_t)k + l, columns,
                              (size_t)ld, next, out + (size_t)j * (size_t)k + l);
            }
        }
}
