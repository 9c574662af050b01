"""A tour of redis-py against redis-ha, or a run through a failover. See ../README.md."""

import json

from connect import connect, parse_arguments
from through_failover import run_through_failover
from tour import tour


def main():
    arguments = parse_arguments()
    client = connect(arguments)
    if arguments.run_through_failover:
        run_through_failover(client, arguments.prefix)
    else:
        for step in tour(client, arguments.prefix):
            print(json.dumps({"done": step}), flush=True)
    client.close()


if __name__ == "__main__":
    main()
