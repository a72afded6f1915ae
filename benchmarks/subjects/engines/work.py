"""The work that all engines and their peers do, and how it is told."""

import json
import resource
import time

AGGREGATE = "select k, count(*) as n, sum(t) as total, avg(v) as mean from points group by k"
JOIN = (
    "select names.label, count(*) as n, sum(points.t) as total "
    "from points join names on points.k = names.k group by names.label"
)


def smooth(points):
    """The function that is called for each group: a pandas frame in and out."""
    return points.assign(level=points["v"] - points["v"].mean())


class Watch:
    """Tells how long the start of an engine took, and how long the work."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._started = self._began

    def started(self) -> None:
        """Note that the engine is there, and has done something small already."""
        self._started = time.perf_counter()

    def tell(self, rows: int) -> None:
        """Print what was measured as one line of JSON, the last."""
        now = time.perf_counter()
        driver = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        told = {"seconds": now - self._started, "start": self._started - self._began}
        print(json.dumps(told | {"rows": rows, "driver": driver}), flush=True)
