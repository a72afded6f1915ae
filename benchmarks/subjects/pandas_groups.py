"""Call a function per group in pandas alone. Arguments: source, result."""

import json
import sys
import time

began = time.perf_counter()
import pandas as pd  # noqa: E402  # importing is part of what a user waits for


def smooth(group: pd.DataFrame) -> pd.DataFrame:
    return group.assign(level=group["v"] - group["v"].mean())


frame = pd.read_parquet(sys.argv[1])
result = frame.groupby("k", group_keys=False)[["k", "t", "v"]].apply(smooth)
result.to_parquet(sys.argv[2], index=False)
print(json.dumps({"seconds": time.perf_counter() - began, "rows": len(result)}))
