"""Run trivial ops in one Dagster job, in this process. Argument: how many."""

import json
import sys
import time

began = time.perf_counter()
from dagster import DagsterInstance, job, op  # noqa: E402

count = int(sys.argv[1])
QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


def make_op(number):
    @op(name=f"op_{number}")
    def trivial():
        return number

    return trivial


ops = [make_op(number) for number in range(count)]


@job
def trivial_job():
    for each in ops:
        each()


with DagsterInstance.ephemeral() as instance:
    result = trivial_job.execute_in_process(run_config=QUIET, instance=instance)
print(json.dumps({"seconds": time.perf_counter() - began, "ok": result.success}))
