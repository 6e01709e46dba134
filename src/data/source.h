/* Private to `data`: what sources share. */
#ifndef RL_DATA_SOURCE_H
#define RL_DATA_SOURCE_H

#include "ridgeless/data.h"

extern const rl_source rl_source_student_teacher, rl_source_gaussian, rl_source_california, rl_source_diabetes,
    rl_source_who, rl_source_who_fixed, rl_source_csv, rl_source_netcdf, rl_source_function, rl_source_sphere;

/* The path of one of a source's files, owned by the caller. RL_ERR_INPUT says where it was looked for and how to get
 * it. */
rl_status rl_source_locate(const rl_source *source, const rl_source_request *request, const char *file, char **path);

/* The path of the file that the key `file` names, owned by the caller: beside the study file, then where data files are
 * looked for. RL_ERR_INPUT when it is in none of these. */
rl_status rl_source_locate_named(const rl_source_request *request, char **path);

/* RL_ERR_INPUT about the value of a key of the study file. */
rl_status rl_source_key_fail(const rl_source_request *request, const char *key, const char *format, ...) RL_PRINTF(3);

/* Opens the table of dataset->file, whether that is the file that was loaded or not. A failure to read it has the
 * status `blame`. */
rl_status rl_table_blocks_open_as(const rl_dataset *dataset, rl_status blame, rl_table_blocks **blocks);
void rl_table_file_destroy(rl_table_file *file);

/* One row of a student-teacher dataset, drawn by Philox: x[n_features] and *y. */
void rl_teacher_row(const rl_teacher *teacher, rl_key key, uint32_t repeat, uint32_t row, int n_features, double *x,
                    double *y);

/* Least squares: of all beta[n_features] that come nearest to y [n_rows], x [n_rows, n_features] row-major, the
 * shortest. QR, with column pivoting of the triangle; columns may have very different units. RL_ERR_INPUT, which names
 * the dataset, when it overflows. */
rl_status rl_least_squares(const char *name, int n_rows, int n_features, const double *x, const double *y,
                           double *beta);

/* Point i of n equispaced ones on [low, high], both ends among them, as numpy.linspace rounds it. */
double rl_equispaced(double low, double high, int n, int i);

/* Least squares on all rows as the published program computes it, into beta[n_features]. *regular is false, and beta of
 * no use, when the features are linearly dependent. */
rl_status rl_published_beta_star(const rl_dataset *dataset, double *beta, bool *regular);

#endif
