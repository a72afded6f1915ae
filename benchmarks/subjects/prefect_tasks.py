"""Run trivial tasks in one Prefect flow with its ephemeral server. Argument: how many."""

import json
import sys
import time

began = time.perf_counter()
from prefect import flow, task  # noqa: E402

count = int(sys.argv[1])


@task
def trivial(number):
    return number


@flow
def trivial_flow():
    return sum(trivial(number) for number in range(count))


total = trivial_flow()
print()
print(json.dumps({"seconds": time.perf_counter() - began, "total": total}))
