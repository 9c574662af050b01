"""What applications do with Redis, each in its usual form for redis-py."""

import os
import threading

import redis


def tour(client, prefix):
    """Yields the name of each step that gave what it should; raises at the first one that didn't."""
    for step in (set_and_get, pipeline, transaction, watch, publish_and_subscribe, blocking_pop, script, big_value):
        step(client, f"{prefix}:{step.__name__}")
        yield step.__name__.replace("_", " ")


def set_and_get(client, key):
    client.set(key, "value", ex=60)
    expect(client.get(key), "value")


def pipeline(client, key):
    client.delete(key)
    with client.pipeline(transaction=False) as commands:
        for _ in range(100):
            commands.incr(key)
        expect(commands.execute(), list(range(1, 101)))


def transaction(client, key):
    with client.pipeline(transaction=True) as commands:
        commands.delete(key).rpush(key, "a", "b").lrange(key, 0, -1)
        expect(commands.execute()[1:], [2, ["a", "b"]])


def watch(client, key):
    client.set(key, 1)
    attempts = 0
    with client.pipeline() as commands:
        while True:
            attempts += 1
            try:
                commands.watch(key)
                value = int(commands.get(key))
                if attempts == 1:
                    client.incr(key)  # somebody else was faster: this attempt must not win
                commands.multi()
                commands.set(key, value * 10)
                commands.execute()
                break
            except redis.WatchError:
                continue
    expect((attempts, client.get(key)), (2, "20"))


def publish_and_subscribe(client, key):
    with client.pubsub(ignore_subscribe_messages=True) as subscriber:
        subscriber.subscribe(key)
        subscriber.get_message(timeout=5)  # the confirmation
        client.publish(key, "hello")
        message = subscriber.get_message(timeout=5)
        expect(message and message["data"], "hello")


def blocking_pop(client, key):
    client.delete(key)
    threading.Timer(0.1, client.rpush, (key, "job")).start()
    # redis-py ends a read after 5 s by default: a blocking command has to be shorter.
    expect(tuple(client.blpop([key], timeout=4)), (key, "job"))


def script(client, key):
    add = client.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    client.set(key, 40)
    expect(add(keys=[key], args=[2]), 42)


def big_value(client, key):
    value = os.urandom(1024 * 1024).hex()
    client.set(key, value, ex=60)
    expect(client.get(key), value)


def expect(found, wanted):
    if found != wanted:
        raise AssertionError(f"got {str(found)[:200]}, not {str(wanted)[:200]}")
