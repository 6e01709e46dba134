/* Private to `data`: variables of numbers in a NetCDF file. */
#ifndef RL_DATA_NETCDF_VARIABLE_H
#define RL_DATA_NETCDF_VARIABLE_H

#include "../../netcdf_call.h"

/* A variable of the root group. Attributes follow the NetCDF Users' Guide, appendix A: a stored value that is marked as
 * missing or not in the valid range stands for none, any other for scale x stored + offset. */
typedef struct rl_nc_variable {
    int id;
    char name[NC_MAX_NAME + 1];
    nc_type type;
    int n_dimensions;
    int dimension[2]; /* of the first two: their ids and lengths */
    size_t length[2];
    bool packed;
    double scale, offset, low, high;
    double *missing; /* [n_missing], owned */
    size_t n_missing;
} rl_nc_variable;

/* Opens a NetCDF-4 or classic file to read. Fails with the status `blame` when `path` is missing, not a regular file,
 * something else, or cut short. `path` is borrowed as long as the file is open. */
rl_status rl_nc_open_table(const char *path, rl_status blame, rl_nc *file);

/* Fails with `blame` when the header of a classic file is not all there or its shapes make no sense. The library takes
 * memory for whatever lengths it names and divides by what they give, so it sees no file before. */
rl_status rl_nc_check_classic_header(const char *path, rl_status blame);

/* Fails with file->blame when an open classic file ends before its data do: the library would read zeros there. */
rl_status rl_nc_check_classic_size(const rl_nc *file);

/* What a variable looks like, without its attributes. */
rl_status rl_nc_variable_inquire(const rl_nc *file, int id, rl_nc_variable *variable);

/* Whether its values are numbers. */
bool rl_nc_variable_is_numeric(const rl_nc_variable *variable);

/* Appends all variables as `x` double(20, 3), `y` float(20). */
rl_status rl_nc_variables_text(const rl_nc *file, rl_text *text);

/* Reads the attributes; RL_ERR_INPUT when one makes no sense. The variable is to be destroyed from then on. */
rl_status rl_nc_variable_decode(const rl_nc *file, rl_nc_variable *variable);
void rl_nc_variable_destroy(rl_nc_variable *variable);

/* Reads rows first ... first + count - 1 of a decoded variable of one or two dimensions: values [count, length[1]] or
 * [count]. RL_ERR_INPUT names the row and feature of a value that is missing or not finite. */
rl_status rl_nc_variable_read(const rl_nc *file, const rl_nc_variable *variable, size_t first, size_t count,
                              double *values);

#endif
