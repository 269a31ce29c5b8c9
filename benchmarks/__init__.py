"""Benchmarks: convx beside the peak of the machine and beside other libraries, in one run.

``python -m benchmarks`` measures, and writes a page, plots and the figures themselves:

- ``layers``: what is measured: layers, operations, operands;
- ``libraries``: who is measured: one class for each library, whatever is installed;
- ``sweeps``, ``sweep_calls``: the same for pools, padding, activations and norms: a table, and how
  the libraries compute them;
- ``check``: whether a result is right, by a few outputs computed in float64;
- ``timing``: how often and how long, in the process of the library;
- ``workers``: a process for each library, stopped while another one is timed;
- ``races``: the libraries in turns, and what a race records;
- ``peak``: multiply-adds a second that the machine can do at all;
- ``copying``: bytes a second that the machine can copy;
- ``memory``: workspace, peak and growth of resident memory;
- ``machine``: processor and versions;
- ``summary``, ``page``, ``plots``: from the figures to ratios, to Markdown, to pictures.

More programs find the constants of the engine: ``python -m benchmarks.blocking``,
``python -m benchmarks.calibrate``, ``python -m benchmarks.great_tiles`` and
``python -m benchmarks.threads``.
"""
