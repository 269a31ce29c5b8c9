/* Which instruction sets the build has and the machine runs. To add one: a kernels_*.c file and a
   row here. */

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "convx.h"
#include "network.h"
#include "sweeps.h"

#if defined __x86_64__ && (defined __GNUC__ || defined __clang__)
#include <cpuid.h>
#define ON_X86(...) __VA_ARGS__
#else
#define ON_X86(...)
#endif
#if defined __aarch64__ && (defined __GNUC__ || defined __clang__)
#define ON_ARM(...) __VA_ARGS__
#else
#define ON_ARM(...)
#endif

#define DECLARE(isa)                                                                              \
    extern const cx_kernels *const cx_kernels_##isa[CX_DTYPES];                                   \
    extern const cx_sweeps *const cx_sweeps_##isa[CX_SWEEP_DTYPES];                               \
    extern const cx_networks *const cx_networks_##isa[CX_NETWORK_DTYPES];
DECLARE(baseline)
ON_X86(DECLARE(avx2) DECLARE(avx512))
ON_ARM(DECLARE(neon))

/* __builtin_cpu_supports asks the processor and whether the system saves its registers. */
ON_X86(static int has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
})
ON_X86(static int has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw");
})
static int always(void) { return 1; }

/* The best first. */
static const struct {
    const char *name;
    int (*runs)(void);
    const cx_kernels *const *kernels;
    const cx_sweeps *const *sweeps;
    const cx_networks *const *networks;
} instruction_sets[] = {
#define ROW(isa, runs) {#isa, runs, cx_kernels_##isa, cx_sweeps_##isa, cx_networks_##isa},
    ON_X86(ROW(avx512, has_avx512) ROW(avx2, has_avx2))
    ON_ARM(ROW(neon, always))
    ROW(baseline, always)
#undef ROW
};

enum { INSTRUCTION_SETS = sizeof instruction_sets / sizeof *instruction_sets };

const char *cx_isa(int index)
{
    int found = 0;
    for (size_t i = 0; i < INSTRUCTION_SETS; i++)
        if (instruction_sets[i].runs() && found++ == index)
            return instruction_sets[i].name;
    return NULL;
}

/* Where an instruction set stands in the table, INSTRUCTION_SETS if it is not to be had. */
static size_t find_isa(const char *isa)
{
    size_t i = 0;
    while (i < INSTRUCTION_SETS &&
           !(instruction_sets[i].runs() && !strcmp(instruction_sets[i].name, isa)))
        i++;
    return i;
}

const cx_kernels *cx_kernels_of(const char *isa, int dtype)
{
    size_t found = find_isa(isa);
    return found < INSTRUCTION_SETS ? instruction_sets[found].kernels[dtype] : NULL;
}

const cx_sweeps *cx_sweeps_of(const char *isa, int dtype)
{
    size_t found = find_isa(isa);
    return found < INSTRUCTION_SETS ? instruction_sets[found].sweeps[dtype] : NULL;
}

const cx_networks *cx_networks_of(const char *isa, int dtype)
{
    size_t found = find_isa(isa);
    return found < INSTRUCTION_SETS ? instruction_sets[found].networks[dtype] : NULL;
}

/* AMD's family 25, Zen 4 where it has AVX-512. Zen 5 and Intel have units of 64 bytes; Intel's add in
   those of multiply-adds, Zen 5's was not measured. */
ON_X86(static int is_amd_family_25(void) {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx) || ecx != signature_AMD_ecx)
        return 0;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) &&
           (eax >> 8 & 0xf) + (eax >> 20 & 0xff) == 25;
})

int cx_halves_pay(void)
{
    ON_X86(return is_amd_family_25();)
    return 0;
}

/* Zen 4; without AVX-512 there are more instructions than the processor can begin. */
int cx_adds_beside(void)
{
    ON_X86(return is_amd_family_25() && has_avx512();)
    return 0;
}

int64_t cx_l2_bytes(void)
{
#if defined _SC_LEVEL2_CACHE_SIZE
    return sysconf(_SC_LEVEL2_CACHE_SIZE);
#else
    return 0;
#endif
}
