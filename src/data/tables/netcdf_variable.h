/* Private to `data`: variables of numbers in a NetCDF file. */
#ifndef RL_DATA_NETCDF_VARIABLE_H
#define RL_DATA_NETCDF_VARIABLE_H

#include "../../netcdf_call.h"

/* A variable of the root group. Its attributes follow the NetCDF Users' Guide, appendix A: a stored value that is
 * marked as missing, or that lies outside the valid range, is a missing value; any other stands for scale x stored +
 * offset. */
typedef struct rl_nc_variable {
    int id;
    char name[NC_MAX_NAME + 1];
    nc_type type;
    int n_dimensions;
    int dimension[2]; /* ids of the first two dimensions, and their lengths */
    size_t length[2];
    bool packed;
    double scale, offset, low, high;
    double *missing; /* [n_missing], owned */
    size_t n_missing;
} rl_nc_variable;

/* Opens a NetCDF-4 or classic file for reading. `path` is borrowed as long as the file is open. Fails with the status
 * `blame` when `path` is missing, no regular file, no NetCDF file or cut short. */
rl_status rl_nc_open_table(const char *path, rl_status blame, rl_nc *file);

/* Fails with `blame` when the header of a classic file is cut short or its shapes make no sense. To be called before
 * the library sees the file: it allocates as much memory as a header says, and divides by products of its lengths. */
rl_status rl_nc_check_classic_header(const char *path, rl_status blame);

/* Fails with file->blame when an open classic file is shorter than its header says: the library would read zeros in the
 * part that is not there. */
rl_status rl_nc_check_classic_size(const rl_nc *file);

/* Fills *variable but for what its attributes say. */
rl_status rl_nc_variable_inquire(const rl_nc *file, int id, rl_nc_variable *variable);

/* Whether its values are numbers. */
bool rl_nc_variable_is_numeric(const rl_nc_variable *variable);

/* Appends a list of all variables to the text, such as: `x` double(20, 3), `y` float(20). */
rl_status rl_nc_variables_text(const rl_nc *file, rl_text *text);

/* Reads the attributes. RL_ERR_INPUT when one makes no sense. The variable is to be destroyed afterwards, on failure
 * too. */
rl_status rl_nc_variable_decode(const rl_nc *file, rl_nc_variable *variable);
void rl_nc_variable_destroy(rl_nc_variable *variable);

/* Reads rows first ... first + count - 1 of a decoded variable of one or two dimensions: values [count, length[1]] or
 * [count]. RL_ERR_INPUT names the row and feature of a value that is missing or not finite. */
rl_status rl_nc_variable_read(const rl_nc *file, const rl_nc_variable *variable, size_t first, size_t count,
                              double *values);

#endif
