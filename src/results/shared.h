/* Memory that this process shares with others of its node. It has no name and is in no folder, and goes with the last
 * process that has it: others open it by the process that made it and its descriptor there. */
#ifndef RL_RESULTS_SHARED_H
#define RL_RESULTS_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

typedef struct shared {
    char *bytes; /* [length]; NULL: there is none */
    size_t length;
    int fd;
} shared;

/* What another process opens it by. */
typedef struct shared_name {
    int64_t pid, fd, length;
    struct stat file; /* which it is */
} shared_name;

/* Zeros that take no memory yet; and the same memory in another process. false: it cannot be had, which is no failure.
 */
bool rl_shared_create(size_t length, shared *s);
bool rl_shared_name(const shared *s, shared_name *name);
bool rl_shared_open(const shared_name *name, shared *s);
void rl_shared_close(shared *s);

/* Takes the memory for `length` bytes from `first` on, however often it is asked. false: there is not as much; whoever
 * touched what is missing would be killed. */
bool rl_shared_fill(const shared *s, size_t first, size_t length);

/* All of what another process has filled is about to be used here. */
void rl_shared_meet(const shared *s, size_t first, size_t length);

/* A length, rounded up so that what comes behind it begins with a page of the size that suits it. */
size_t rl_shared_rounded(size_t length);

#endif
