"""The Ray cluster: connecting to it or starting it, checking and timing its nodes, and the number
of lanes that fit on it. Imports terms, storage and cli."""
