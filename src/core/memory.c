/* Memory: aligned, zeroed, counted, and refused where the system has less. */
#include "memory.h"

#include <assert.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };
static const size_t large = (size_t)1 << 30;

/* The system promises more memory than it has, and kills a process, often another one, when the promise is due. */
static rl_status check_available(size_t bytes) {
    const int64_t available = bytes >= large ? rl_memory_available() : 0;
    if (available == 0 || bytes <= (size_t)available) return RL_OK;
    return rl_fail(RL_ERR_MEMORY, "out of memory: could not allocate %zu bytes, there are %lld", bytes,
                   (long long)available);
}

/* ---- what is allocated ------------------------------------------------------------------------------------------- */

/* In front of every piece of memory, as many bytes as its alignment. */
typedef struct header {
    size_t bytes; /* that follow */
    uint64_t mark;
} header;
static const uint64_t mark = 0x7269646765206c73;

static atomic_size_t allocated, peak_allocated;

static void count_allocated(size_t more) {
    const size_t now = atomic_fetch_add(&allocated, more) + more;
    size_t peak = atomic_load(&peak_allocated);
    while (now > peak && !atomic_compare_exchange_weak(&peak_allocated, &peak, now)) continue;
}

size_t rl_allocated(void) {
    return atomic_load(&allocated);
}

size_t rl_peak_allocated(void) {
    return atomic_load(&peak_allocated);
}

void rl_forget_peak_allocated(void) {
    atomic_store(&peak_allocated, atomic_load(&allocated));
}

static header *header_of(void *memory) {
    header *const h = (header *)((char *)memory - ALIGNMENT);
    assert(h->mark == mark); /* else it comes from somewhere else */
    return h;
}

static void *mark_memory(void *begin, size_t bytes) {
    *(header *)begin = (header){.bytes = bytes, .mark = mark};
    count_allocated(bytes);
    return (char *)begin + ALIGNMENT;
}

/* ---- allocation -------------------------------------------------------------------------------------------------- */

size_t rl_alloc_bytes(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - 2 * ALIGNMENT) return SIZE_MAX;
    return bytes == 0 ? ALIGNMENT : (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

rl_status rl_alloc(void *pointer, size_t count, size_t size) {
    const size_t bytes = rl_alloc_bytes(count, size);
    if (bytes == SIZE_MAX)
        return rl_fail(RL_ERR_MEMORY, "out of memory: %zu items of %zu bytes are more than can be addressed", count,
                       size);
    RL_TRY(check_available(bytes));
    void *const begin = aligned_alloc(ALIGNMENT, ALIGNMENT + bytes);
    if (begin == NULL) return rl_fail(RL_ERR_MEMORY, "out of memory: could not allocate %zu bytes", bytes);
    void *const memory = mark_memory(begin, bytes);
    memset(memory, 0, bytes);
    memcpy(pointer, &memory, sizeof memory); /* the caller's pointer may have any type */
    return RL_OK;
}

rl_status rl_resize(void *pointer, size_t bytes) {
    void *memory;
    memcpy(&memory, pointer, sizeof memory);
    const size_t before = memory == NULL ? 0 : header_of(memory)->bytes;
    void *const begin = realloc(memory == NULL ? NULL : header_of(memory), ALIGNMENT + bytes);
    if (begin == NULL) return rl_fail(RL_ERR_MEMORY, "out of memory: could not allocate %zu bytes", bytes);
    atomic_fetch_sub(&allocated, before);
    memory = mark_memory(begin, bytes);
    memcpy(pointer, &memory, sizeof memory);
    return RL_OK;
}

void rl_free(void *memory) {
    if (memory == NULL) return;
    atomic_fetch_sub(&allocated, header_of(memory)->bytes);
    free(header_of(memory));
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
