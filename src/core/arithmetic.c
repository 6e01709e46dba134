/* The arithmetic of this process: what decides the bits of numbers that go through BLAS. A library that rounds
 * otherwise without saying so, or a C library with other logarithms, shows in the bits of a few products: the probe. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../lapack.h"
#include "ridgeless/context.h"

/* ---- the library ------------------------------------------------------------------------------------------------- */

#if defined(RL_OPENBLAS)

#include <cblas.h>

/* "OpenBLAS 0.3.21" of "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..."; older ones begin otherwise. */
static rl_status name_library(rl_text *text) {
    const char *config = openblas_get_config();
    static const char name[] = "OpenBLAS ";
    const bool has_version = strncmp(config, name, strlen(name)) == 0;
    const int length = has_version ? (int)(strlen(name) + strcspn(config + strlen(name), " ")) : (int)strlen(name) - 1;
    return rl_text_append(text, "%.*s %s (%d thread%s", length, has_version ? config : name, openblas_get_corename(),
                          openblas_get_num_threads(), rl_plural(openblas_get_num_threads()));
}

#elif defined(RL_FLEXIBLAS)

int flexiblas_get_num_threads(void);
int flexiblas_current_backend(char *name, size_t size);

static rl_status name_library(rl_text *text) {
    char backend[64] = "";
    flexiblas_current_backend(backend, sizeof backend);
    return rl_text_append(text, "FlexiBLAS with %s (%d thread%s", backend, flexiblas_get_num_threads(),
                          rl_plural(flexiblas_get_num_threads()));
}

#else

static rl_status name_library(rl_text *text) {
    return rl_text_append(text, "a BLAS that does not tell its name (no threads known");
}

#endif

/* ---- the probe --------------------------------------------------------------------------------------------------- */

enum { ROWS = 64, COLUMNS = 48, LONG = 300, N_LOGARITHMS = 64 }; /* LONG: sums that kernels cut into parts */

typedef struct probe {
    double a[ROWS * LONG], b[LONG * COLUMNS], product[ROWS * COLUMNS];
    double along[LONG + ROWS], tau[COLUMNS], work[COLUMNS * 64], logarithms[3 * N_LOGARITHMS], dot;
} probe;

static void fill_numbers(size_t n, uint64_t *state, double *numbers) {
    for (size_t i = 0; i < n; i++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        numbers[i] = (double)(*state >> 11) * 0x1p-53 - 0.5;
    }
}

static rl_status compute_probe(probe *p) {
    const int m = ROWS, n = COLUMNS, k = LONG, one = 1, n_work = sizeof p->work / sizeof *p->work;
    const double unit = 1, zero = 0;
    uint64_t state = 1;
    int info;
    fill_numbers(ROWS * LONG, &state, p->a);
    fill_numbers(LONG * COLUMNS, &state, p->b);
    dgemm_("N", "N", &m, &n, &k, &unit, p->a, &m, p->b, &k, &zero, p->product, &m, 1, 1);
    dgemv_("T", &m, &k, &unit, p->a, &m, p->product, &one, &zero, p->along, &one, 1);
    dgemv_("N", &m, &k, &unit, p->a, &m, p->b, &one, &zero, p->along + LONG, &one, 1);
    p->dot = ddot_(&k, p->b, &one, p->b + LONG, &one);
    dgeqrf_(&m, &n, p->product, &m, p->tau, p->work, &n_work, &info);
    for (int i = 0; i < N_LOGARITHMS; i++) {
        p->logarithms[3 * i] = log(1.5 + p->b[i]);
        p->logarithms[3 * i + 1] = exp(8 * p->b[i]);
        p->logarithms[3 * i + 2] = log1p(p->b[i]);
    }
    memset(p->work, 0, sizeof p->work);
    return rl_lapack_check("dgeqrf", info);
}

/* FNV-1a, folded. */
static uint32_t hash_bytes(const void *bytes, size_t n) {
    const unsigned char *at = bytes;
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < n; i++) hash = (hash ^ at[i]) * 1099511628211u;
    return (uint32_t)(hash ^ hash >> 32);
}

rl_status rl_context_arithmetic(char text[RL_ARITHMETIC_TEXT]) {
    rl_text name = RL_TEXT_EMPTY;
    probe *p;
    RL_TRY(RL_ALLOC(p, 1));
    rl_status status = compute_probe(p);
    if (status == RL_OK) status = name_library(&name);
    if (status == RL_OK)
        snprintf(text, RL_ARITHMETIC_TEXT, "%.*s; probe %08x)", RL_ARITHMETIC_TEXT - 20, name.bytes,
                 hash_bytes(p, sizeof *p));
    rl_free(name.bytes);
    rl_free(p);
    return status;
}
