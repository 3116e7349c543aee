"""Shared storage of a run: a folder or an object store, checkpoint I/O with retries, the lease
by which one process at a time owns a run, and the copy of the run's folder to its storage.
Imports no other package of search."""
