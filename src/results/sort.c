/* Values of a set in ascending order, or some places of it: what the statistics of many repeats mostly wait for. */
#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "../clones.h"
#include "sort.h"

/* A whole number for each value, in the order of the values. */
static uint64_t key_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits ^ ((uint64_t)((int64_t)bits >> 63) | UINT64_C(1) << 63);
}

/* Shell sort with Knuth's gaps: for a few dozen values faster than qsort; and for more that are nearly in one place. */
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

/* Few moves where all are nearly in order; false: it takes more, and they are not sorted. */
static bool insert_each(double *values, int n, int64_t most_moves) {
    int64_t moves = 0;
    for (int i = 1; i < n && moves <= most_moves; i++) {
        const double value = values[i];
        int j = i;
        for (; j > 0 && values[j - 1] > value; j--) values[j] = values[j - 1];
        values[j] = value;
        moves += i - j;
    }
    return moves <= most_moves;
}

/* Where a value stands in the range of keys, as a number of two digits. Keys of positive values are nearly their
 * logarithms, so that values of many orders of magnitude spread, too. */
enum { LEAST_BITS = 6, MOST_BITS = 10, SHELL = 48 };
typedef struct scale {
    uint64_t least;
    int shift, bits; /* bits: of a digit */
} scale;

/* Of zeros the one of the other sign may be there, too. */
static scale scale_of(int n, double minimum, double maximum) {
    const uint64_t least = key_of(minimum == 0 ? -0.0 : minimum), range = key_of(maximum == 0 ? 0.0 : maximum) - least;
    int bits = LEAST_BITS, width = 0;
    while (bits < MOST_BITS && n >> bits > 0) bits++;
    while (width < 64 && range >> width > 0) width++;
    return (scale){least, width > 2 * bits ? width - 2 * bits : 0, bits};
}

static size_t place_of(const scale *s, double value) {
    return (key_of(value) - s->least) >> s->shift;
}

/* How many values have each digit becomes where the first of them goes. */
static void sum_counts(int *count, size_t n) {
    int sum = 0;
    for (size_t i = 0; i < n; i++) {
        const int here = count[i];
        count[i] = sum;
        sum += here;
    }
}

/* By one digit after the other, the last one first: then nearly all values stand where they belong. Gives how many
 * there are. */
static int sort_by_digits(const double *values, int n, const scale *s, double *sorted, double *room) {
    int last[1 << MOST_BITS] = {0}, first[1 << MOST_BITS] = {0}, count = 0;
    const size_t n_digits = (size_t)1 << s->bits, mask = n_digits - 1;
    for (int i = 0; i < n; i++) {
        if (isnan(values[i])) continue;
        last[place_of(s, values[i]) & mask]++;
        first[place_of(s, values[i]) >> s->bits]++;
        count++;
    }
    sum_counts(last, n_digits);
    sum_counts(first, n_digits);
    for (int i = 0; i < n; i++)
        if (!isnan(values[i])) room[last[place_of(s, values[i]) & mask]++] = values[i];
    for (int i = 0; i < count; i++) sorted[first[place_of(s, room[i]) >> s->bits]++] = room[i];
    return count;
}

static int copy_values(const double *values, int n, double *copy) {
    int count = 0;
    for (int i = 0; i < n; i++)
        if (!isnan(values[i])) copy[count++] = values[i];
    return count;
}

void rl_sort(const double *values, int n, double minimum, double maximum, double *sorted, double *room) {
    const scale s = scale_of(n, minimum, maximum);
    const int most_moves_each = 8;
    const bool alike = minimum == maximum && minimum != 0; /* zeros of both signs are equal, and have an order */
    const bool few = n < SHELL || alike;
    const int count = few ? copy_values(values, n, sorted) : sort_by_digits(values, n, &s, sorted, room);
    if (alike) return; /* as counts of modes mostly are */
    if (few || !insert_each(sorted, count, (int64_t)most_moves_each * count)) sort_in_place(sorted, count);
}

/* ---- some places of the order ------------------------------------------------------------------------------------ */

/* Values are counted by one digit; those of the digits in which a place lies go where they belong, and are sorted. */
typedef struct digits {
    int first[(1 << MOST_BITS) + 1]; /* how many values have less digits */
    int next[1 << MOST_BITS];        /* where the next value of a digit goes */
    unsigned char wanted[1 << MOST_BITS];
} digits;
enum { LEAST_SELECTED = 256, MOST_ALIKE = 256 /* values of one digit that differ */ };

/* The digit of each value. */
RL_CLONES static void find_digits(const double *values, int n, const scale *s, uint16_t *digit) {
    const scale with = {s->least, s->shift + s->bits, s->bits};
    for (int i = 0; i < n; i++) digit[i] = (uint16_t)place_of(&with, values[i]);
}

static void count_digits(const uint16_t *digit, int n, size_t n_digits, digits *d) {
    memset(d->first, 0, (n_digits + 1) * sizeof *d->first);
    memset(d->wanted, 0, n_digits);
    for (int i = 0; i < n; i++) d->first[digit[i] + 1]++;
    for (size_t k = 0; k < n_digits; k++) {
        d->first[k + 1] += d->first[k];
        d->next[k] = d->first[k];
    }
}

static void mark_digits(const int *places, int n_places, digits *d) {
    size_t k = 0;
    for (int i = 0; i < n_places; i++) {
        assert(i == 0 || places[i] >= places[i - 1]);
        while (d->first[k + 1] <= places[i]) k++;
        d->wanted[k] = 1;
    }
}

/* A value whose digit is not wanted goes to one place of that digit, and the next one too: no branch is guessed. */
static void put_wanted(const double *values, const uint16_t *digit, int n, digits *d, double *sorted) {
    for (int i = 0; i < n; i++) {
        const size_t k = digit[i];
        sorted[d->next[k]] = values[i];
        d->next[k] += d->wanted[k];
    }
}

static bool are_same(const double *values, int n) {
    int i = 1;
    while (i < n && key_of(values[i]) == key_of(values[0])) i++;
    return i >= n;
}

/* false: very many values of a digit differ, as one that is far away from all makes them. Of counts very many are the
 * same. */
static bool sort_wanted(size_t n_digits, const digits *d, double *sorted) {
    for (size_t k = 0; k < n_digits; k++) {
        double *const here = sorted + d->first[k];
        const int n = d->first[k + 1] - d->first[k];
        if (!d->wanted[k] || are_same(here, n)) continue;
        if (n > MOST_ALIKE) return false;
        sort_in_place(here, n);
    }
    return true;
}

void rl_sort_places(const double *values, int n, int count, double minimum, double maximum, const int *places,
                    int n_places, double *sorted, double *room) {
    const scale s = scale_of(n, minimum, maximum);
    const size_t n_digits = (size_t)1 << s.bits;
    uint16_t *const digit = (uint16_t *)room;
    digits d;
    if (count == n && n >= LEAST_SELECTED && minimum < maximum) {
        find_digits(values, n, &s, digit);
        count_digits(digit, n, n_digits, &d);
        mark_digits(places, n_places, &d);
        put_wanted(values, digit, n, &d, sorted);
        if (sort_wanted(n_digits, &d, sorted)) return;
    }
    rl_sort(values, n, minimum, maximum, sorted, room);
}
