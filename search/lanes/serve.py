"""The train loop function of a lane's Ray Train workers: connects to the lane and serves its
requests. Light to import, for the processes that only pass it on."""

import pickle
from typing import Any

from search.lanes.lane_port import connect


def serve(config: dict[str, Any]) -> None:
    """Trains what the lane at `config["address"]` requests, until the lane closes the connection.

    Runs in each worker of the process group. The lane sends a leg to begin, or None to go on with
    it; for each message one epoch is trained, and its result or failure sent back.
    """
    # Imported by the workers only: other processes of a lane that hold this module need no torch.
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
