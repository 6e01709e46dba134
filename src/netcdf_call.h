/* The checked way to call NetCDF. Private: nothing in include/ shows it. */
#ifndef RL_NETCDF_CALL_H
#define RL_NETCDF_CALL_H

#include <netcdf.h>
#include <string.h>

#include "ridgeless/core.h"

/* An open file. `path` is what messages call it, borrowed; `blame` is the status of a failure: RL_ERR_INPUT for a file
 * somebody gave us, RL_ERR_IO for one that was fine before, RL_ERR_LIBRARY for one we write. */
typedef struct rl_nc {
    int id;
    const char *path;
    rl_status blame;
} rl_nc;

/* What went wrong may be no fault of the file: libraries that get no memory say anything. */
enum { RL_NC_SURELY_ENOUGH = 2 * RL_NETCDF_BYTES };
static inline bool rl_nc_lacks_memory(int code) {
    return code == NC_ENOMEM || !rl_memory_is_there(RL_NC_SURELY_ENOUGH);
}

static inline rl_status rl_nc_fail(const rl_nc *file, int code, const char *call) {
    if (rl_nc_lacks_memory(code)) return rl_memory_fail(RL_NC_SURELY_ENOUGH, file->path);
    return rl_fail(file->blame, "%s: %.*s: %s", file->path, (int)strcspn(call, "("), call, nc_strerror(code));
}

/* How every NetCDF-4 file begins. */
enum { RL_NC_SIGNATURE = 8 };
static inline bool rl_nc_is_netcdf4(const char *begin, size_t got) {
    return got == RL_NC_SIGNATURE && memcmp(begin, "\211HDF\r\n\032\n", RL_NC_SIGNATURE) == 0;
}

#define RL_NC(file, call)                                                       \
    do {                                                                        \
        const int rl_nc_code = (call);                                          \
        if (rl_nc_code != NC_NOERR) return rl_nc_fail(file, rl_nc_code, #call); \
    } while (0)

#endif
