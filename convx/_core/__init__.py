"""Drivers and kernels: the compiled floor. It knows sizes, strides and tables, but no option."""
