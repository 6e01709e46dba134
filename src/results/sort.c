/* Values of a set in ascending order: what the statistics of many repeats mostly wait for. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "sort.h"

/* A whole number for each value, in the order of the values. */
static uint64_t key_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits ^ ((uint64_t)((int64_t)bits >> 63) | UINT64_C(1) << 63);
}

/* Shell sort with Knuth's gaps: for a few dozen values faster than qsort. */
static void sort_in_place(double *values, int n) {
    int gap = 1;
    while (gap < n / 3) gap = 3 * gap + 1;
    for (; gap > 0; gap /= 3)
        for (int i = gap; i < n; i++) {
            const double value = values[i];
            int j = i;
            for (; j >= gap && values[j - gap] > value; j -= gap) values[j] = values[j - gap];
            values[j] = value;
        }
}

/* Parts of equal width in the range of keys, about one for each value. Keys of positive values are nearly their
 * logarithms, so that values of many orders of magnitude spread, too. */
enum { MOST_BITS = 12, FEW = 16 };
typedef struct parts {
    uint64_t least;
    int shift, n;
    int end[(1 << MOST_BITS) + 1]; /* end[i + 1]: how many values are in part i; then where it ends */
} parts;

static int part_of(const parts *p, double value) {
    return (int)((key_of(value) - p->least) >> p->shift);
}

static void lay_out_parts(parts *p, int n, double minimum, double maximum) {
    const uint64_t range = key_of(maximum) - key_of(minimum);
    int bits = 1, width = 0;
    while (bits < MOST_BITS && n >> bits > 0) bits++;
    while (width < 64 && range >> width > 0) width++;
    p->least = key_of(minimum);
    p->shift = width > bits ? width - bits : 0;
    p->n = (int)(range >> p->shift) + 1;
    memset(p->end, 0, ((size_t)p->n + 1) * sizeof *p->end);
}

/* Parts stand in their order: each is sorted for itself, small ones together. */
static void sort_parts(const parts *p, double *sorted, int n) {
    for (int i = 0, begin = 0; i < p->n; begin = p->end[i++])
        if (p->end[i] - begin > FEW) sort_in_place(sorted + begin, p->end[i] - begin);
    for (int i = 1; i < n; i++) {
        const double value = sorted[i];
        int j = i;
        for (; j > 0 && sorted[j - 1] > value; j--) sorted[j] = sorted[j - 1];
        sorted[j] = value;
    }
}

void rl_sort(const double *values, int n, double minimum, double maximum, double *sorted) {
    parts p;
    lay_out_parts(&p, n, minimum, maximum);
    for (int i = 0; i < n; i++)
        if (!isnan(values[i])) p.end[part_of(&p, values[i]) + 1]++;
    for (int i = 0; i < p.n; i++) p.end[i + 1] += p.end[i];
    int count = p.end[p.n];
    for (int i = 0; i < n; i++)
        if (!isnan(values[i])) sorted[p.end[part_of(&p, values[i])]++] = values[i];
    sort_parts(&p, sorted, count);
}
