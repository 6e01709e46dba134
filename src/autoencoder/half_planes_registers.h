/* Private to half_planes_kernel.c: vector registers of LANES numbers, 2, 4 or 8.
 *
 * Sums have RL_LANES lanes, whatever the registers: those of LANES numbers take a part of the lanes each. A product
 * that is added to something is rounded once with the sum: by fma() where the registers are those of any processor. */
#ifndef RL_AUTOENCODER_HALF_PLANES_REGISTERS_H
#define RL_AUTOENCODER_HALF_PLANES_REGISTERS_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "../fused.h"
#include "half_planes.h"

enum { PARTS = RL_LANES / LANES };

typedef double vector __attribute__((vector_size(sizeof(double) * LANES)));
typedef int64_t mask __attribute__((vector_size(sizeof(int64_t) * LANES)));
typedef double point __attribute__((vector_size(sizeof(double) * RL_POINT)));
typedef int64_t point_mask __attribute__((vector_size(sizeof(int64_t) * RL_POINT)));

/* Eight numbers. */
typedef struct wide {
    vector part[PARTS];
} wide;

#define EACH_PART(i) for (int i = 0; i < PARTS; i++)

RL_INLINED wide load(const double *from) {
    wide all;
    memcpy(&all, from, sizeof all);
    return all;
}

RL_INLINED void store(double *to, const wide *all) {
    memcpy(to, all, sizeof *all);
}

RL_INLINED double add_lanes(const double lane[RL_LANES]) {
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

RL_INLINED double sum_of(const wide *all) {
    double lane[RL_LANES];
    store(lane, all);
    return add_lanes(lane);
}

/* The sums of eight, one after the other: those that sum_of makes. */
RL_INLINED void sums_of(const wide all[RL_LANES], double sums[RL_LANES]) {
#if LANES == 8 && defined(__AVX512F__)
    enum { LOW = 0x44, HIGH = 0xee, EVEN = 0x88, ODD = 0xdd }; /* halves of two vectors, and quarters */
    static const int order[] = {0, 2, 4, 6, 1, 3, 5, 7};       /* as what follows deals them out */
    __m512d four[RL_LANES / 2], two[RL_LANES / 4];
    for (int i = 0; i < RL_LANES / 2; i++) {
        const __m512d a = (__m512d)all[order[2 * i]].part[0], b = (__m512d)all[order[2 * i + 1]].part[0];
        four[i] = _mm512_shuffle_f64x2(a, b, LOW) + _mm512_shuffle_f64x2(a, b, HIGH);
    }
    for (int i = 0; i < RL_LANES / 4; i++) {
        const __m512d a = four[2 * i], b = four[2 * i + 1];
        two[i] = _mm512_shuffle_f64x2(a, b, EVEN) + _mm512_shuffle_f64x2(a, b, ODD);
    }
    _mm512_storeu_pd(sums, _mm512_unpacklo_pd(two[0], two[1]) + _mm512_unpackhi_pd(two[0], two[1]));
#else
    for (int i = 0; i < RL_LANES; i++) sums[i] = sum_of(&all[i]);
#endif
}

/* Which lanes of a vector have something: a register of bits, or a vector of masks. */
#if LANES == 8 && defined(__AVX512F__)
typedef __mmask8 lanes;

RL_INLINED lanes above(vector a, vector b) {
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_GT_OQ);
}

RL_INLINED lanes not_below(vector a, vector b) {
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_GE_OQ);
}

RL_INLINED unsigned bits_of(lanes set) {
    return set;
}

RL_INLINED lanes lanes_of(unsigned bits) {
    return (lanes)bits;
}

/* v there, and 0. */
RL_INLINED vector only(lanes set, vector v) {
    return (vector)_mm512_maskz_mov_pd(set, (__m512d)v);
}

/* sum + v there, and sum. */
RL_INLINED vector add_only(vector sum, lanes set, vector v) {
    return (vector)_mm512_mask_add_pd((__m512d)sum, set, (__m512d)sum, (__m512d)v);
}

RL_INLINED vector positive_part(vector z) {
    return (vector)_mm512_max_pd((__m512d)z, _mm512_setzero_pd());
}

/* Stores the numbers whose bits are set one after the other, and more behind them. */
RL_INLINED void pack(double *to, vector v, unsigned bits) {
    _mm512_storeu_pd(to, _mm512_maskz_compress_pd((__mmask8)bits, (__m512d)v));
}

/* Where bits are set, what was packed; 0 elsewhere. */
RL_INLINED vector unpack(const double *from, unsigned bits) {
    return (vector)_mm512_maskz_expandloadu_pd((__mmask8)bits, from);
}
#else
typedef mask lanes;

RL_INLINED lanes above(vector a, vector b) {
    return a > b;
}

RL_INLINED lanes not_below(vector a, vector b) {
    return a >= b;
}

RL_INLINED unsigned bits_of(lanes set) {
#if LANES == 4 && defined(__AVX__)
    return (unsigned)_mm256_movemask_pd((__m256d)set);
#elif LANES == 2 && defined(__SSE2__)
    return (unsigned)_mm_movemask_pd((__m128d)set);
#else
    unsigned bits = 0;
    for (int i = 0; i < LANES; i++) bits |= (unsigned)(set[i] != 0) << i;
    return bits;
#endif
}

RL_INLINED lanes lanes_of(unsigned bits) {
    mask each;
    for (int i = 0; i < LANES; i++) each[i] = 1 << i;
    return (((int64_t)bits - (mask){0}) & each) != 0;
}

RL_INLINED vector only(lanes set, vector v) {
    return (vector)((mask)v & set);
}

RL_INLINED vector add_only(vector sum, lanes set, vector v) {
    return sum + only(set, v); /* no sum is -0 */
}

RL_INLINED vector positive_part(vector z) {
    return (vector)((mask)z & (z > 0));
}

#if LANES == 4 && defined(__AVX2__)
/* The halves of the numbers that go to each place. */
#define HALVES(a, b, c, d) \
    { 2 * a, 2 * a + 1, 2 * b, 2 * b + 1, 2 * c, 2 * c + 1, 2 * d, 2 * d + 1 }

RL_INLINED vector permuted(vector v, const int32_t halves[2 * LANES]) {
    const __m256i order = _mm256_load_si256((const __m256i *)(const void *)halves);
    return (vector)_mm256_permutevar8x32_epi32((__m256i)v, order);
}

RL_INLINED void pack(double *to, vector v, unsigned bits) {
    static const _Alignas(sizeof(vector))
        int32_t halves[][2 * LANES] = {HALVES(0, 0, 0, 0), HALVES(0, 0, 0, 0), HALVES(1, 0, 0, 0), HALVES(0, 1, 0, 0),
                                       HALVES(2, 0, 0, 0), HALVES(0, 2, 0, 0), HALVES(1, 2, 0, 0), HALVES(0, 1, 2, 0),
                                       HALVES(3, 0, 0, 0), HALVES(0, 3, 0, 0), HALVES(1, 3, 0, 0), HALVES(0, 1, 3, 0),
                                       HALVES(2, 3, 0, 0), HALVES(0, 2, 3, 0), HALVES(1, 2, 3, 0), HALVES(0, 1, 2, 3)};
    const vector first = permuted(v, halves[bits]);
    memcpy(to, &first, sizeof first);
}

RL_INLINED vector unpack(const double *from, unsigned bits) {
    static const _Alignas(sizeof(vector))
        int32_t halves[][2 * LANES] = {HALVES(0, 0, 0, 0), HALVES(0, 0, 0, 0), HALVES(0, 0, 0, 0), HALVES(0, 1, 0, 0),
                                       HALVES(0, 0, 0, 0), HALVES(0, 0, 1, 0), HALVES(0, 0, 1, 0), HALVES(0, 1, 2, 0),
                                       HALVES(0, 0, 0, 0), HALVES(0, 0, 0, 1), HALVES(0, 0, 0, 1), HALVES(0, 1, 0, 2),
                                       HALVES(0, 0, 0, 1), HALVES(0, 0, 1, 2), HALVES(0, 0, 1, 2), HALVES(0, 1, 2, 3)};
    vector first;
    memcpy(&first, from, sizeof first);
    return only(lanes_of(bits), permuted(first, halves[bits]));
}
#else
RL_INLINED void pack(double *to, vector v, unsigned bits) {
    for (int i = 0; i < LANES; i++) {
        *to = v[i];
        to += bits >> i & 1;
    }
}

RL_INLINED vector unpack(const double *from, unsigned bits) {
    vector v = {0};
    for (int i = 0; i < LANES; i++) {
        const unsigned is_set = bits >> i & 1;
        v[i] = is_set ? *from : 0;
        from += is_set;
    }
    return v;
}
#endif
#endif

RL_INLINED vector all_of(double number) {
    return number - (vector){0};
}

RL_INLINED vector size_of(vector v) {
    return (vector)((mask)v & INT64_MAX);
}

RL_INLINED vector load_part(const double *from) {
    vector v;
    memcpy(&v, from, sizeof v);
    return v;
}

RL_INLINED void store_part(double *to, vector v) {
    memcpy(to, &v, sizeof v);
}

#endif
