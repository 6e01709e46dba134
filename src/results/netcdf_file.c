/* NetCDF files that become or are results files: opened, created, written with their seal. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#include <netcdf_mem.h> /* wants netcdf.h before it */

size_t rl_nc_type_size(nc_type type) {
    switch (type) {
        case NC_DOUBLE:
            return sizeof(double);
        case NC_INT:
            return sizeof(int);
        case NC_BYTE:
            return 1;
        default:
            return sizeof(char *);
    }
}

/* A long text goes as a string, which HDF5 keeps outside the object's header. */
rl_status rl_nc_put_text(const rl_nc *file, int group, int variable, const char *name, const char *text) {
    if (strlen(text) <= RL_NC_ATTRIBUTE_LIMIT)
        RL_NC(file, nc_put_att_text(group, variable, name, strlen(text), text));
    else
        RL_NC(file, nc_put_att_string(group, variable, name, 1, &text));
    return RL_OK;
}

static rl_status get_string(const rl_nc *file, int group, const char *name, char **text) {
    char *string;
    RL_NC(file, nc_get_att_string(group, NC_GLOBAL, name, &string));
    const rl_status status = rl_strdup(text, string == NULL ? "" : string);
    nc_free_string(1, &string);
    return status;
}

rl_status rl_nc_get_text(const rl_nc *file, int group, const char *name, char **text) {
    nc_type type;
    size_t length;
    RL_NC(file, nc_inq_att(group, NC_GLOBAL, name, &type, &length));
    if (type == NC_STRING && length == 1) return get_string(file, group, name, text);
    if (type != NC_CHAR) return rl_fail(file->blame, "%s: attribute `%s` is not a text", file->path, name);
    RL_TRY(rl_alloc(text, length + 1, 1));
    const int code = nc_get_att_text(group, NC_GLOBAL, name, *text);
    if (code == NC_NOERR) return RL_OK;
    rl_free(*text);
    *text = NULL;
    return rl_nc_fail(file, code, "nc_get_att_text");
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* The first bytes tell; the library shall see no other file. */
static rl_status check_signature(const char *path) {
    char begin[RL_NC_SIGNATURE];
    size_t got;
    RL_TRY(rl_read_beginning(path, RL_ERR_INPUT, "a results file", sizeof begin, begin, &got));
    if (rl_nc_is_netcdf4(begin, got)) return RL_OK;
    return rl_fail(RL_ERR_INPUT, "%s: is not NetCDF-4, expected a results file of ridgeless", path);
}

rl_status rl_nc_check_seal(const char *path, bool *sealed) {
    *sealed = false;
    RL_TRY(check_signature(path));
    return rl_seal_check(path, sealed);
}

rl_status rl_nc_open_ours(const char *path, rl_nc *file) {
    char *program = NULL, *settings = NULL;
    *file = (rl_nc){.path = path, .blame = RL_ERR_INPUT};
    RL_TRY(check_signature(path));
    RL_NC(file, nc_open(path, NC_NOWRITE, &file->id));
    const bool ours = rl_nc_get_text(file, file->id, "program", &program) == RL_OK &&
                      strncmp(program, "ridgeless ", strlen("ridgeless ")) == 0 &&
                      rl_nc_get_text(file, file->id, "settings", &settings) == RL_OK;
    rl_free(program);
    rl_free(settings);
    if (ours) return RL_OK;
    nc_close(file->id);
    return rl_fail(RL_ERR_INPUT, "%s: is a NetCDF file, but not a results file of ridgeless", path);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

rl_status rl_nc_create(const char *output, rl_nc *file) {
    const size_t increment = 1024 * 1024;
    *file = (rl_nc){.path = output, .blame = RL_ERR_LIBRARY};
    RL_NC(file, nc_create_mem(output, NC_NETCDF4, increment, &file->id));
    return RL_OK;
}

static bool write_all(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        const ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        bytes += written;
        length -= (size_t)written;
    }
    return true;
}

static rl_status write_image(const rl_nc *file, const char *temporary, const NC_memio *image) {
    char seal[RL_SEAL_BYTES + 1];
    rl_seal_make(image->memory, image->size, seal);
    const int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    const bool written =
        fd >= 0 && write_all(fd, image->memory, image->size) && write_all(fd, seal, RL_SEAL_BYTES) && fsync(fd) == 0;
    int error = written ? 0 : errno;
    if (fd >= 0 && close(fd) != 0 && error == 0) error = errno;
    if (error == 0) return RL_OK;
    return rl_fail(RL_ERR_IO, "%s: cannot be written: %s", file->path, strerror(error));
}

rl_status rl_nc_finish(const rl_nc *file, const char *temporary) {
    NC_memio image = {0};
    RL_NC(file, nc_close_memio(file->id, &image));
    const rl_status status = write_image(file, temporary, &image);
    free(image.memory);
    return status;
}
