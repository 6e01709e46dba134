/* Singular value decompositions that never converge, to be loaded in the place of LAPACK's: no study can be trusted to
 * make them fail. */
#include <stddef.h>

/* A query of the work space is answered as LAPACK would: with more than enough. */
static void fail_to_converge(const int *lwork, double *work, int *info) {
    *info = *lwork != -1;
    if (*lwork == -1) work[0] = 1e6;
}

void dgesdd_(const char *job, const int *m, const int *n, double *a, const int *lda, double *s, double *u,
             const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork, int *iwork, int *info,
             size_t length);
void dgesdd_(const char *job, const int *m, const int *n, double *a, const int *lda, double *s, double *u,
             const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork, int *iwork, int *info,
             size_t length) {
    (void)job, (void)m, (void)n, (void)a, (void)lda, (void)s, (void)u, (void)ldu, (void)vt, (void)ldvt, (void)iwork;
    (void)length;
    fail_to_converge(lwork, work, info);
}

void dgesvd_(const char *job_u, const char *job_vt, const int *m, const int *n, double *a, const int *lda, double *s,
             double *u, const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork, int *info,
             size_t length_u, size_t length_vt);
void dgesvd_(const char *job_u, const char *job_vt, const int *m, const int *n, double *a, const int *lda, double *s,
             double *u, const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork, int *info,
             size_t length_u, size_t length_vt) {
    (void)job_u, (void)job_vt, (void)m, (void)n, (void)a, (void)lda, (void)s, (void)u, (void)ldu, (void)vt, (void)ldvt;
    (void)length_u, (void)length_vt;
    fail_to_converge(lwork, work, info);
}
