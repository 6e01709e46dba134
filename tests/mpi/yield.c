/* Loaded before the libraries of programs that tests start with MPICH: MPICH asks UCX for messages without a pause, and
 * tests with more ranks than the machine has cores would take hours. Here a rank that found none lets others run. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <sched.h>

unsigned ucp_worker_progress(void *worker);

unsigned ucp_worker_progress(void *worker) {
    static unsigned (*next)(void *worker);
    if (next == NULL) next = __extension__(unsigned (*)(void *)) dlsym(RTLD_NEXT, "ucp_worker_progress");
    const unsigned found = next(worker);
    if (found == 0) sched_yield();
    return found;
}
