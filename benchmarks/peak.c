/* The rate of fused multiply-adds that a core can reach: chains that depend on nothing but
 * themselves, all in registers. Compiled by peak.py for the machine that it runs on. */

#include <time.h>

/* More chains than latency times pipes (4 or 5 times 2) on any core known, and few enough for
 * sixteen registers. */
#define CHAINS 12
#define ROUNDS 64

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* NAME(seconds) works for about that long and returns FLOPs per second. */
#define DEFINE_PEAK(NAME, TYPE, BYTES)                                                   \
    double NAME(double seconds)                                                          \
    {                                                                                    \
        typedef TYPE vector __attribute__((vector_size(BYTES)));                         \
        vector chain[CHAINS], factor, term;                                              \
        volatile TYPE sink;                                                              \
        for (int lane = 0; lane < (int)(BYTES / sizeof(TYPE)); lane++) {                 \
            factor[lane] = (TYPE)0.5;                                                    \
            term[lane] = (TYPE)(1 + lane);                                               \
        }                                                                                \
        for (int i = 0; i < CHAINS; i++)                                                 \
            chain[i] = term;                                                             \
        const double begin = now();                                                      \
        double end;                                                                      \
        long rounds = 0;                                                                 \
        do {                                                                             \
            for (int repeat = 0; repeat < 256 * ROUNDS; repeat++) {                      \
                _Pragma("GCC unroll 16") for (int i = 0; i < CHAINS; i++)                \
                    chain[i] = chain[i] * factor + term;                                 \
                /* keeps the compiler from working on chains across repeats */           \
                __asm__ volatile("");                                                    \
            }                                                                            \
            rounds += 256 * ROUNDS;                                                      \
            end = now();                                                                 \
        } while (end - begin < seconds);                                                 \
        for (int i = 1; i < CHAINS; i++)                                                 \
            chain[0] += chain[i];                                                        \
        sink = chain[0][0];                                                              \
        (void)sink;                                                                      \
        return 2.0 * CHAINS * (BYTES / sizeof(TYPE)) * (double)rounds / (end - begin);   \
    }

DEFINE_PEAK(peak_float32_16, float, 16)
DEFINE_PEAK(peak_float32_32, float, 32)
DEFINE_PEAK(peak_float32_64, float, 64)
DEFINE_PEAK(peak_float64_16, double, 16)
DEFINE_PEAK(peak_float64_32, double, 32)
DEFINE_PEAK(peak_float64_64, double, 64)
