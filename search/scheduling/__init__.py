"""Scheduling of trials on lanes: legs for free lanes, paused, waiting and failed trials, closed
lanes, the end conditions of the search, and the adapter to Ray Tune. Imports terms, strategy,
record and lanes."""
