/* Private to `data`: variables of numbers in a NetCDF file. */
#ifndef RL_DATA_NETCDF_VARIABLE_H
#define RL_DATA_NETCDF_VARIABLE_H

#include "../../netcdf_call.h"
#include "ridgeless/data.h"

/* A variable of any group. Its attributes follow the NetCDF Users' Guide, appendix A: a stored value that is marked as
 * missing, or that lies outside the valid range, is a missing value; any other stands for scale x stored + offset. */
typedef struct rl_nc_variable {
    int group, id;
    const char *path; /* in the file: "x" in the root group, else "group/x"; borrowed */
    nc_type type;
    int n_dimensions;
    int dimension[2]; /* ids of the first two dimensions, and their lengths; of one alone: length[1] is 1 */
    size_t length[2];
    int rows; /* which of the two counts the rows of the table; set by the caller */
    /* What the attributes say. */
    double wrap; /* what is added to negative numbers of an integer that is to be read without a sign; negative: to
                    those of half of that and more, to be read with one; 0: nothing */
    double scale, offset, low, high;
    bool packed, range_unpacked;
    double unwritten; /* what the library writes where nobody else has; NAN: nothing, or the file or study says */
    double *missing;  /* [n_missing], owned */
    size_t n_missing;
} rl_nc_variable;

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* Opens a NetCDF-4, HDF5 or classic file for reading. `path` is borrowed as long as the file is open. Fails with the
 * status `blame` when `path` is missing, no regular file, no NetCDF file or cut short, or cannot be locked. */
rl_status rl_nc_open_table(const char *path, rl_status blame, rl_nc *file);

/* Fails with `blame` when the header of a classic file is cut short or its shapes make no sense. To be called before
 * the library sees the file: it allocates as much memory as a header says, and divides by products of its lengths. */
rl_status rl_nc_check_classic_header(const char *path, rl_status blame);

/* Fails with file->blame when an open classic file is shorter than its header says: the library would read zeros in the
 * part that is not there. */
rl_status rl_nc_check_classic_size(const rl_nc *file);

/* ---- what is in them --------------------------------------------------------------------------------------------- */

/* All variables of a file: those of the root group, then those of each group in turn. */
typedef struct rl_nc_list {
    int n;
    rl_nc_variable *variables; /* [n], owned; nothing is known of their attributes */
    const char **names;        /* [n], owned: their paths, with blanks folded */
    rl_column_name *sorted;    /* [n], owned: the names in their order */
    rl_text texts;             /* paths and names */
} rl_nc_list;

/* To be destroyed, on failure too. */
rl_status rl_nc_list_create(const rl_nc *file, rl_nc_list *list);
void rl_nc_list_destroy(rl_nc_list *list);

/* Fills *variable but for what its attributes say. */
rl_status rl_nc_variable_inquire(const rl_nc *file, int group, int id, const char *path, rl_nc_variable *variable);

/* Whether its values are numbers. */
bool rl_nc_variable_is_numeric(const rl_nc_variable *variable);

/* Whether it holds the values that one of its dimensions has, and so its name. */
rl_status rl_nc_variable_is_coordinate(const rl_nc *file, const rl_nc_variable *variable, bool *coordinate);

/* Whether a dimension has the name that the library gives to those of HDF5 files, which have none: variables whose
 * lengths are the same share it, whatever they mean. */
rl_status rl_nc_dimension_is_nameless(const rl_nc *file, const rl_nc_variable *variable, int i, bool *nameless);

/* Appends type and shape to the text, such as: double(20, 3). */
rl_status rl_nc_variable_shape(const rl_nc *file, const rl_nc_variable *variable, rl_text *text);

/* Appends a list of the variables to the text, such as: `x` double(20, 3), `y` float(20); of very many the first. */
rl_status rl_nc_list_text(const rl_nc *file, const rl_nc_list *list, rl_text *text);

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* Reads the attributes. `marks`: the missing values that the study names, which may be none; NULL: it says nothing of
 * them. RL_ERR_INPUT when an attribute makes no sense, or a filter is not there. The variable is to be destroyed
 * afterwards, on failure too. */
rl_status rl_nc_variable_decode(const rl_nc *file, const rl_missing *marks, rl_nc_variable *variable);
void rl_nc_variable_destroy(rl_nc_variable *variable);

/* The number of values that a variable has in each row. */
size_t rl_nc_variable_width(const rl_nc_variable *variable);

/* Reads rows first ... first + count - 1 of some columns of a decoded variable of one or two dimensions, in the order
 * of the file: values [count, n_columns], or [n_columns, count] where rows are counted by its second dimension. NaN
 * stands for a missing value, INFINITY for one that is no finite number, or for other reasons is none that may be used.
 */
rl_status rl_nc_variable_read(const rl_nc *file, const rl_nc_variable *variable, size_t first, size_t count,
                              size_t column, size_t n_columns, double *values);

/* RL_ERR_INPUT, with a message that says which value of the file may not be used, why not, and what to do. */
rl_status rl_nc_variable_refuse(const rl_nc *file, const rl_nc_variable *variable, size_t row, size_t column);

#endif
