"""The command line: options, parsing with one line for bad input, standard output that may be
closed, signal handling, removal of credentials from output, and preflight checks of this machine
before Ray starts. Imports terms and space."""
