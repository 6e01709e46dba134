/* Reading a file in a child process first, which may crash or hang. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../netcdf_call.h"
#include "internal.h"

/* Seconds that reading a file may take: far more than a whole one needs. */
static unsigned time_limit(const char *path) {
    const off_t bytes_a_second = 10000000, most = 3600;
    struct stat file;
    const off_t more = stat(path, &file) == 0 ? file.st_size / bytes_a_second : 0;
    return 10 + (unsigned)(more < most ? more : most);
}

/* What the libraries say on standard error when they crash is nothing to a person. */
static void be_quiet(void) {
    const struct rlimit no_core = {0};
    const int nowhere = open("/dev/null", O_WRONLY);
    setrlimit(RLIMIT_CORE, &no_core);
    if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
}

static _Noreturn void read_in_child(const char *path, rl_status (*read)(const char *path), unsigned seconds) {
    sigset_t clock;
    sigemptyset(&clock);
    sigaddset(&clock, SIGALRM);
    signal(SIGALRM, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &clock, NULL);
    alarm(seconds);
    be_quiet();
    (void)read(path); /* that it comes back is all that is asked */
    _exit(0);
}

rl_status rl_trial(const char *path, rl_status (*read)(const char *path)) {
    const unsigned seconds = time_limit(path);
    const pid_t child = fork();
    pid_t ended;
    int status;
    if (child == 0) read_in_child(path, read, seconds);
    if (child < 0) return rl_fail(RL_ERR_IO, "%s: no process could be started to read it: %s", path, strerror(errno));
    do ended = waitpid(child, &status, 0);
    while (ended < 0 && errno == EINTR);
    if (ended == child && WIFEXITED(status) && WEXITSTATUS(status) == 0) return RL_OK;
    if (rl_nc_lacks_memory(NC_NOERR)) return rl_memory_fail(RL_NC_SURELY_ENOUGH, path);
    if (ended == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        return rl_fail(RL_ERR_INPUT, "%s: is damaged: the NetCDF library had not read it after %u seconds", path,
                       seconds);
    return rl_fail(RL_ERR_INPUT, "%s: is damaged: the NetCDF library crashed on it", path);
}
