/* narrow: products of a large matrix with narrow ones. Private to `distributed`; all functions are local.
 *
 * BLAS copies what it multiplies to where its kernels read it in order. Where the other factor has the 64 columns of a
 * panel, that is a fifth of the time. These functions read the large matrix where it is, and once where something is
 * subtracted from it and it is multiplied then. What is left over at the edges, and all of it where the processor has
 * no fused multiply-add of 4 or 8 doubles, goes to BLAS. */
#ifndef RL_NARROW_H
#define RL_NARROW_H

enum { RL_NARROW_ROWS = 240, RL_NARROW_TERMS = 2 };

/* left^T right; k = 0: nothing. */
typedef struct rl_narrow_term {
    int k;
    const double *left, *right; /* [k, m], [k, n]; ld = k */
} rl_narrow_term;

/* One pass through C [m, n], column-major. Where ld is more than m, up to 7 rows after the last one must be there too:
 * they stay what they are. Those of the product become anything. */
typedef struct rl_narrow {
    int m, n, ld;
    double *c;
    /* C -= the first term and the second one. */
    rl_narrow_term terms[RL_NARROW_TERMS];
    double *packed; /* [k of both, RL_NARROW_ROWS]: room for some of left */
    /* product := C factor^T, C as it is then; NULL: nothing is multiplied. */
    int factors;
    const double *factor; /* [factors, n], ld = factors */
    double *product;      /* [m, factors] */
    int ld_product;
} rl_narrow;

/* max_lanes: doubles in a vector register that is used; 0: as many as there are. 4 and 8 give the same bits. */
void rl_narrow_pass(const rl_narrow *p, int max_lanes);

/* out [k, n] := left C for left [k, m], C [m, n]; ld of the first two = k. */
void rl_narrow_left(int m, int n, int k, const double *left, const double *c, int ld, double *out, int max_lanes);

/* The kernels, for registers of 4 and 8 doubles: for m, n and factors that are multiples of their tiles. Products are
 * added to what is there. */
enum { RL_NARROW_DEEP = 3, RL_NARROW_ACROSS = 6 };
typedef void rl_narrow_pass_kernel(const rl_narrow *p, int m, int n);
typedef void rl_narrow_left_kernel(int m, int n, int k, const double *left, const double *c, int ld, double *out);
rl_narrow_pass_kernel rl_narrow_pass_4, rl_narrow_pass_8;
rl_narrow_left_kernel rl_narrow_left_4, rl_narrow_left_8;

#endif
