/* The rates of a machine: the default ones, interpolation between sizes, and a table for people. */
#include "ridgeless/rates.h"

#include <math.h>

#include "rate_fields.h"

#define TEXT(key, member, meaning) \
    { key, RL_RATE_IS_TEXT, offsetof(rl_rates, member), meaning, 0, "", 0, "" }
#define NUMBER(key, member, meaning, factor, unit) \
    { key, RL_RATE_IS_NUMBER, offsetof(rl_rates, member), meaning, factor, unit, 0, "" }
#define TABLE(key, member, meaning, factor, unit, size_factor, size_unit) \
    { key, RL_RATE_IS_TABLE, offsetof(rl_rates, member), meaning, factor, unit, size_factor, size_unit }

const rl_rate_field rl_rate_fields[RL_N_RATE_FIELDS] = {
    TEXT("host", host, "host"),
    TEXT("blas", blas, "BLAS"),
    TEXT("date", date, "date"),
    {"cores", RL_RATE_IS_COUNT, offsetof(rl_rates, cores), "busy cores of a node", 1, "", 0, ""},
    NUMBER("normals_per_second", normals, "normal numbers, a core", 1e-6, "million/s"),
    NUMBER("gemm_flops_per_second", gemm, "dgemm of rank 64, a core", 1e-9, "GFlop/s"),
    TABLE("gemv_bytes_per_second", gemv, "dgemv, a core", 1e-9, "GB/s", 1e-6, "MB"),
    NUMBER("gemv_alone_bytes_per_second", gemv_alone, "dgemv, one core alone", 1e-9, "GB/s"),
    TABLE("dense_flops_per_second", dense, "LAPACK spectra, a core", 1e-9, "GFlop/s", 1, "features"),
    NUMBER("bidiagonal_seconds", bidiagonal, "bidiagonal QR, serial", 1e9, "ns n^2"),
    NUMBER("rotations_per_second", rotations, "its rotations, a core", 1e-9, "billion/s"),
    NUMBER("pdgesvd_rotations_per_second", pdgesvd_rotations, "those of pdgesvd, a core", 1e-9, "billion/s"),
    NUMBER("band_seconds", band, "band to bidiagonal, serial", 1e9, "ns n^2 width"),
    NUMBER("band_rotations_per_second", band_rotations, "its rotations, a core", 1e-9, "billion/s"),
    NUMBER("column_seconds", column, "ScaLAPACK's software a column", 1e6, "us"),
    NUMBER("message_seconds", message, "a message", 1e6, "us"),
    NUMBER("message_bytes_per_second", message_bandwidth, "a long message", 1e-9, "GB/s"),
};

/* Measured by `ridgeless bench calibrate`. */
const rl_rates rl_rates_default = {
    .host = "a virtual machine with 2 cores of an AMD EPYC",
    .blas = "OpenBLAS 0.3.21, kernel Haswell, 1 thread",
    .date = "2026-11-24",
    .cores = 2,
    .normals = 1.5e8,
    .gemm = 4.5e10,
    .gemv = {4, {1.0486e6, 4.1943e6, 1.6777e7, 6.7109e7}, {8e10, 6.4e10, 4.2e10, 2.3e10}},
    .gemv_alone = 2.5e10,
    .dense = {4, {8, 32, 128, 512}, {9e8, 6e9, 1.7e10, 2.6e10}},
    .bidiagonal = 2e-8,
    .rotations = 1.2e10,
    .pdgesvd_rotations = 1.1e9,
    .band = 4.8e-10,
    .band_rotations = 2.5e10,
    .column = 4e-6,
    .message = 1e-6,
    .message_bandwidth = 1.2e10,
};

double rl_rate_at(const rl_rate_table *table, double size) {
    const int last = table->n - 1;
    int i = 0;
    if (!(size > table->size[0])) return table->rate[0];
    if (size >= table->size[last]) return table->rate[last];
    while (size >= table->size[i + 1]) i++;
    const double part = log(size / table->size[i]) / log(table->size[i + 1] / table->size[i]);
    return table->rate[i] * pow(table->rate[i + 1] / table->rate[i], part);
}

/* ---- for people -------------------------------------------------------------------------------------------------- */

static rl_status append_table(const rl_rate_field *field, const rl_rate_table *table, rl_text *text) {
    for (int i = 0; i < table->n; i++)
        RL_TRY(rl_text_append(text, "%-32s %9.4g %s at %.4g %s\n", i == 0 ? field->meaning : "",
                              field->factor * table->rate[i], field->unit, field->size_factor * table->size[i],
                              field->size_unit));
    return RL_OK;
}

rl_status rl_rates_text(const rl_rates *rates, rl_text *text) {
    for (int i = 0; i < RL_N_RATE_FIELDS; i++) {
        const rl_rate_field *field = &rl_rate_fields[i];
        const void *member = (const char *)rates + field->offset;
        switch (field->kind) {
            case RL_RATE_IS_TEXT:
                RL_TRY(rl_text_append(text, "%-32s %s\n", field->meaning, (const char *)member));
                break;
            case RL_RATE_IS_COUNT:
                RL_TRY(rl_text_append(text, "%-32s %9d\n", field->meaning, *(const int *)member));
                break;
            case RL_RATE_IS_NUMBER:
                RL_TRY(rl_text_append(text, "%-32s %9.4g %s\n", field->meaning, field->factor * *(const double *)member,
                                      field->unit));
                break;
            case RL_RATE_IS_TABLE:
                RL_TRY(append_table(field, member, text));
                break;
        }
    }
    return RL_OK;
}
