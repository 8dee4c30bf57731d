"""Dramatiq over Redis: posts, then starts two worker processes, and prints the seconds until all jobs are done."""

import os
import subprocess
import sys
import time
from pathlib import Path

import dramatiq
from dramatiq.brokers.redis import RedisBroker

COUNTED, JOBS = Path(os.environ["COUNTED"]), int(os.environ["JOBS"])
dramatiq.set_broker(RedisBroker(url=os.environ["REDIS_URL"]))


@dramatiq.actor(actor_name="job")
def job() -> None:
    with COUNTED.open("ab", buffering=0) as file:
        file.write(b".")


if __name__ == "__main__":
    COUNTED.touch()
    for _ in range(JOBS):
        job.send()
    command = [sys.executable, "-m", "dramatiq", "dramatiq_jobs", "-p", "2", "-t", "8"]
    begun = time.perf_counter()
    worker = subprocess.Popen(command, cwd=Path(__file__).parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while COUNTED.stat().st_size < JOBS:
        time.sleep(0.05)
    took = time.perf_counter() - begun
    worker.terminate()
    worker.wait(30)
    print(took)
