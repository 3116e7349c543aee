"""The transcript's claims about its designs, and the verdict on each by what a run measured.
Imports run and tables; record of search."""
