/* rates: what a machine does in a second, as `ridgeless bench calibrate` measures it; for predictions. Part of `plan`,
 * pure: nothing here measures or communicates. */
#ifndef RIDGELESS_RATES_H
#define RIDGELESS_RATES_H

#include "ridgeless/core.h"

enum { RL_RATE_TEXT = 200, RL_RATE_POINTS = 12 };

/* A rate that depends on size: rate[i] at size[i], sizes ascending. */
typedef struct rl_rate_table {
    int n; /* 1 ... RL_RATE_POINTS */
    double size[RL_RATE_POINTS], rate[RL_RATE_POINTS];
} rl_rate_table;

/* All numbers are above 0. "A core": of one rank while a rank on each of `cores` cores is busy with the same. */
typedef struct rl_rates {
    char host[RL_RATE_TEXT], blas[RL_RATE_TEXT], date[RL_RATE_TEXT]; /* where, on what, when */
    int cores;                                                       /* of a node that were busy */
    double normals;      /* standard normal numbers drawn a second, a core */
    double words;        /* blocks of four random words a second, a core, that inputs of autoencoders are drawn by */
    double gemm;         /* flops per second, a core, of dgemm on updates of rank 64 */
    double outputs;      /* flops per second, a core, of an autoencoder's outputs and sums over them in registers */
    double narrow;       /* flops per second, a core, of dgemm on some vectors at once, beside packing the matrix */
    double packing;      /* bytes of that matrix that dgemm packs a second, a core */
    double triangles;    /* flops per second, a core, of dtrsm on as many, with a triangle of order 64 */
    double tridiagonal;  /* seconds per n^2 of dsterf, which finds the eigenvalues of a tridiagonal matrix */
    double panels;       /* flops per second, a core, of a reduction's products, which are not BLAS's everywhere */
    rl_rate_table gemv;  /* bytes that dgemv reads a second, a core, by the bytes of the rank's matrix */
    double gemv_alone;   /* the same of one rank while the other cores idle, at the largest of those sizes */
    rl_rate_table dense; /* flops per second of the plan's model, a core, of curves of LAPACK spectra, by n_features */
    rl_rate_table updates; /* the same of curves whose spectra are each made of the one before it (updated.h) */
    rl_rate_table lanes;   /* the same of repeats side by side in vector registers (bulk.h) */
    double cell;           /* seconds that one variant of a spectrum takes, beside its flops */
    /* Bidiagonal QR on each rank, with n modes. A rotation is counted for n^2 and each row or column that is turned. */
    double bidiagonal;        /* seconds of a step, whatever is turned: every rank does this part (case_needs.h) */
    double rotations;         /* a second, a core, of the rows of Z */
    double pdgesvd_rotations; /* a second, a core, of the rows of U and the columns of V^T inside pdgesvd */
    /* The same of band to bidiagonal, which costs in proportion to the width of the band too. */
    double band;           /* seconds for each of n^2 x width */
    double band_rotations; /* a second, a core */
    /* Communication, as distributed.h has it: rl_message_costs. */
    double column;            /* seconds */
    double message;           /* seconds */
    double message_bandwidth; /* bytes per second */
    /* Around the work. */
    double start, launch; /* seconds that MPI takes to start: one rank by itself, and several by a launcher */
    double journal;       /* bytes of records per second that rank 0 puts into the journal */
    double record;        /* seconds that a record takes it there, however small it is */
    double process;       /* bytes of memory of a rank that has nothing to do: the program and its libraries */
    double group;         /* seconds that a group of the results file takes, however little is in it */
    double results;       /* bytes of records per second that rank 0 makes the results file of */
} rl_rates;

/* What serves a machine that was not calibrated. */
extern const rl_rates rl_rates_default;
#define RL_RATES_SHIPPED "shipped default" /* what its source is called */

/* What nodes of a cluster with 64 cores and 100 Gbit/s are like: typical numbers, measured on no machine. */
extern const rl_rates rl_rates_cluster;
#define RL_RATES_CLUSTER        "cluster" /* the word that asks for them instead of a file */
#define RL_RATES_CLUSTER_SOURCE "shipped, of no machine: a typical cluster, nodes of 64 cores with 100 Gbit/s"
#define RL_RATES_CLUSTER_BYTES  0x1p38 /* memory of such a node */

/* Interpolated between the two next sizes, log-log; the nearest one's beyond the ends. */
double rl_rate_at(const rl_rate_table *table, double size);

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* Reads rates from JSON. RL_ERR_INPUT names the file and the key, or the line, and says what was expected. */
rl_status rl_rates_read(const char *path, rl_rates *rates);

/* Appends the JSON that rl_rates_read reads; numbers to 5 digits. */
rl_status rl_rates_json(const rl_rates *rates, rl_text *json);

/* Writes it, making the folder; a file that is there is replaced whole. */
rl_status rl_rates_write(const char *path, const rl_rates *rates);

/* The place where rates are kept: ridgeless/rates.json in $XDG_CONFIG_HOME or else in ~/.config; owned by the caller.
 * RL_ERR_INPUT when neither that variable nor $HOME names a folder. */
rl_status rl_rates_place(char **path);

/* The rates to predict with: of `file` unless that is NULL (RL_RATES_CLUSTER stands for rl_rates_cluster), else of
 * $RIDGELESS_RATES, else of rl_rates_place if there is such a file, else the default. *source says which it was, for
 * people: the file's name, RL_RATES_SHIPPED or RL_RATES_CLUSTER_SOURCE; owned by the caller. */
rl_status rl_rates_find(const char *file, rl_rates *rates, char **source);

/* Appends a table for people, a rate a line. */
rl_status rl_rates_text(const rl_rates *rates, rl_text *text);

#endif
