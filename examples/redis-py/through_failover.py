"""Writes all the time, and tells what became of each write, until standard input is closed."""

import json
import sys
import threading
import time

import redis

WRITERS = 4
PAUSE_SECONDS = 0.01
stopping = threading.Event()
printing = threading.Lock()


def run_through_failover(client, prefix):
    threads = [threading.Thread(target=write, args=(client, prefix, number)) for number in range(WRITERS)]
    subscribed = threading.Event()
    threads.append(threading.Thread(target=listen, args=(client, f"{prefix}:channel", subscribed)))
    for thread in threads:
        thread.start()
    subscribed.wait()
    tell(event="ready")
    sys.stdin.read()
    stopping.set()
    for thread in threads:
        thread.join()
    tell(event="stopped")


def write(client, prefix, writer):
    """In turns a command that counts and one that appends: both would show if they ran twice."""
    number = 0
    while not stopping.is_set():
        number += 1
        command, id = ("INCR", "RPUSH")[number % 2], f"{writer}-{number}"
        try:
            value = client.incr(f"{prefix}:counter") if command == "INCR" else client.rpush(f"{prefix}:list", id)
            tell(event="written", command=command, id=id, value=value)
        except redis.RedisError as error:
            # "UNCERTAIN …": it may have been executed. An application looks, or does what its user would want.
            tell(event="error", command=command, id=id, message=str(error))
        time.sleep(PAUSE_SECONDS)


def listen(client, channel, subscribed):
    with client.pubsub() as subscriber:
        subscriber.subscribe(channel)
        while not stopping.is_set():
            message = subscriber.get_message(timeout=0.1)
            if message and message["type"] == "subscribe":
                subscribed.set()
            elif message and message["type"] == "message":
                tell(event="received", message=message["data"])


def tell(**line):
    with printing:
        print(json.dumps(line), flush=True)
