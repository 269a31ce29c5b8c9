"""Build of the compiled modules of convx; all that is declarative stands in pyproject.toml.

Every architecture's kernels are listed always: each C file is empty on another architecture and
opens its own ``#pragma target``, so there are no flags per file and no probes for instruction
sets. What remains to be found out is which flags the compiler knows, and whether it has OpenMP.

Environment switches, read at build time:

- ``CONVX_NO_OPENMP=1``: build without OpenMP (as when the compiler has none);
- ``CONVX_STRICT=1``: warnings and performance hints of Cython are errors;
- ``CONVX_DEBUG=1``: keep the symbols, for debuggers and profilers.
"""

import contextlib
import glob
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from Cython import __version__ as cython_version
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

NO_OPENMP, STRICT, DEBUG = (
    os.environ.get(switch, "0") not in ("", "0")
    for switch in ("CONVX_NO_OPENMP", "CONVX_STRICT", "CONVX_DEBUG")
)

# The driver alone has C sources: setuptools must not build one source for two extensions.
DRIVER = Extension(
    "convx._core._driver",
    sources=["convx/_core/_driver.pyx", *sorted(glob.glob("convx/_core/kernels/*.c"))],
    depends=sorted(glob.glob("convx/_core/*.pxd") + glob.glob("convx/_core/kernels/*.h")),
    include_dirs=["convx/_core/kernels"],
)
OTHERS = [
    Extension(
        f"convx._core.{Path(path).stem}",
        sources=[path],
        depends=sorted(glob.glob("convx/_core/*.pxd")),
        include_dirs=["convx/_core/kernels"],
    )
    for path in sorted(glob.glob("convx/_core/*.pyx"))
    if path != DRIVER.sources[0]
]
EXTENSIONS = [DRIVER, *OTHERS]
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "embedsignature": False,
    "freethreading_compatible": True,
}

# Never -ffast-math: it switches denormals off for the whole process. Predictive commoning unrolls
# the sliding windows of the weight gradient and spills its accumulators; loop distribution turns
# copies of a few vectors into calls of memcpy.
COMPILE_FLAGS = [
    "-O3",
    "-fno-predictive-commoning",
    "-fno-tree-loop-distribute-patterns",
    "-ffp-contract=fast",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fvisibility=hidden",
    "-g" if DEBUG else "-g0",
]
LINK_FLAGS = [] if DEBUG else ["-Wl,-s"]
MOST_COMPILERS = 8  # at a time: each takes up to 400 MB
PLAIN_PROBE = "int main(void) { return 0; }\n"
OPENMP_PROBE = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"


def translate(extensions, strict=STRICT):
    """Translate Cython to C and return the extensions with the C sources in its place."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):  # performance hints are only ever printed
            translated = cythonize(
                extensions, build_dir="build/cython", force=True, compiler_directives=DIRECTIVES
            )
    finally:
        sys.stderr.write(said.getvalue())
    complaints = re.findall("^(?:performance hint|warning):", said.getvalue(), re.MULTILINE)
    if strict and complaints:
        raise SystemExit(f"CONVX_STRICT: {len(complaints)} complaint(s) of Cython, see above")
    return translated


class BuildDriver(build_ext):
    """Build with the flags that the compiler at hand accepts."""

    def accepts(self, code, compile_flags=(), link_flags=()):
        """Tell whether a program compiles and links with these flags, and without a warning."""
        with tempfile.TemporaryDirectory() as folder:
            source, module, program = (str(Path(folder, name)) for name in ("p.c", "p.o", "p"))
            Path(source).write_text(code)
            steps = (
                [*self.compiler.compiler_so, "-Werror", *compile_flags, "-c", source, "-o", module],
                [*self.compiler.linker_exe, module, *link_flags, "-o", program],
            )
            return all(subprocess.run(step, capture_output=True).returncode == 0 for step in steps)

    def build_extensions(self):
        driver = getattr(self.compiler, "compiler_so", ["(none)"])[0]
        if not shutil.which(driver) or self.compiler.compiler_type == "msvc":
            raise SystemExit(f"convx is built with gcc or clang, found neither: compiler {driver}")
        compile_flags = [flag for flag in COMPILE_FLAGS if self.accepts(PLAIN_PROBE, [flag])]
        link_flags = [flag for flag in LINK_FLAGS if self.accepts(PLAIN_PROBE, link_flags=[flag])]
        if not NO_OPENMP and self.accepts(OPENMP_PROBE, ["-fopenmp"], ["-fopenmp"]):
            compile_flags.append("-fopenmp")
            link_flags.append("-fopenmp")
        for extension, translated in zip(self.extensions, translate(self.extensions)):
            extension.sources = translated.sources
            extension.extra_compile_args = compile_flags
            extension.extra_link_args = link_flags
            extension.define_macros = [
                ("CONVX_COMPILER_FLAGS", json.dumps(" ".join(compile_flags))),
                ("CONVX_CYTHON_VERSION", json.dumps(cython_version)),
            ]
        self.compile_at_once()
        super().build_extensions()

    def compile_at_once(self):
        """Let the compiler work on several sources at a time: setuptools goes one by one."""
        compile_some = self.compiler.compile

        def compile_all(sources, **options):
            with ThreadPoolExecutor(min(os.cpu_count() or 1, MOST_COMPILERS)) as pool:
                compiled = pool.map(lambda source: compile_some([source], **options), sources)
                return [module for modules in compiled for module in modules]

        self.compiler.compile = compile_all


if __name__ == "__main__":
    setup(ext_modules=EXTENSIONS, cmdclass={"build_ext": BuildDriver})
