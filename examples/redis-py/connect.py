"""How a program finds its Redis: one address, or Sentinels and a master's name."""

import argparse
import os

import redis
from redis.sentinel import Sentinel


def parse_arguments():
    parser = argparse.ArgumentParser(description="Sample of redis-py against redis-ha.")
    parser.add_argument("--address", default=os.environ.get("REDIS_ADDRESS", "127.0.0.1:6379"), metavar="HOST:PORT")
    parser.add_argument("--sentinel", metavar="HOST:PORT", help="ask this Sentinel for the address instead")
    parser.add_argument("--master", default="mymaster", help="the name that the Sentinel knows")
    parser.add_argument("--prefix", default="sample:redis-py", help="what all keys begin with")
    parser.add_argument("--run-through-failover", action="store_true")
    return parser.parse_args()


def connect(arguments):
    """The client of redis-py with its default settings: a pool of connections, safe in many threads."""
    password = read_password()
    if arguments.sentinel is None:
        host, port = split(arguments.address)
        return redis.Redis(host, port, password=password, decode_responses=True, **read_authority())
    # Without the password in sentinel_kwargs only the connections to the master would use it.
    sentinel = Sentinel([split(arguments.sentinel)], sentinel_kwargs={"password": password, **read_authority()})
    return sentinel.master_for(arguments.master, password=password, decode_responses=True, **read_authority())


def read_password():
    """From a file, as Kubernetes mounts a Secret: arguments and environments can be read by others."""
    path = os.environ.get("REDIS_PASSWORD_FILE")
    if path is None:
        return None
    with open(path, encoding="utf-8") as file:
        return file.read().rstrip("\r\n")


def read_authority():
    """The authority that the proxy's certificate is checked with, where the stack uses TLS."""
    path = os.environ.get("REDIS_CA_FILE")
    return {} if path is None else {"ssl": True, "ssl_ca_certs": path}


def split(address):
    host, _, port = address.rpartition(":")
    return host, int(port)
