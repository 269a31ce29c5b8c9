/* What every instruction set's file needs before it includes the template. */

#ifndef CONVX_ISA_H
#define CONVX_ISA_H

#include <stddef.h>

#include "box.h"
#include "convx.h"

/* A name that ends with the instruction set's. */
#define ISA_PASTE(name, isa) name##_##isa
#define ISA_EXPAND(name, isa) ISA_PASTE(name, isa)

#define CX_INLINE static inline __attribute__((always_inline))
#define CX_NOINLINE __attribute__((noinline))

/* Has a vector in a register from here on: compilers would load it anew at each of its uses. */
#if defined __x86_64__
#define CX_HOLD(v) __asm__("" : "+v"(v))
#else
#define CX_HOLD(v) __asm__("" : "+w"(v))
#endif

/* Hides that a pointer stays what it is: what was loaded there is loaded again. */
#define CX_FORGET(pointer) __asm__("" : "+r"(pointer))

#if defined __clang__
#define CX_UNROLL _Pragma("unroll")
#define CX_UNROLL_8 _Pragma("unroll 8")
#else
#define CX_UNROLL _Pragma("GCC unroll 16")
#define CX_UNROLL_8 _Pragma("GCC unroll 8")
#endif

#if defined __has_builtin
#if __has_builtin(__builtin_shufflevector)
#define CX_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#define CX_JOIN CX_SHUFFLE /* of vectors half as long as the result */
#endif
#endif
#if !defined CX_SHUFFLE /* GCC before 12 */
#define CX_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (NAME(mask)){__VA_ARGS__})
#endif

/* By what a Fourier transform of so many points begins: by 3 as often as it goes, then by 5, then by 8,
   and by 4 or 2 for what is no power of 8. */
CX_INLINE int64_t cx_radix(int64_t points)
{
    int64_t two = points & -points;
    if (points != two)
        return points % 3 ? 5 : 3;
    if (two <= 8)
        return two;
    return two == 16 ? 4 : 8;
}

/* A distance in bytes up to seven times, such that each is one of four numbers times 1, 2 or 4, which an
   address can have: compilers would keep a pointer for each, and have no registers for them. */
typedef struct {
    int64_t one, three, five, seven;
} cx_multiples;

CX_INLINE cx_multiples cx_multiples_of(int64_t bytes)
{
    cx_multiples of = {bytes, 3 * bytes, 5 * bytes, 7 * bytes};
    CX_FORGET(of.one);
    CX_FORGET(of.three);
    CX_FORGET(of.five);
    CX_FORGET(of.seven);
    return of;
}

CX_INLINE int64_t cx_multiple(const cx_multiples *of, int times)
{
    int64_t odd[] = {0, of->one, of->one, of->three, of->one, of->five, of->three, of->seven};
    return odd[times] * (times == 4 ? 4 : times == 2 || times == 6 ? 2 : 1);
}

/* Ways through the points of a Fourier transform: those of a line there, back, and there and back with
   a product between; of columns, each with a spectrum of its own or all with one. Those of a kernel's
   line and columns lead there, to factors: conjugates that are divided by the number of points. */
enum { CX_LINE_FORWARD, CX_LINE_BACK, CX_LINE_FILTER, CX_COLUMNS_FILTER, CX_COLUMN_FILTER };
enum { CX_LINE_KERNEL = CX_COLUMN_FILTER + 1, CX_COLUMNS_KERNEL };

CX_INLINE int cx_goes_down(const int how)
{
    return how == CX_COLUMNS_FILTER || how == CX_COLUMN_FILTER || how == CX_COLUMNS_KERNEL;
}

CX_INLINE int cx_goes_back(const int how)
{
    return how != CX_LINE_FORWARD && how != CX_LINE_KERNEL && how != CX_COLUMNS_KERNEL;
}

enum { CX_MOST_VECTORS = 8 };      /* of a panel */
enum { CX_MOST_FILTER_VECTORS = 4 }; /* of a block of filters that are lanes */
enum { CX_AHEAD = 12 };            /* steps that strided weights are asked for early */
enum { CX_FILTERS_AHEAD = 6 };     /* the same where filters are lanes: few lines of one L1 set */
enum { CX_PACKED_AHEAD = 36 };     /* the same for packed ones, by products of so many rows: */
enum { CX_FETCHING_ROWS = 6 };
enum { CX_MOST_KERNEL_TAPS = 64 }; /* kernels that are packed by transposition when reordered */

/* Kinds of products. */
enum { CX_PACKED, CX_STRIDED, CX_FETCHING };

/* AVX-512 stores a vector in the time of two multiply-adds, so that a product would wait for the stores
   of the one before. There the last steps of each are made row by row, as many as there are
   registers for: the stores of a row take as long as those of the next one. */
#define CX_LAST_STEPS(ROWS, VECTORS)                                                              \
    (CX_MOST_LAST_STEPS < 2 || ((ROWS) + 2) * (VECTORS) <= 32 ? CX_MOST_LAST_STEPS : 1)

/* How a product starts, and what becomes of its sums. */
enum { CX_START, CX_CONTINUE, CX_ADD, CX_FAR };

/* Products of so many vectors to a row may store them past the caches, where an instruction set has
   such a CX_STORE_FAR. That ends with CX_END_FAR: what is stored later is seen later. */
enum { CX_FAR_VECTORS = 2, CX_FAR_BYTES = 64 };

/* Whether rows that are so many bytes apart all begin with a line. */
CX_INLINE int cx_are_lines(const void *row, int64_t bytes)
{
    return ((int64_t)(intptr_t)row | bytes) % CX_FAR_BYTES == 0;
}

#if defined __x86_64__
#define CX_END_FAR() __asm__ volatile("sfence" ::: "memory")
#else
#define CX_END_FAR()
#endif

#endif
