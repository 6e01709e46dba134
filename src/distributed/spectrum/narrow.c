/* Products of a large matrix with narrow ones: which part goes to the kernels, and which to BLAS. */
#include "narrow.h"

#include <string.h>

#include "../../numbers.h"
#include "../../registers.h"
#include "../../vectors.h"
#include "ridgeless/distributed.h"

/* What goes to BLAS does not depend on the registers, so that no bit does. */
enum { WIDEST = 8, LEFT_TOGETHER = WIDEST / 2 * WIDEST };

static void call_pass(int lanes, const rl_narrow *p, int m, int n) {
#ifdef RL_WIDE
    (lanes == 8 ? rl_narrow_pass_8 : rl_narrow_pass_4)(p, m, n);
#else
    (void)lanes, (void)p, (void)m, (void)n;
#endif
}

static void call_left(int lanes, int m, int n, int k, const double *left, const double *c, int ld, double *out) {
#ifdef RL_WIDE
    (lanes == 8 ? rl_narrow_left_8 : rl_narrow_left_4)(m, n, k, left, c, ld, out);
#else
    (void)lanes, (void)m, (void)n, (void)k, (void)left, (void)c, (void)ld, (void)out;
#endif
}

/* The part of a pass that rows [row, end) of columns [column, n) take; products are added to those of the columns
 * before. */
static void pass_by_blas(const rl_narrow *p, int row, int end, int column) {
    const int m = end - row, n = p->n - column;
    const size_t first = (size_t)column;
    double *const c = p->c + first * (size_t)p->ld + row;
    if (m == 0 || (n == 0 && column > 0)) return;
    for (const rl_narrow_term *t = p->terms; t < p->terms + RL_NARROW_TERMS; t++)
        if (t->k > 0 && n > 0)
            rl_gemm('T', 'N', m, n, t->k, -1, t->left + (size_t)row * (size_t)t->k, t->k,
                    t->right + first * (size_t)t->k, t->k, 1, c, p->ld);
    if (p->factor != NULL)
        rl_gemm('N', 'T', m, p->factors, n, 1, c, p->ld, p->factor + first * (size_t)p->factors, p->factors, column > 0,
                p->product + row, p->ld_product);
}

/* Rows in whole registers: rounded up if the matrices have room for that. */
static int whole_rows(const rl_narrow *p) {
    const bool has_room = p->ld > p->m && (p->factor == NULL || p->ld_product > p->m);
    return (has_room ? p->m + WIDEST - 1 : p->m) / WIDEST * WIDEST;
}

void rl_narrow_pass(const rl_narrow *p, int max_lanes) {
    const int lanes = rl_fused_lanes(max_lanes);
    const int m = whole_rows(p), n = p->n / WIDEST * WIDEST;
    if (p->terms[0].k + p->terms[1].k == 0 && p->factor == NULL) return;
    if (lanes == 2 || m == 0 || n == 0 || (p->factor != NULL && p->factors % WIDEST != 0)) {
        pass_by_blas(p, 0, p->m, 0);
        return;
    }
    if (p->factor != NULL)
        for (int l = 0; l < p->factors; l++)
            memset(p->product + (size_t)l * (size_t)p->ld_product, 0, (size_t)m * sizeof(double));
    call_pass(lanes, p, m, n);
    pass_by_blas(p, 0, rl_smaller(m, p->m), n);
    pass_by_blas(p, rl_smaller(m, p->m), p->m, 0);
}

void rl_narrow_left(int m, int n, int k, const double *left, const double *c, int ld, double *out, int max_lanes) {
    const int lanes = rl_fused_lanes(max_lanes);
    const int done = lanes > 2 && k % LEFT_TOGETHER == 0 ? n / RL_NARROW_ACROSS * RL_NARROW_ACROSS : 0;
    const size_t first = (size_t)done;
    memset(out, 0, first * (size_t)k * sizeof(double));
    if (done > 0) call_left(lanes, m, done, k, left, c, ld, out);
    if (n > done)
        rl_gemm('N', 'N', k, n - done, m, 1, left, k, c + first * (size_t)ld, ld, 0, out + first * (size_t)k, k);
}

double rl_multiply_panels(int n, int ld, double *work) {
    enum { WIDTH = 64 };
    const size_t panel = (size_t)WIDTH * (size_t)n;
    double *const left = work + (size_t)n * (size_t)ld, *const right = left + panel, *const factor = right + panel;
    double *const product = factor + panel;
    const rl_narrow_term term = {WIDTH, left, right};
    const rl_narrow pass = {.m = n,
                            .n = n,
                            .ld = ld,
                            .c = work,
                            .terms = {term, term},
                            .packed = product + panel,
                            .factors = WIDTH,
                            .factor = factor,
                            .product = product,
                            .ld_product = n};
    rl_narrow_left(n, n, WIDTH, left, work, ld, right, 0);
    rl_narrow_pass(&pass, 0);
    return 4 * 2.0 * n * n * WIDTH;
}
