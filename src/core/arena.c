/* Arenas: arrays one after the other in one allocation. */
#include "ridgeless/arena.h"

#include <string.h>

#if !defined(__SANITIZE_ADDRESS__) && defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ /* clang's way to say it */
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
enum { GAP = 64 }; /* between arrays: no access to it goes unnoticed */
#else
#define ASAN_POISON_MEMORY_REGION(begin, bytes) ((void)(begin), (void)(bytes))
enum { GAP = 0 };
#endif
enum { ALIGNMENT = 64 };

void *rl_arena_take(rl_arena *arena, size_t count, size_t size) {
    size_t bytes, end, next;
    char *const array = arena->memory == NULL ? NULL : arena->memory + arena->bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || __builtin_add_overflow(arena->bytes, bytes, &end) ||
        __builtin_add_overflow(end, ALIGNMENT - 1 + GAP, &next)) {
        arena->bytes = SIZE_MAX;
        return NULL;
    }
    arena->bytes = next / ALIGNMENT * ALIGNMENT;
    if (array != NULL) ASAN_POISON_MEMORY_REGION(array + bytes, (size_t)(arena->memory + arena->bytes - array) - bytes);
    return array;
}

void rl_arena_take_reals(rl_arena *arena, size_t count, double **const *pointers, size_t n) {
    for (size_t i = 0; i < n; i++) RL_TAKE(arena, *pointers[i], count);
}

size_t rl_object_bytes(void *object, size_t size, rl_array_list *list) {
    rl_arena arena = {0};
    rl_arena_take(&arena, 1, size);
    list(&arena, object);
    return arena.bytes;
}

rl_status rl_object_create(void *pointer, void *object, size_t size, rl_array_list *list) {
    rl_arena arena = {0};
    RL_TRY(rl_alloc(&arena.memory, rl_object_bytes(object, size, list), 1));
    void *const made = rl_arena_take(&arena, 1, size);
    memcpy(made, object, size);
    list(&arena, made);
    memcpy(pointer, &made, sizeof made); /* the caller's pointer may have any type */
    return RL_OK;
}

size_t rl_arrays_bytes(void *object, rl_array_list *list) {
    rl_arena arena = {0};
    list(&arena, object);
    return arena.bytes;
}

rl_status rl_arrays_create(void *object, rl_array_list *list) {
    rl_arena arena = {0};
    RL_TRY(rl_alloc(&arena.memory, rl_arrays_bytes(object, list), 1));
    list(&arena, object);
    return RL_OK;
}
