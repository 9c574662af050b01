// A tour of go-redis against redis-ha, or a run through a failover. See ../README.md.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	options := parseArguments()
	client, err := connect(options)
	if err != nil {
		return err
	}
	defer client.Close()
	if options.runThroughFailover {
		return runThroughFailover(ctx, client, options.prefix)
	}
	return tour(ctx, client, options.prefix, func(name string) {
		json.NewEncoder(os.Stdout).Encode(map[string]string{"done": name})
	})
}
