/* RL_SWEEPS sweeps of implicit QR side by side, for registers of LANES doubles: RUN is the kernel's name. */
#include <stdint.h>

#include "../../fused.h"
#include "iteration.h"

typedef double vec __attribute__((vector_size(LANES * sizeof(double)), aligned(8), may_alias));
typedef int64_t bits __attribute__((vector_size(LANES * sizeof(double)), aligned(8), may_alias));
typedef uint64_t word __attribute__((vector_size(LANES * sizeof(double)), aligned(8), may_alias));

enum { DEEP = RL_SWEEPS / LANES, LAST = LANES - 1 };

#define UNROLLED _Pragma("GCC unroll 8")

/* The last lane of a, and all but the last one of b. */
#if LANES == 8
#define SHIFTED(a, b) __builtin_shufflevector(a, b, 7, 8, 9, 10, 11, 12, 13, 14)
#elif LANES == 4
#define SHIFTED(a, b) __builtin_shufflevector(a, b, 3, 4, 5, 6)
#else
#define SHIFTED(a, b) __builtin_shufflevector(a, b, 1, 2)
#endif

RL_INLINED vec load(const double *x) {
    return *(const vec *)x;
}

RL_INLINED void store(double *x, vec value) {
    *(vec *)x = value;
}

RL_INLINED vec all(double x) {
    return x - (vec){0};
}

/* One over the square root, to a rounding or so: from the halved exponent (3 % off) by four of Newton's steps. The last
 * one adds a correction. A product beside 1/2 would be rounded more coarsely above than below, which leaves a hundredth
 * of a rounding of one sign, and tens of thousands of sweeps make much of it: it is not rounded, or lies elsewhere. */
RL_INLINED vec inverse_root(vec x) {
    const vec half = 0.5 * x;
    vec y = (vec)(0x5fe6eb50c7b537a9 - ((word)x >> 1));
    UNROLLED for (int i = 0; i < 3; i++) y *= 1.5 - half * (y * y);
#ifdef __FMA__
    return y + y * (vec)rl_fused(-half * y, y, all(0.5));
#else
    return y + y * ((0.75 - 0.75 * x * (y * y)) * (2.0 / 3));
#endif
}

/* x with its sign changed where y is negative. */
RL_INLINED vec signed_by(vec x, vec y) {
    return (vec)((bits)x ^ ((bits)y & INT64_MIN));
}

RL_INLINED vec smaller(vec a, vec b) {
    const bits which = a < b;
    return (vec)(((bits)a & which) | ((bits)b & ~which));
}

/* One side of all sweeps: scales of columns i and i + 1, where frames are, and the scale of what comes next. */
typedef struct side {
    vec scale[DEEP], after[DEEP];
    double *frame, *scales;
    vec before;
} side;

RL_INLINED void begin_side(side *s, const rl_chain_side *given) {
    s->frame = given->frames;
    s->scales = given->scales;
    UNROLLED for (int x = 0; x < DEEP; x++) s->scale[x] = load(given->scale + x * LANES),
                                            s->after[x] = load(given->scale_after + x * LANES);
}

RL_INLINED void end_side(const side *s, rl_chain_side *given) {
    UNROLLED for (int x = 0; x < DEEP; x++) store(given->scale + x * LANES, s->scale[x]),
        store(given->scale_after + x * LANES, s->after[x]);
}

/* As rl_sweep_set; scales move on from lane to lane as elements do. Frames are left out where nobody waits for them. */
RL_INLINED void set_frame(side *one, int x, vec c, vec s, bool is_wanted) {
    const vec scale = one->scale[x], after = one->after[x], made = c * scale, over = s / (made * after);
    if (is_wanted) {
        store(one->frame + x * LANES, over * after * after);
        store(one->frame + x * LANES + RL_SWEEPS, over * scale * scale);
    }
    one->scale[x] = c * after;
    one->after[x] = SHIFTED(one->before, made);
    one->before = made;
}

/* The last lane's scale is left behind. */
RL_INLINED void move_side(side *one, bool is_wanted) {
    one->scales[-RL_LAG * (RL_SWEEPS - 1)] = one->before[LAST];
    one->scales++;
    if (is_wanted) one->frame += RL_FRAME;
}

/* What a step makes of its bulge: elements (i - 1, i) and (i, i), what it was made of, and its rotations. */
typedef struct made {
    vec above, diagonal, least, c, s, c_left, s_left;
} made;

/* A step of LANES sweeps, with the rotation from the left made of (f', g') r as in a single one (chase.c). The bulge's
 * g and above remain to be multiplied by the element (i + 1, i + 2). */
RL_INLINED made step(vec *f, vec *g, vec *diagonal, vec *above, vec next) {
    const vec squares = *f * *f + *g * *g, f_next = *f * *diagonal + *g * *above, g_next = *g * next;
    const vec next_squares = f_next * f_next + g_next * g_next;
    const vec inverse = signed_by(inverse_root(squares), *f);
    const vec next_inverse = signed_by(inverse_root(next_squares), f_next);
    const vec c = *f * inverse, s = *g * inverse, c_left = f_next * next_inverse, s_left = g_next * next_inverse;
    const vec beside = c * *above - s * *diagonal, below = c * next;
    const made result = {.above = squares * inverse,
                         .diagonal = (next_squares * next_inverse) * inverse,
                         .least = smaller(squares, next_squares),
                         .c = c,
                         .s = s,
                         .c_left = c_left,
                         .s_left = s_left};
    *f = c_left * beside + s_left * below;
    *diagonal = c_left * below - s_left * beside;
    *g = s_left;
    *above = c_left;
    return result;
}

/* What a sweep has made of an element, the next sweep finds: lanes move on by one. */
RL_INLINED void run(rl_chain *given, bool has_right, bool has_left) {
    const rl_chain c = *given;
    vec f[DEEP], g[DEEP], diagonal[DEEP], above[DEEP], next[DEEP], least = all(c.least);
    side right, left;
    begin_side(&right, &c.right);
    begin_side(&left, &c.left);
    UNROLLED for (int x = 0; x < DEEP; x++) {
        f[x] = load(c.f + x * LANES), g[x] = load(c.g + x * LANES), diagonal[x] = load(c.diagonal + x * LANES);
        above[x] = load(c.above + x * LANES), next[x] = load(c.next + x * LANES);
    }
    for (int t = c.begin; t < c.end; t++) {
        vec d_before = all(c.d[t + 2]), e_before = all(c.e[t + 1]);
        right.before = all(right.scales[2]), left.before = all(left.scales[2]);
        UNROLLED for (int x = 0; x < DEEP; x++) {
            const made m = step(&f[x], &g[x], &diagonal[x], &above[x], next[x]);
            set_frame(&right, x, m.c, m.s, has_right);
            set_frame(&left, x, m.c_left, m.s_left, has_left);
            const vec e = SHIFTED(e_before, m.above);
            next[x] = SHIFTED(d_before, m.diagonal);
            g[x] *= e;
            above[x] *= e;
            d_before = m.diagonal;
            e_before = m.above;
            least = smaller(m.least, least);
        }
        c.d[t - RL_LAG * (RL_SWEEPS - 1)] = d_before[LAST];
        c.e[t - RL_LAG * (RL_SWEEPS - 1) - 1] = e_before[LAST];
        move_side(&right, has_right);
        move_side(&left, has_left);
    }
    end_side(&right, &given->right);
    end_side(&left, &given->left);
    UNROLLED for (int x = 0; x < DEEP; x++) {
        store(given->f + x * LANES, f[x]), store(given->g + x * LANES, g[x]);
        store(given->diagonal + x * LANES, diagonal[x]), store(given->above + x * LANES, above[x]);
        store(given->next + x * LANES, next[x]);
    }
    for (int lane = 0; lane < LANES; lane++)
        if (least[lane] < given->least) given->least = least[lane];
}

void RUN(rl_chain *chain) {
    if (chain->right.frames != NULL && chain->left.frames != NULL)
        run(chain, true, true);
    else if (chain->right.frames != NULL)
        run(chain, true, false);
    else
        run(chain, false, chain->left.frames != NULL);
}
