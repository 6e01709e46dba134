/* What of ScaLAPACK is linked, but that no simulated case calls. */
#include <stdio.h>
#include <stdlib.h>

#define REFUSED(name)                                          \
    void name(void);                                           \
    void name(void) {                                          \
        fprintf(stderr, "%s: not in the simulation\n", #name); \
        abort();                                               \
    }

REFUSED(pdgeadd_)
REFUSED(pdgemm_)
REFUSED(pdgesvd_)
REFUSED(pdormbr_)
REFUSED(pdtran_)
REFUSED(pdtrcon_)
REFUSED(pdtrsv_)
