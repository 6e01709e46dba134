/* Loaded before the program's libraries (LD_PRELOAD), this makes one call of the program fail, so that the very program
 * that ships is tested.
 *
 *     RIDGELESS_FAULT=KIND:N[+]:ACTION[:rank=R]
 *
 * The N-th call (from 1) of that kind on rank R (default 0) does what ACTION says; with `+` every later one too, as on
 * a disk that stays full. Only calls that the program itself makes are counted, not those of its libraries; but for
 * what these do with files in the folder that the program runs in: `load`, what zlib and NetCDF read; `put` and `cut`,
 * how HDF5 writes results; and that it opens these, by their descriptor. Not what HDF5 reads, by pread: where that
 * fails, some of its versions free what is not theirs. Nor what is said on standard streams.
 *
 *     open     open, fopen               die eio enospc
 *     read     pread                     die eio
 *     load     read                      die eio
 *     write    write, pwrite             die eio enospc short torn
 *     put      pwrite                    die eio enospc short torn
 *     cut      ftruncate                 die eio
 *     reserve  fallocate                 die eio enospc
 *     sync     fsync, fdatasync          die eio enospc
 *     truncate ftruncate                 die eio
 *     close    close                     die eio enospc
 *     rename   rename, renameat2         die eio enospc
 *     alloc    aligned_alloc, realloc    die enomem
 *     mpi      calls that communicate    die error
 *
 * die: the process kills itself before the call; short: half of the bytes reach the file and the call says so; torn:
 * half of them reach it, then the process dies. RIDGELESS_FAULT_COUNT names a file that receives `fired`, or at exit a
 * line per kind with how many calls there were. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <mpi.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

typedef enum action { NONE, DIE, EIO_ERROR, ENOSPC_ERROR, ENOMEM_ERROR, SHORT, TORN, MPI_ERROR } action;
static const char *const action_names[] = {"none", "die", "eio", "enospc", "enomem", "short", "torn", "error"};
enum { N_ACTIONS = sizeof action_names / sizeof *action_names };

typedef enum call_kind {
    OPEN,
    READ,
    LOAD,
    WRITE,
    PUT,
    CUT,
    RESERVE,
    SYNC,
    TRUNCATE,
    CLOSE,
    RENAME,
    ALLOC,
    MESSAGE,
    N_KINDS
} call_kind;
static const char *const kind_names[N_KINDS] = {"open", "read",     "load",  "write",  "put",   "cut", "reserve",
                                                "sync", "truncate", "close", "rename", "alloc", "mpi"};

static struct fault {
    call_kind kind;
    action action;
    long n, count[N_KINDS]; /* the call that fails; calls so far */
    bool from_then_on, fired;
    const char *report; /* file for the count */
} fault;

static struct program { uintptr_t begin, end; } program;

/* ---- which call -------------------------------------------------------------------------------------------------- */

static void report(const char *text) {
    if (fault.report == NULL) return;
    FILE *file = fopen(fault.report, "w");
    if (file == NULL) abort();
    fputs(text, file);
    fclose(file);
}

/* The first object listed is the executable itself. */
static int find_program(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size;
    (void)data;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
        program.begin = info->dlpi_addr + part->p_vaddr;
        program.end = program.begin + part->p_memsz;
    }
    return 1;
}

/* Where the name is among those known. */
static int find(const char *name, const char *const *names, int n) {
    for (int i = 0; i < n; i++)
        if (strcmp(name, names[i]) == 0) return i;
    fprintf(stderr, "inject: `%s` is not known\n", name);
    abort();
}

/* As Open MPI, Slurm or MPICH say it; 0 without a launcher. */
static int own_rank(void) {
    static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (getenv(variables[i]) != NULL) return atoi(getenv(variables[i]));
    return 0;
}

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("RIDGELESS_FAULT");
    char kind_name[16] = "", action_name[16] = "", plus[2] = "";
    int rank = 0;
    if (text == NULL) return;
    if (sscanf(text, "%15[a-z]:%ld%1[+]:%15[a-z]:rank=%d", kind_name, &fault.n, plus, action_name, &rank) < 4 &&
        sscanf(text, "%15[a-z]:%ld:%15[a-z]:rank=%d", kind_name, &fault.n, action_name, &rank) < 3)
        abort();
    if (rank != own_rank()) return;
    fault.from_then_on = plus[0] == '+';
    fault.kind = (call_kind)find(kind_name, kind_names, N_KINDS);
    fault.action = (action)find(action_name, action_names, N_ACTIONS);
    fault.report = getenv("RIDGELESS_FAULT_COUNT");
    dl_iterate_phdr(find_program, NULL);
}

__attribute__((destructor)) static void end(void) {
    char text[N_KINDS * 32];
    size_t length = 0;
    if (fault.action == NONE || fault.fired) return;
    for (int i = 0; i < N_KINDS; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s %ld\n", kind_names[i], fault.count[i]);
    report(text);
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static bool is_of_program(const void *caller) {
    return (uintptr_t)caller >= program.begin && (uintptr_t)caller < program.end;
}

/* What a call of this kind is to do. */
static action strike_counted(call_kind kind) {
    const long count = ++fault.count[kind];
    if (kind != fault.kind || (fault.from_then_on ? count < fault.n : count != fault.n)) return NONE;
    if (!fault.fired) {
        fault.fired = true;
        report("fired");
    }
    if (fault.action == DIE) die();
    return fault.action;
}

static action strike(call_kind kind, const void *caller) {
    return fault.action == NONE || !is_of_program(caller) ? NONE : strike_counted(kind);
}

static bool fails(call_kind kind, const void *caller) {
    switch (strike(kind, caller)) {
        case NONE:
            return false;
        case ENOSPC_ERROR:
            errno = ENOSPC;
            return true;
        case ENOMEM_ERROR:
            errno = ENOMEM;
            return true;
        default:
            errno = EIO;
            return true;
    }
}

#define CALLER __builtin_return_address(0)

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void *real(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL) abort();
    return function;
}

/* The address of the next definition of a function, as a pointer of the function's own type. */
#define REAL(name) (__extension__(__typeof__(&(name))) real(#name))

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return path[0] != '/' && fails(OPEN, CALLER) ? -1 : REAL(open64)(path, flags, mode);
}

/* HDF5 calls those without 64 in their names, which our headers do not declare. */
int plain_open(const char *path, int flags, ...) __asm__("open");
ssize_t plain_pwrite(int fd, const void *bytes, size_t size, off64_t offset) __asm__("pwrite");
int plain_ftruncate(int fd, off64_t size) __asm__("ftruncate");

int plain_open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    const bool by_descriptor = fault.action != NONE && strncmp(path, "/proc/self/fd/", strlen("/proc/self/fd/")) == 0;
    if (by_descriptor && strike_counted(OPEN) != NONE) {
        errno = EIO;
        return -1;
    }
    return REAL(open64)(path, flags, mode);
}

FILE *fopen64(const char *path, const char *mode) {
    return path[0] != '/' && fails(OPEN, CALLER) ? NULL : REAL(fopen64)(path, mode);
}

static bool is_in_folder(int fd) {
    char link[64], path[4096] = "", folder[4096] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof path - 1) < 0 || getcwd(folder, sizeof folder) == NULL) return false;
    return strncmp(path, folder, strlen(folder)) == 0 && path[strlen(folder)] == '/';
}

/* Whether a library's reading fails. */
static bool load_fails(int fd, const void *caller) {
    if (fault.action == NONE || is_of_program(caller) || !is_in_folder(fd)) return false;
    if (strike_counted(LOAD) == NONE) return false;
    errno = EIO;
    return true;
}

ssize_t read(int fd, void *bytes, size_t size) {
    return load_fails(fd, CALLER) ? -1 : REAL(read)(fd, bytes, size);
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t offset) {
    return fails(READ, CALLER) ? -1 : REAL(pread64)(fd, bytes, size, offset);
}

/* What a library does with a file in the folder. */
static action strike_library(call_kind kind, int fd, const void *caller) {
    return fault.action == NONE || is_of_program(caller) || !is_in_folder(fd) ? NONE : strike_counted(kind);
}

typedef ssize_t (*writer)(int fd, const void *bytes, size_t size, off64_t offset);

static ssize_t write_on(int fd, const void *bytes, size_t size, off64_t offset) {
    (void)offset;
    return REAL(write)(fd, bytes, size);
}

static ssize_t write_at(int fd, const void *bytes, size_t size, off64_t offset) {
    return REAL(pwrite64)(fd, bytes, size, offset);
}

static ssize_t do_write(action what, writer write_some, int fd, const void *bytes, size_t size, off64_t offset) {
    if (what == NONE) return write_some(fd, bytes, size, offset);
    if (what == SHORT || what == TORN) {
        const ssize_t written = write_some(fd, bytes, size / 2, offset);
        if (what == TORN) die();
        return written;
    }
    errno = what == ENOSPC_ERROR ? ENOSPC : EIO;
    return -1;
}

ssize_t write(int fd, const void *bytes, size_t size) {
    return do_write(fd <= STDERR_FILENO ? NONE : strike(WRITE, CALLER), write_on, fd, bytes, size, 0);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
    const action what = is_of_program(CALLER) ? strike(WRITE, CALLER) : strike_library(PUT, fd, CALLER);
    return do_write(what, write_at, fd, bytes, size, offset);
}

ssize_t plain_pwrite(int fd, const void *bytes, size_t size, off64_t offset) {
    return do_write(strike_library(PUT, fd, CALLER), write_at, fd, bytes, size, offset);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t length) {
    return fails(RESERVE, CALLER) ? -1 : REAL(fallocate64)(fd, mode, offset, length);
}

int fsync(int fd) {
    return fails(SYNC, CALLER) ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd) {
    return fails(SYNC, CALLER) ? -1 : REAL(fdatasync)(fd);
}

static int do_truncate(action what, int fd, off64_t size) {
    if (what == NONE) return REAL(ftruncate64)(fd, size);
    errno = EIO;
    return -1;
}

int ftruncate64(int fd, off64_t size) {
    return do_truncate(is_of_program(CALLER) ? strike(TRUNCATE, CALLER) : strike_library(CUT, fd, CALLER), fd, size);
}

int plain_ftruncate(int fd, off64_t size) {
    return do_truncate(strike_library(CUT, fd, CALLER), fd, size);
}

/* As on Linux, the descriptor is gone whatever the call says. */
int close(int fd) {
    const bool failed = fails(CLOSE, CALLER);
    const int error = errno, code = REAL(close)(fd);
    if (failed) errno = error;
    return failed ? -1 : code;
}

int rename(const char *from, const char *to) {
    return fails(RENAME, CALLER) ? -1 : REAL(rename)(from, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    return fails(RENAME, CALLER) ? -1 : REAL(renameat2)(from_folder, from, to_folder, to, flags);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* dlsym allocates; these names of the C library need no looking up. */
void *__libc_memalign(size_t alignment, size_t size);
void *__libc_realloc(void *memory, size_t size);

void *aligned_alloc(size_t alignment, size_t size) {
    return fails(ALLOC, CALLER) ? NULL : __libc_memalign(alignment, size);
}

void *realloc(void *memory, size_t size) {
    return fails(ALLOC, CALLER) ? NULL : __libc_realloc(memory, size);
}

/* ---- MPI --------------------------------------------------------------------------------------------------------- */

/* A call with these parameters and arguments. */
#define FAILING(name, parameters, arguments)                                   \
    int MPI_##name parameters {                                                \
        return fails(MESSAGE, CALLER) ? MPI_ERR_OTHER : PMPI_##name arguments; \
    }

/* A poll counts when it finds something: how often it finds nothing is chance. */
#define FAILING_POLL(name, parameters, arguments)                      \
    int MPI_##name parameters {                                        \
        const int code = PMPI_##name arguments;                        \
        return *flag && fails(MESSAGE, CALLER) ? MPI_ERR_OTHER : code; \
    }

FAILING(Init, (int *argc, char ***argv), (argc, argv))
FAILING(Comm_dup, (MPI_Comm comm, MPI_Comm *made), (comm, made))
FAILING(Comm_free, (MPI_Comm * comm), (comm))
FAILING(Comm_split, (MPI_Comm comm, int color, int key, MPI_Comm *made), (comm, color, key, made))
FAILING(Comm_split_type, (MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *made),
        (comm, type, key, info, made))
FAILING(Allreduce, (const void *out, void *in, int n, MPI_Datatype type, MPI_Op op, MPI_Comm comm),
        (out, in, n, type, op, comm))
FAILING(Reduce, (const void *out, void *in, int n, MPI_Datatype type, MPI_Op op, int root, MPI_Comm comm),
        (out, in, n, type, op, root, comm))
FAILING(Bcast, (void *data, int n, MPI_Datatype type, int root, MPI_Comm comm), (data, n, type, root, comm))
FAILING(Gather,
        (const void *out, int n_out, MPI_Datatype type_out, void *in, int n_in, MPI_Datatype type_in, int root,
         MPI_Comm comm),
        (out, n_out, type_out, in, n_in, type_in, root, comm))
FAILING(Ibarrier, (MPI_Comm comm, MPI_Request *request), (comm, request))
FAILING(Send, (const void *data, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm),
        (data, n, type, to, tag, comm))
FAILING(Isend, (const void *data, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request *request),
        (data, n, type, to, tag, comm, request))
FAILING(Recv, (void *data, int n, MPI_Datatype type, int from, int tag, MPI_Comm comm, MPI_Status *status),
        (data, n, type, from, tag, comm, status))
FAILING(Irecv, (void *data, int n, MPI_Datatype type, int from, int tag, MPI_Comm comm, MPI_Request *request),
        (data, n, type, from, tag, comm, request))
FAILING(Wait, (MPI_Request * request, MPI_Status *status), (request, status))
FAILING(Waitall, (int n, MPI_Request requests[], MPI_Status statuses[]), (n, requests, statuses))
FAILING_POLL(Test, (MPI_Request * request, int *flag, MPI_Status *status), (request, flag, status))
FAILING_POLL(Iprobe, (int from, int tag, MPI_Comm comm, int *flag, MPI_Status *status), (from, tag, comm, flag, status))

/* Without the real call the launcher would take the rank for one that had crashed. */
int MPI_Finalize(void) {
    const bool failed = fails(MESSAGE, CALLER);
    const int code = PMPI_Finalize();
    return failed ? MPI_ERR_OTHER : code;
}
