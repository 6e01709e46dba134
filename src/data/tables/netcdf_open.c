/* NetCDF files opened for reading: what is none is told by its first bytes, and why one cannot be opened is said. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "netcdf_variable.h"

/* Other files that people take for tables, by how they begin. */
static const struct {
    const char *begin, *what;
} others[] = {
    {"\037\213", "compressed by gzip: unpack it first"},
    {"PK\003\004", "a zip archive: unpack it first"},
    {"MATLAB 5", "a MAT-file before version 7.3: save it with `-v7.3`"},
    {"\016\003\023\001", "HDF4: convert it to HDF5 first"},
    {"\223NUMPY", "an array of NumPy: save it as text or NetCDF first"},
};

/* HDF5 may begin behind a user block: at 512 bytes, or twice, four times ... as many. */
static bool has_user_block(const char *path) {
    char begin[RL_NC_SIGNATURE];
    bool found = false;
    FILE *file = fopen(path, "rb");
    for (off_t at = 512; file != NULL && !found && fseeko(file, at, SEEK_SET) == 0; at *= 2) {
        const size_t got = fread(begin, 1, sizeof begin, file);
        if (got < sizeof begin) break;
        found = rl_nc_is_netcdf4(begin, got);
    }
    if (file != NULL) fclose(file);
    return found;
}

/* Tells the kind of a file by its first bytes. The library must not see a file that is neither. */
static rl_status check_kind(const char *path, rl_status blame, bool *classic) {
    char begin[RL_NC_SIGNATURE];
    size_t got;
    RL_TRY(rl_read_beginning(path, blame, "a NetCDF file", sizeof begin, begin, &got));
    *classic = got >= 4 && memcmp(begin, "CDF", 3) == 0 && (begin[3] == 1 || begin[3] == 2 || begin[3] == 5);
    if (*classic || rl_nc_is_netcdf4(begin, got) || has_user_block(path)) return RL_OK;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (got >= strlen(others[i].begin) && memcmp(begin, others[i].begin, strlen(others[i].begin)) == 0)
            return rl_fail(blame, "%s: is not a NetCDF file but %s", path, others[i].what);
    return rl_fail(blame, "%s: is not a NetCDF file, expected NetCDF-4, HDF5 or classic", path);
}

/* HDF5 locks a file to read it. Where that fails, NetCDF says nothing but "HDF error". */
static rl_status fail_open(const rl_nc *file, int code) {
    if (rl_nc_lacks_memory(code)) return rl_nc_fail(file, code, "nc_open");
    const int descriptor = open(file->path, O_RDONLY | O_CLOEXEC);
    const int error = descriptor >= 0 && flock(descriptor, LOCK_SH | LOCK_NB) != 0 ? errno : 0;
    if (descriptor >= 0) close(descriptor); /* and the lock is gone */
    if (code != NC_EHDFERR || error == 0) return rl_nc_fail(file, code, "nc_open");
    if (error == EWOULDBLOCK)
        return rl_fail(file->blame, "%s: another program has locked it: is it still being written?", file->path);
    return rl_fail(file->blame,
                   "%s: cannot be locked: %s; on a network file system without locks, set HDF5_USE_FILE_LOCKING=FALSE",
                   file->path, strerror(error));
}

rl_status rl_nc_open_table(const char *path, rl_status blame, rl_nc *file) {
    bool classic;
    *file = (rl_nc){.path = path, .blame = blame};
    RL_TRY(check_kind(path, blame, &classic));
    if (classic) RL_TRY(rl_nc_check_classic_header(path, blame));
    RL_TRY(rl_memory_ask(RL_NETCDF_BYTES, path));
    const int code = nc_open(path, NC_NOWRITE, &file->id);
    if (code != NC_NOERR) return fail_open(file, code);
    const rl_status status = classic ? rl_nc_check_classic_size(file) : RL_OK;
    if (status != RL_OK) nc_close(file->id);
    return status;
}
