/* arena: all arrays of one object in one piece of memory. A further header of `core`.
 *
 * An object's arrays are listed once, by a function that takes them from an arena one after the other:
 *
 *     static void list_arrays(rl_arena *arena, void *object) {
 *         rl_thing *t = object;
 *         RL_TAKE(arena, t->sigma, t->n_modes);
 *         if (t->wants_z) RL_TAKE(arena, t->z, t->n_modes * t->order);
 *     }
 *
 * It runs twice: once to add up bytes, and once to hand the arrays out. So no array is forgotten when the object is
 * destroyed, which is one rl_free, and the same list says before how many bytes it will take. What the list depends on
 * must be set in the object before it runs.
 *
 * Every array is zeroed and aligned to 64 bytes, as by rl_alloc. Sanitized builds notice accesses between two arrays.
 * All functions are local. */
#ifndef RIDGELESS_ARENA_H
#define RIDGELESS_ARENA_H

#include "ridgeless/core.h"

typedef struct rl_arena {
    char *memory; /* NULL: bytes are added up, and every array taken is NULL */
    size_t bytes; /* taken so far; SIZE_MAX: more than can be addressed */
} rl_arena;

/* Lists the arrays of an object, in the same order each time. */
typedef void rl_array_list(rl_arena *arena, void *object);

/* An array of count x size bytes. */
void *rl_arena_take(rl_arena *arena, size_t count, size_t size);
#define RL_TAKE(arena, pointer, count) ((pointer) = rl_arena_take(arena, (size_t)(count), sizeof *(pointer)))

/* Several arrays of count doubles: RL_TAKE_REALS(arena, count, &t->a, &t->b). */
void rl_arena_take_reals(rl_arena *arena, size_t count, double **const *pointers, size_t n);
#define RL_TAKE_REALS(arena, count, ...)                                    \
    rl_arena_take_reals(arena, (size_t)(count), (double **[]){__VA_ARGS__}, \
                        sizeof((double **[]){__VA_ARGS__}) / sizeof(double **))

/* Stores at *pointer a copy of `object` (`size` bytes) with its arrays, all of it freed by rl_free(*pointer).
 * RL_ERR_MEMORY leaves *pointer as it was. rl_object_bytes: the bytes of it, to the last one. Both set the arrays of
 * `object` itself to NULL. */
rl_status rl_object_create(void *pointer, void *object, size_t size, rl_array_list *list);
size_t rl_object_bytes(void *object, size_t size, rl_array_list *list);
#define RL_OBJECT_CREATE(pointer, object, list) rl_object_create(pointer, object, sizeof *(object), list)
#define RL_OBJECT_BYTES(object, list)           rl_object_bytes(object, sizeof *(object), list)

/* The same for an object that is a variable of its owner: the arrays alone, all freed by rl_free of the first of them.
 */
rl_status rl_arrays_create(void *object, rl_array_list *list);
size_t rl_arrays_bytes(void *object, rl_array_list *list);

#endif
