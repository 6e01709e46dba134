#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ridgeless/core.h"

enum { ALIGNMENT = 64 };
static const size_t large = (size_t)1 << 30;

/* The system promises more memory than it has, and kills a process, often another one, when the promise is due. */
static rl_status check_available(size_t bytes) {
    const int64_t available = bytes >= large ? rl_memory_available() : 0;
    if (available == 0 || bytes <= (size_t)available) return RL_OK;
    return rl_fail(RL_ERR_MEMORY, "out of memory: could not allocate %zu bytes, there are %lld", bytes,
                   (long long)available);
}

rl_status rl_alloc(void *pointer, size_t count, size_t size) {
    size_t bytes;
    void *memory = NULL;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - ALIGNMENT)
        return rl_fail(RL_ERR_MEMORY, "out of memory: %zu items of %zu bytes are more than can be addressed", count,
                       size);
    bytes = bytes == 0 ? ALIGNMENT : (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    RL_TRY(check_available(bytes));
    memory = aligned_alloc(ALIGNMENT, bytes);
    if (memory == NULL) return rl_fail(RL_ERR_MEMORY, "out of memory: could not allocate %zu bytes", bytes);
    memset(memory, 0, bytes);
    memcpy(pointer, &memory, sizeof memory); /* the caller's pointer may have any type */
    return RL_OK;
}

void rl_free(void *memory) {
    free(memory);
}

rl_status rl_strdup(char **copy, const char *text) {
    const size_t bytes = strlen(text) + 1;
    RL_TRY(rl_alloc(copy, bytes, 1));
    memcpy(*copy, text, bytes);
    return RL_OK;
}

double rl_peak_memory(void) {
    char line[256];
    long long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmHWM: %lld kB", &kib) == 1) break;
    if (file != NULL) fclose(file);
    return 1024.0 * (double)kib;
}

/* What is free goes back first: it would count. */
void rl_forget_peak_memory(void) {
    malloc_trim(0);
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file == NULL) return;
    fputs("5", file);
    fclose(file);
}
