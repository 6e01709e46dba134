#include <stdlib.h>
#include <string.h>

#include "ridgeless/core.h"

enum { ALIGNMENT = 64 };

rl_status rl_alloc(void *pointer, size_t count, size_t size) {
    size_t bytes;
    void *memory = NULL;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - ALIGNMENT)
        return rl_fail(RL_ERR_MEMORY, "out of memory: %zu items of %zu bytes are more than can be addressed", count,
                       size);
    bytes = bytes == 0 ? ALIGNMENT : (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
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
