/* What MPI and BLAS say of themselves. No standard covers a BLAS here: OpenBLAS and
 * FlexiBLAS each have their own calls. FlexiBLAS hands each call of BLAS on to a library that is chosen when the
 * program starts, for example OpenBLAS. */
#include "ridgeless/context.h"

#if defined(RL_OPENBLAS)

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

static rl_status describe_blas(rl_text *text) {
    return rl_text_append(text, "%s, kernel %s, %d thread%s", openblas_get_config(), openblas_get_corename(),
                          openblas_get_num_threads(), rl_plural(openblas_get_num_threads()));
}

#if defined(__x86_64__)

/* Kernels that do without AVX2 and FMA. */
static bool is_kernel_of_old(const char *name) {
    static const char *const old[] = {"Prescott",  "Core2",       "Penryn",       "Dunnington", "Atom",
                                      "Nehalem",   "Opteron",     "Opteron_SSE3", "Barcelona",  "Bobcat",
                                      "Bulldozer", "Sandybridge", "Piledriver"};
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        if (strcmp(name, old[i]) == 0) return true;
    return false;
}

static const char *suiting_kernels(void) {
    if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) return "SkylakeX";
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? "Haswell" : NULL;
}

const char *rl_context_faster_kernels(void) {
    const char *wish = getenv("OPENBLAS_CORETYPE");
    if (wish != NULL && *wish != '\0') return NULL;
    return is_kernel_of_old(openblas_get_corename()) ? suiting_kernels() : NULL;
}

#else

const char *rl_context_faster_kernels(void) {
    return NULL;
}

#endif

#elif defined(RL_FLEXIBLAS)

/* Declared here, because installations differ in where its header is. */
int flexiblas_get_num_threads(void);
int flexiblas_current_backend(char *name, size_t size);
void flexiblas_get_version(int *major, int *minor, int *patch);

static rl_status describe_blas(rl_text *text) {
    char backend[128] = "";
    int major = 0, minor = 0, patch = 0;
    flexiblas_get_version(&major, &minor, &patch);
    flexiblas_current_backend(backend, sizeof backend);
    return rl_text_append(text, "FlexiBLAS %d.%d.%d, backend %s, %d thread%s", major, minor, patch, backend,
                          flexiblas_get_num_threads(), rl_plural(flexiblas_get_num_threads()));
}

const char *rl_context_faster_kernels(void) {
    return NULL;
}

#else

static rl_status describe_blas(rl_text *text) {
    return rl_text_append(text, "a BLAS that tells neither its name nor its threads");
}

const char *rl_context_faster_kernels(void) {
    return NULL;
}

#endif

rl_status rl_context_libraries(rl_text *mpi, rl_text *blas) {
    char version[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length;
    RL_MPI(MPI_Get_library_version(version, &length));
    RL_TRY(rl_text_append(mpi, "%s", version));
    return describe_blas(blas);
}
