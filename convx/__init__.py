from convx._version import __version__
