/* Memory: aligned, zeroed, counted, and refused where the system has less; and texts that grow. */
#include <assert.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "ridgeless/core.h"

enum { ALIGNMENT = 64 };
static const size_t large = (size_t)1 << 30, worth_large_pages = (size_t)8 << 20;

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

static rl_status fail_allocation(size_t bytes) {
    char limit[RL_LIMIT_TEXT];
    return rl_fail(RL_ERR_MEMORY, "out of memory: could not allocate %zu bytes%s", bytes, rl_memory_limit_text(limit));
}

/* A large matrix is read across its columns, and with pages of 4 KiB the processor would look an address up for nearly
 * every line. All of it is written to soon, so large pages that lie in it take no more memory. A system that has
 * none refuses, which is no failure. */
static void ask_for_large_pages(void *memory, size_t bytes) {
#ifdef MADV_HUGEPAGE
    const size_t page = (size_t)2 << 20, before = (page - (uintptr_t)memory % page) % page;
    if (bytes >= before + page) madvise((char *)memory + before, (bytes - before) / page * page, MADV_HUGEPAGE);
#else
    (void)memory, (void)bytes;
#endif
}

/* ---- allocation -------------------------------------------------------------------------------------------------- */

size_t rl_alloc_bytes(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - 2 * ALIGNMENT) return SIZE_MAX;
    return bytes == 0 ? ALIGNMENT : (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static rl_status take_memory(size_t count, size_t size, size_t *bytes, void **memory) {
    *bytes = rl_alloc_bytes(count, size);
    if (*bytes == SIZE_MAX)
        return rl_fail(RL_ERR_MEMORY, "out of memory: %zu items of %zu bytes are more than can be addressed", count,
                       size);
    RL_TRY(check_available(*bytes));
    void *const begin = aligned_alloc(ALIGNMENT, ALIGNMENT + *bytes);
    if (begin == NULL) return fail_allocation(*bytes);
    *memory = mark_memory(begin, *bytes);
    if (*bytes >= worth_large_pages) ask_for_large_pages(*memory, *bytes);
    return RL_OK;
}

rl_status rl_alloc(void *pointer, size_t count, size_t size) {
    size_t bytes;
    void *memory = NULL;
    RL_TRY(take_memory(count, size, &bytes, &memory));
    memset(memory, 0, bytes);
    memcpy(pointer, &memory, sizeof memory); /* the caller's pointer may have any type */
    return RL_OK;
}

rl_status rl_alloc_unset(void *pointer, size_t count, size_t size) {
    size_t bytes;
    void *memory = NULL;
    RL_TRY(take_memory(count, size, &bytes, &memory));
    memcpy(pointer, &memory, sizeof memory);
    return RL_OK;
}

rl_status rl_grow(void *pointer, size_t n, size_t capacity, size_t size) {
    void *before, *grown;
    memcpy(&before, pointer, sizeof before); /* the caller's pointer may have any type */
    RL_TRY(rl_alloc(&grown, capacity, size));
    if (n > 0) memcpy(grown, before, n * size);
    rl_free(before);
    memcpy(pointer, &grown, sizeof grown);
    return RL_OK;
}

void rl_free(void *memory) {
    if (memory == NULL) return;
    atomic_fetch_sub(&allocated, header_of(memory)->bytes);
    free(header_of(memory));
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

/* ---- texts ------------------------------------------------------------------------------------------------------- */

rl_status rl_strdup(char **copy, const char *text) {
    const size_t bytes = strlen(text) + 1;
    RL_TRY(rl_alloc(copy, bytes, 1));
    memcpy(*copy, text, bytes);
    return RL_OK;
}

/* The bytes become as many and keep what they held. */
static rl_status resize_text(rl_text *text, size_t bytes) {
    header *const before = text->bytes == NULL ? NULL : header_of(text->bytes);
    const size_t counted = before == NULL ? 0 : before->bytes;
    void *const begin = realloc(before, ALIGNMENT + bytes);
    if (begin == NULL) return fail_allocation(bytes);
    atomic_fetch_sub(&allocated, counted);
    text->bytes = mark_memory(begin, bytes);
    text->capacity = bytes;
    return RL_OK;
}

static rl_status reserve_bytes(rl_text *text, size_t more) {
    const size_t needed = text->length + more + 1;
    if (needed <= text->capacity) return RL_OK;
    size_t capacity = text->capacity < 256 ? 256 : text->capacity;
    while (capacity < needed) capacity *= 2;
    RL_TRY(resize_text(text, capacity));
    text->bytes[text->length] = '\0';
    return RL_OK;
}

rl_status rl_text_append(rl_text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    RL_TRY(reserve_bytes(text, (size_t)length));
    va_start(arguments, format);
    vsnprintf(text->bytes + text->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->length += (size_t)length;
    return RL_OK;
}

rl_status rl_text_append_bytes(rl_text *text, const void *bytes, size_t length) {
    RL_TRY(reserve_bytes(text, length));
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
    return RL_OK;
}
