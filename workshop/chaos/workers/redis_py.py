"""Worker of the ledger: redis-py with its default settings, so it tries a command again when a connection is lost.

chaos/worker-protocol.ts says what it reads and writes.
"""

import argparse
import json
import os
import sys
import threading
import time
from pathlib import Path

import redis

TURNS = ("INCR", "RPUSH", "SET", "GET")

parser = argparse.ArgumentParser()
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=6379)
parser.add_argument("--client", default="redis-py")
parser.add_argument("--in-flight", type=int, default=8)
parser.add_argument("--pause-ms", type=float, default=20)
options = parser.parse_args()

output = threading.Lock()
stopping = threading.Event()


def monotonic_ms() -> float:
    return time.clock_gettime(time.CLOCK_MONOTONIC) * 1000


def tell(*message: object) -> None:
    with output:
        print(json.dumps(message), flush=True)


class WatchedConnection(redis.Connection):
    """Tells when it is lost."""

    def read_response(self, *args, **kwargs):
        try:
            return super().read_response(*args, **kwargs)
        except redis.TimeoutError as error:
            tell("disconnect", monotonic_ms(), f"timeout: {error}")
            raise
        except redis.ConnectionError as error:
            # An error reply such as LOADING is a ConnectionError, too, and ends nothing by itself.
            if self._sock is None and not stopping.is_set():
                tell("disconnect", monotonic_ms(), str(error))
            raise


class Ledger:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.round: str | None = None
        # Round → commands that were sent, and those that have not ended.
        self.rounds: dict[str, list[int]] = {}
        self.open: dict[int, tuple[str, str, str, float]] = {}
        self.count = 0
        self.last_set: tuple[str | None, str] = (None, "")

    def begin(self, turn: int) -> tuple[int, str, str, str] | None:
        with self.lock:
            if self.round is None:
                return None
            command = TURNS[turn % len(TURNS)]
            if command == "GET" and self.last_set[0] != self.round:
                command = "SET"
            self.count += 1
            identity = self.last_set[1] if command == "GET" else str(self.count)
            tally = self.rounds.setdefault(self.round, [0, 0])
            tally[0] += 1
            tally[1] += 1
            self.open[self.count] = (self.round, command, identity, monotonic_ms())
            return self.count, self.round, command, identity

    def end(self, number: int, kind: str, text: str) -> None:
        with self.lock:
            operation = self.open.pop(number, None)
            if operation is None:
                return
            name, command, identity, sent_ms = operation
            if kind == "acknowledged" and command == "SET":
                self.last_set = (name, identity)
            tell("op", name, command, identity, sent_ms, monotonic_ms(), kind, text)
            self.rounds[name][1] -= 1
            self.tell_drained()

    def tell_drained(self) -> None:
        for name, (sent, left) in list(self.rounds.items()):
            if left == 0 and (name != self.round or stopping.is_set()):
                tell("drained", name, sent)
                del self.rounds[name]


def send(client: redis.Redis, name: str, command: str, identity: str) -> str:
    prefix = f"ledger:{name}:{options.client}:"
    if command == "INCR":
        return str(client.incr(prefix + "counter"))
    if command == "RPUSH":
        return str(client.rpush(prefix + "list", identity))
    if command == "SET":
        return "OK" if client.set(f"{prefix}string:{identity}", identity) else "not OK"
    value = client.get(f"{prefix}string:{identity}")
    return "" if value is None else value.decode()


def work(ledger: Ledger, client: redis.Redis, turn: int) -> None:
    while not stopping.is_set():
        pause = True
        begun = ledger.begin(turn)
        if begun is not None:
            number, *operation = begun
            try:
                ledger.end(number, "acknowledged", send(client, *operation))
            except redis.RedisError as error:
                ledger.end(number, "error", str(error))
                pause = not str(error).startswith("UNCERTAIN")
        turn += 1
        if pause:
            time.sleep(options.pause_ms / 1000)


def main() -> None:
    password = Path(os.environ["REDIS_PASSWORD_FILE"]).read_text().strip()
    # As redis.Redis(host=…, port=…, password=…) makes it, but for the class of the connections.
    client = redis.Redis(host=options.host, port=options.port, password=password)
    client.connection_pool.connection_class = WatchedConnection
    client.ping()
    ledger = Ledger()
    tell("ready")
    for i in range(options.in_flight):
        threading.Thread(target=work, args=(ledger, client, i), daemon=True).start()
    for line in sys.stdin:
        words = line.split()
        if len(words) == 2 and words[0] == "round":
            with ledger.lock:
                ledger.round = words[1]
                ledger.tell_drained()
        elif words == ["stop"]:
            break
    stopping.set()
    deadline = time.monotonic() + 5
    while ledger.open and time.monotonic() < deadline:
        time.sleep(0.02)
    for number in list(ledger.open):
        ledger.end(number, "open", "")
    with ledger.lock:
        ledger.tell_drained()


main()
