/* The routines of BLACS, PBLAS and ScaLAPACK that the program calls.
 * Private. Integers are 32 bits (LP64). Fortran routines with CHARACTER arguments have their hidden lengths at the end,
 * as gfortran passes them; BLACS (C interface) and PBLAS are written in C and have none. Row and column arguments (ia,
 * ja, ...) count from 1. */
#ifndef RL_SCALAPACK_H
#define RL_SCALAPACK_H

#include <mpi.h>

#include "../../lapack.h"

/* BLACS */
int Csys2blacs_handle(MPI_Comm comm);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridmap(int *context, int *map, int ldmap, int n_rows, int n_columns);
void Cblacs_set(int context, int what, const int *value); /* of `what`: RL_BLACS_REPEATABLE */
enum { RL_BLACS_REPEATABLE = 15 };                        /* sums over processes in a fixed order, 1 or 0 */
void Cblacs_gridexit(int context);

/* How many of the first n rows (columns) a process owns. */
int numroc_(const int *n, const int *block, const int *process, const int *source, const int *n_processes);

/* Copy between distributions; the last argument is a context that holds the processes of both. */
void pdgemr2d_(const int *m, const int *n, const double *a, const int *ia, const int *ja, const int *desca, double *b,
               const int *ib, const int *jb, const int *descb, const int *context);

/* PBLAS */
void pdgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k, const double *alpha,
             const double *a, const int *ia, const int *ja, const int *desca, const double *b, const int *ib,
             const int *jb, const int *descb, const double *beta, double *c, const int *ic, const int *jc,
             const int *descc);
void pdtran_(const int *m, const int *n, const double *alpha, const double *a, const int *ia, const int *ja,
             const int *desca, const double *beta, double *c, const int *ic, const int *jc, const int *descc);
/* C = beta C + alpha op(A). Unlike pdlacpy, for which the two must lie alike on the processes, any two places will do.
 */
void pdgeadd_(const char *trans, const int *m, const int *n, const double *alpha, const double *a, const int *ia,
              const int *ja, const int *desca, const double *beta, double *c, const int *ic, const int *jc,
              const int *descc);

/* x = op(A)^-1 x with A triangular. */
void pdtrsv_(const char *uplo, const char *trans, const char *diag, const int *n, const double *a, const int *ia,
             const int *ja, const int *desca, double *x, const int *ix, const int *jx, const int *descx,
             const int *incx);

/* The condition number of a triangle, estimated */
void pdtrcon_(const char *norm, const char *uplo, const char *diag, const int *n, const double *a, const int *ia,
              const int *ja, const int *desca, double *rcond, double *work, const int *lwork, int *iwork,
              const int *liwork, int *info);

/* Bidiagonal reduction and its two orthogonal matrices */
void pdgebrd_(const int *m, const int *n, double *a, const int *ia, const int *ja, const int *desca, double *d,
              double *e, double *tauq, double *taup, double *work, const int *lwork, int *info);
void pdormbr_(const char *vect, const char *side, const char *trans, const int *m, const int *n, const int *k,
              double *a, const int *ia, const int *ja, const int *desca, const double *tau, double *c, const int *ic,
              const int *jc, const int *descc, double *work, const int *lwork, int *info, size_t, size_t, size_t);

/* Singular value decomposition */
void pdgesvd_(const char *jobu, const char *jobvt, const int *m, const int *n, double *a, const int *ia, const int *ja,
              const int *desca, double *s, double *u, const int *iu, const int *ju, const int *descu, double *vt,
              const int *ivt, const int *jvt, const int *descvt, double *work, const int *lwork, int *info, size_t,
              size_t);

#endif
