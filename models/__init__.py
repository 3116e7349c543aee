"""Networks and their training, with torch alone: a design, the network that it describes, the
rungs of its training, the transcript's designs by name, checkpoints, and how durations, counts
and errors are written. Imports nothing else of ours; its packages data and training import it."""
