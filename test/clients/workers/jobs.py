"""One job, for Celery and for RQ. As a program it hands jobs over: jobs.py celery|rq FIRST COUNT."""

import os
import sys

import redis
from celery import Celery
from rq import Queue

URL = os.environ["REDIS_URL"]

app = Celery("jobs", broker=URL)


def note(name: str, number: int) -> None:
    """Writes down that a job was done."""
    redis.Redis.from_url(URL).rpush(f"done:{name}", number)


@app.task(name="jobs.celery_job")
def celery_job(number: int) -> None:
    note("celery", number)


def rq_job(number: int) -> None:
    note("rq", number)


if __name__ == "__main__":
    worker, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    queue = Queue("jobs", connection=redis.Redis.from_url(URL))
    for number in range(first, first + count):
        if worker == "celery":
            celery_job.delay(number)
        else:
            queue.enqueue("jobs.rq_job", number)
