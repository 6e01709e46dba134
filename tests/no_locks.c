/* Preloaded into a process: file locks fail as on a file system that has none. */
#include <errno.h>
#include <sys/file.h>

int flock(int descriptor, int operation) {
    (void)descriptor, (void)operation;
    errno = ENOLCK;
    return -1;
}
