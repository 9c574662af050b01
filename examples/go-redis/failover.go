package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	writers = 4
	pause   = 10 * time.Millisecond
)

// line is what is told of one write, message or change.
type line struct {
	Event   string `json:"event"`
	Command string `json:"command,omitempty"`
	Id      string `json:"id,omitempty"`
	Value   int64  `json:"value,omitempty"`
	Message string `json:"message,omitempty"`
}

// runThroughFailover writes all the time, and tells what became of each write, until standard input is closed.
func runThroughFailover(ctx context.Context, client *redis.Client, prefix string) error {
	subscriber := client.Subscribe(ctx, prefix+":channel")
	if _, err := subscriber.Receive(ctx); err != nil {
		return err
	}
	go func() {
		for message := range subscriber.Channel() {
			tell(line{Event: "received", Message: message.Payload})
		}
	}()
	stopping := make(chan struct{})
	var writing sync.WaitGroup
	for writer := range writers {
		writing.Go(func() { write(ctx, client, prefix, writer, stopping) })
	}
	tell(line{Event: "ready"})
	_, err := io.Copy(io.Discard, os.Stdin)
	close(stopping)
	writing.Wait()
	subscriber.Close()
	tell(line{Event: "stopped"})
	return err
}

// write sends in turns a command that counts and one that appends: both would show if they ran twice.
func write(ctx context.Context, client *redis.Client, prefix string, writer int, stopping <-chan struct{}) {
	for number := 1; ; number++ {
		done := line{Event: "written", Command: "INCR", Id: fmt.Sprintf("%d-%d", writer, number)}
		var reply *redis.IntCmd
		if number%2 == 0 {
			reply = client.Incr(ctx, prefix+":counter")
		} else {
			done.Command = "RPUSH"
			reply = client.RPush(ctx, prefix+":list", done.Id)
		}
		value, err := reply.Result()
		done.Value = value
		if err != nil {
			// "UNCERTAIN …": it may have been executed. An application looks, or does what its user would want.
			done.Event, done.Message = "error", err.Error()
		}
		tell(done)
		select {
		case <-stopping:
			return
		case <-time.After(pause):
		}
	}
}

var printing sync.Mutex

func tell(l line) {
	printing.Lock()
	defer printing.Unlock()
	json.NewEncoder(os.Stdout).Encode(l)
}
