/* Products of a large matrix with narrow ones, for registers of LANES doubles: PASS and LEFT are the kernels' names.
 * Loops over tiles that fill the registers; the compiler keeps them there. */
#include <stddef.h>

#include "../../clones.h"
#include "../../numbers.h"
#include "narrow.h"

typedef double vec __attribute__((vector_size(LANES * sizeof(double)), aligned(8), may_alias));

enum {
    DEEP = RL_NARROW_DEEP,
    ROWS = DEEP * LANES, /* of a tile of C, in DEEP registers; the last one may have fewer */
    COLUMNS = LANES,     /* of a tile of C that is subtracted from, of the product that is added to */
    CHUNK = 128,         /* columns of C that are multiplied before the next rows: ROWS of them fit the first cache */
    ACROSS = RL_NARROW_ACROSS, /* columns of C that are multiplied from the left at a time */
    TALL = LANES / 2,          /* registers of rows of such a product */
    RUN = 768,                 /* rows of C that are multiplied before the next columns */
    LINE = 8                   /* doubles in a line of the cache */
};

#define UNROLLED _Pragma("GCC unroll 8")

static inline vec *at(double *x) {
    return (vec *)x;
}

static inline vec load(const double *x) {
    return *(const vec *)x;
}

/* Memory is asked for little by little between multiplications, a column at a time: all at once it would keep them
 * waiting. */
RL_INLINED void fetch(const double *column) {
    for (int i = 0; i < ROWS; i += LINE) __builtin_prefetch(column + i);
}

/* sums -= packed^T right for rows [begin, end) of both. */
RL_INLINED void subtract_rows(int deep, int begin, int end, int k, const double *packed, const double *right,
                              vec sums[DEEP][COLUMNS]) {
    for (int i = begin; i < end; i++) {
        vec left[DEEP];
        UNROLLED for (int x = 0; x < deep; x++) left[x] = load(packed + i * ROWS + x * LANES);
        UNROLLED for (int j = 0; j < COLUMNS; j++) UNROLLED for (int x = 0; x < deep; x++) sums[x][j] -=
            left[x] * right[j * k + i];
    }
}

static int count_terms(const rl_narrow *p) {
    return p->terms[0].k + p->terms[1].k;
}

/* C [deep registers, COLUMNS] -= packed^T right for both terms, right from `column` on; asks for as many columns at
 * `next`, one every `step` rows of both factors. */
RL_INLINED void subtract(const rl_narrow *p, int deep, int column, const double *packed, double *c,
                         const double *next) {
    const size_t ld = (size_t)p->ld;
    const int step = (count_terms(p) - 1) / COLUMNS + 1;
    vec sums[DEEP][COLUMNS];
    int fetched = 0;
    UNROLLED for (int j = 0; j < COLUMNS; j++) UNROLLED for (int x = 0; x < deep; x++) sums[x][j] =
        load(c + (size_t)j * ld + x * LANES);
    for (int t = 0; t < RL_NARROW_TERMS; t++) {
        const int k = p->terms[t].k;
        const double *right = p->terms[t].right + (size_t)column * (size_t)k;
        for (int i = 0; i < k; i += step) {
            fetch(next + (size_t)(fetched++ % COLUMNS) * ld);
            subtract_rows(deep, i, rl_smaller(i + step, k), k, packed, right, sums);
        }
        packed += (size_t)k * ROWS;
    }
    UNROLLED for (int j = 0; j < COLUMNS; j++) UNROLLED for (int x = 0; x < deep; x++) *
        at(c + (size_t)j * ld + x * LANES) = sums[x][j];
}

/* sums += C factor^T for n columns of C, factor [COLUMNS, n] of `factors` rows. */
RL_INLINED void multiply_columns(int deep, int n, const double *c, size_t ld, const double *factor, size_t factors,
                                 vec sums[DEEP][COLUMNS]) {
    for (size_t j = 0; j < (size_t)n; j++) {
        vec column[DEEP];
        UNROLLED for (int x = 0; x < deep; x++) column[x] = load(c + j * ld + x * LANES);
        UNROLLED for (int l = 0; l < COLUMNS; l++) UNROLLED for (int x = 0; x < deep; x++) sums[x][l] +=
            column[x] * factor[j * factors + (size_t)l];
    }
}

/* product [deep registers, COLUMNS] += C factor^T for n columns of C; asks for `n_next` columns at `next`. */
RL_INLINED void multiply(const rl_narrow *p, int deep, int n, const double *c, const double *factor, double *product,
                         const double *next, int n_next) {
    const size_t ld = (size_t)p->ld, ld_product = (size_t)p->ld_product, factors = (size_t)p->factors;
    vec sums[DEEP][COLUMNS];
    int fetched = 0;
    UNROLLED for (int l = 0; l < COLUMNS; l++) UNROLLED for (int x = 0; x < deep; x++) sums[x][l] =
        load(product + (size_t)l * ld_product + x * LANES);
    for (size_t j = 0; j < (size_t)n; j += LINE) {
        if (fetched < n_next) fetch(next + (size_t)fetched++ * ld);
        multiply_columns(deep, rl_smaller((int)LINE, n - (int)j), c + j * ld, ld, factor + j * factors, factors, sums);
    }
    UNROLLED for (int l = 0; l < COLUMNS; l++) UNROLLED for (int x = 0; x < deep; x++) *
        at(product + (size_t)l * ld_product + x * LANES) = sums[x][l];
}

/* Tiles of rows, each with its elements of a row of left side by side: those of the first term, and of the second. Left
 * is zero in rows that C only has room for. */
static void pack(const rl_narrow *p, int row, int end) {
    size_t before = 0;
    for (const rl_narrow_term *t = p->terms; t < p->terms + RL_NARROW_TERMS; t++) {
        for (int i = row; i < end && t->k > 0; i++) {
            const double *from = t->left + (size_t)rl_smaller(i, p->m - 1) * (size_t)t->k;
            double *to = p->packed + (size_t)((i - row) / ROWS) * (size_t)(ROWS * count_terms(p)) + (i - row) % ROWS;
            for (size_t l = 0; l < (size_t)t->k; l++) to[(before + l) * ROWS] = i < p->m ? from[l] : 0;
        }
        before += (size_t)t->k;
    }
}

/* Some registers of rows from `row` on of columns [column, column + n); `next` is what comes after them. */
RL_INLINED void pass_tile(const rl_narrow *p, int deep, int row, int column, int n, const double *packed,
                          const double *next) {
    const size_t ld = (size_t)p->ld;
    const bool subtracts = count_terms(p) > 0;
    double *const c = p->c + (size_t)column * ld + row;
    for (int j = 0; j < n && subtracts; j += COLUMNS)
        subtract(p, deep, column + j, packed, c + (size_t)j * ld, next + (size_t)j * ld);
    if (p->factor == NULL) return;
    for (int l = 0; l < p->factors; l += COLUMNS) {
        const int begin = (int)((int64_t)l * n / p->factors), end = (int)((int64_t)(l + COLUMNS) * n / p->factors);
        multiply(p, deep, n, c, p->factor + (size_t)column * (size_t)p->factors + l,
                 p->product + (size_t)l * (size_t)p->ld_product + row, next + (size_t)begin * ld,
                 subtracts ? 0 : end - begin);
    }
}

/* Rows [row, end), one of several tiles or what is left. */
static void pass_rows(const rl_narrow *p, int row, int end, int column, int n, const double *packed,
                      const double *next) {
    if (end - row >= DEEP * LANES)
        pass_tile(p, DEEP, row, column, n, packed, next);
    else if (end - row >= 2 * LANES)
        pass_tile(p, 2, row, column, n, packed, next);
    else
        pass_tile(p, 1, row, column, n, packed, next);
}

void PASS(const rl_narrow *p, int m, int n) {
    const size_t k = (size_t)count_terms(p);
    for (int row = 0; row < m; row += RL_NARROW_ROWS) {
        const int end = rl_smaller(row + RL_NARROW_ROWS, m);
        pack(p, row, end);
        for (int column = 0; column < n; column += CHUNK) {
            const int width = rl_smaller((int)CHUNK, n - column);
            for (int i = row; i < end; i += ROWS) {
                const double *here = p->c + (size_t)column * (size_t)p->ld + i;
                const double *next = i + ROWS < end ? here + ROWS : here;
                if (i + ROWS >= end && n - column >= 2 * CHUNK)
                    next = p->c + (size_t)(column + CHUNK) * (size_t)p->ld + row;
                pass_rows(p, i, end, column, width, p->packed + (size_t)(i - row) * k, next);
            }
        }
    }
}

/* out [TALL registers, ACROSS] += left C for some of the rows of left, C [m, ACROSS]; asks for half as many columns at
 * `next`. */
RL_INLINED void multiply_left(int m, size_t k, const double *left, const double *c, size_t ld, const double *next,
                              double *out) {
    vec sums[TALL][ACROSS];
    UNROLLED for (int j = 0; j < ACROSS; j++) UNROLLED for (int x = 0; x < TALL; x++) sums[x][j] =
        load(out + (size_t)j * k + x * LANES);
    for (int i = 0; i < m; i++) {
        vec row[TALL];
        UNROLLED for (int x = 0; x < TALL; x++) row[x] = load(left + (size_t)i * k + x * LANES);
        if (i % LINE == 0 && next != NULL)
            UNROLLED for (int j = 0; j < ACROSS / 2; j++) __builtin_prefetch(next + (size_t)j * ld + i);
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
                const int ahead = l == 0 ? ACROSS : ACROSS + ACROSS / 2;
                const double *next = l <= TALL * LANES && j + ACROSS < n ? columns + (size_t)ahead * (size_t)ld : NULL;
                multiply_left(rl_smaller((int)RUN, m - row), (size_t)k, left + (size_t)row * (size_t)k + l, columns,
                              (size_t)ld, next, out + (size_t)j * (size_t)k + l);
            }
        }
}
