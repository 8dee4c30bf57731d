"""Celery over Redis: posts, then starts a worker of two processes, and prints the seconds until all jobs are done."""

import os
import subprocess
import sys
import time
from pathlib import Path

from celery import Celery

COUNTED, JOBS = Path(os.environ["COUNTED"]), int(os.environ["JOBS"])
app = Celery("celery_jobs", broker=os.environ["REDIS_URL"])
app.conf.update(task_acks_late=True, task_ignore_result=True, worker_prefetch_multiplier=8)


@app.task(name="job")
def job() -> None:
    with COUNTED.open("ab", buffering=0) as file:
        file.write(b".")


if __name__ == "__main__":
    COUNTED.touch()
    for _ in range(JOBS):
        job.delay()
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "celery_jobs",
        "worker",
        "-c",
        "2",
        "-l",
        "error",
        "--without-gossip",
    ]
    begun = time.perf_counter()
    worker = subprocess.Popen(command, cwd=Path(__file__).parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while COUNTED.stat().st_size < JOBS:
        time.sleep(0.05)
    took = time.perf_counter() - begun
    worker.terminate()
    worker.wait(30)
    print(took)
