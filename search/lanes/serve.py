"""Where a lane's workers begin. Light to import, for the processes that only pass it on."""

import pickle
from typing import Any

from search.lanes.lane_port import connect


def serve(config: dict[str, Any]) -> None:
    """Trains what the lane at `config["address"]` asks for, until it hangs up.

    Each worker of the lane's process group calls this. The lane sends a leg to begin, or None to go
    on with it; each time one epoch is trained, and its result sent back, or why there is none.
    """
    # torch and the rest are for the workers alone: two more processes a lane hold this module.
    from search.lanes.worker import Trainer

    connection = connect(config["address"], config["key"])
    trainer = Trainer(pickle.loads(config["settings"]))
    connection.send(trainer.rank)
    while True:
        try:
            leg = connection.recv()
        except (EOFError, ConnectionError):
            return
        connection.send(trainer.answer(leg))
