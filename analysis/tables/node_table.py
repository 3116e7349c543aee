"""Table of cluster nodes: hours in the cluster, and idle hours in which no trial was on a node."""

import pandas as pd

from analysis.run.run_folder import Run
from analysis.tables.table_files import Table
from search.cluster.node_times import FILE, read

COLUMNS = ("address", "kind", "cpus", "gpus", "hours", "idle_hours", "idle_share")


def node_table(run: Run) -> Table | None:
    """A row a node, the longest first; None for a run on a single machine, or without figures."""
    found = pd.DataFrame(read(run.folder / FILE))
    if found.empty or found["node"].nunique() < 2:
        return None
    same = ["address", "kind", "cpus", "gpus", "node"]
    frame = found.groupby(same, as_index=False)[["seconds", "idle_seconds"]].sum()
    frame["hours"], frame["idle_hours"] = frame["seconds"] / 3600, frame["idle_seconds"] / 3600
    frame["idle_share"] = frame["idle_seconds"] / frame["seconds"].clip(lower=1e-9)
    frame = frame.sort_values("seconds", ascending=False, kind="stable", ignore_index=True)
    return Table(
        name="nodes",
        title="Nodes",
        frame=frame[list(COLUMNS)],
        rule=(
            "Hours of the run's sessions during which a node was part of the cluster; idle are "
            "those in which no trial had any of its cores or GPUs. A node that cannot train, such "
            "as a small head, is not counted as idle. What a node cost before and after the run is "
            "not known here."
        ),
    )
