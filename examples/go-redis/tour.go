package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

type step struct {
	name string
	run  func(ctx context.Context, client *redis.Client, key string) error
}

// steps is what applications do with Redis, each in its usual form for go-redis.
var steps = []step{
	{"set and get", setAndGet},
	{"pipeline", pipeline},
	{"transaction", transaction},
	{"watch", watch},
	{"publish and subscribe", publishAndSubscribe},
	{"blocking pop", blockingPop},
	{"script", script},
	{"big value", bigValue},
}

// tour runs all steps and tells each that is done; it ends with the first one that gives something else than it should.
func tour(ctx context.Context, client *redis.Client, prefix string, done func(name string)) error {
	for _, step := range steps {
		if err := step.run(ctx, client, prefix+":"+strings.ReplaceAll(step.name, " ", "_")); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		done(step.name)
	}
	return nil
}

func setAndGet(ctx context.Context, client *redis.Client, key string) error {
	if err := client.Set(ctx, key, "value", time.Minute).Err(); err != nil {
		return err
	}
	value, err := client.Get(ctx, key).Result()
	return expect(err, value, "value")
}

func pipeline(ctx context.Context, client *redis.Client, key string) error {
	client.Del(ctx, key)
	replies, err := client.Pipelined(ctx, func(commands redis.Pipeliner) error {
		for range 100 {
			commands.Incr(ctx, key)
		}
		return nil
	})
	for i, reply := range replies {
		if value := reply.(*redis.IntCmd).Val(); value != int64(i+1) {
			return fmt.Errorf("reply %d was %d", i, value)
		}
	}
	return expect(err, len(replies), 100)
}

func transaction(ctx context.Context, client *redis.Client, key string) error {
	var list *redis.StringSliceCmd
	_, err := client.TxPipelined(ctx, func(commands redis.Pipeliner) error {
		commands.Del(ctx, key)
		commands.RPush(ctx, key, "a", "b")
		list = commands.LRange(ctx, key, 0, -1)
		return nil
	})
	return expect(err, list.Val(), []string{"a", "b"})
}

func watch(ctx context.Context, client *redis.Client, key string) error {
	client.Set(ctx, key, 1, 0)
	attempts := 0
	multiply := func(own *redis.Tx) error {
		attempts++
		value, err := own.Get(ctx, key).Int()
		if err != nil {
			return err
		}
		if attempts == 1 {
			client.Incr(ctx, key) // somebody else was faster: this attempt must not win
		}
		_, err = own.TxPipelined(ctx, func(commands redis.Pipeliner) error {
			return commands.Set(ctx, key, value*10, 0).Err()
		})
		return err
	}
	var err error = redis.TxFailedErr
	for errors.Is(err, redis.TxFailedErr) {
		err = client.Watch(ctx, multiply, key)
	}
	if err != nil {
		return err
	}
	value, err := client.Get(ctx, key).Int()
	return expect(err, []int{attempts, value}, []int{2, 20})
}

func publishAndSubscribe(ctx context.Context, client *redis.Client, key string) error {
	subscriber := client.Subscribe(ctx, key)
	defer subscriber.Close()
	if _, err := subscriber.Receive(ctx); err != nil { // the confirmation
		return err
	}
	if err := client.Publish(ctx, key, "hello").Err(); err != nil {
		return err
	}
	message, err := subscriber.ReceiveMessage(ctx)
	if err != nil {
		return err
	}
	return expect(nil, message.Payload, "hello")
}

func blockingPop(ctx context.Context, client *redis.Client, key string) error {
	client.Del(ctx, key)
	time.AfterFunc(100*time.Millisecond, func() { client.RPush(ctx, key, "job") })
	popped, err := client.BLPop(ctx, 4*time.Second, key).Result()
	return expect(err, popped, []string{key, "job"})
}

func script(ctx context.Context, client *redis.Client, key string) error {
	client.Set(ctx, key, 40, 0)
	// Sends the script's hash, and the script itself to a Redis that doesn't know it yet.
	add := redis.NewScript("return redis.call('INCRBY', KEYS[1], ARGV[1])")
	sum, err := add.Run(ctx, client, []string{key}, 2).Int()
	return expect(err, sum, 42)
}

func bigValue(ctx context.Context, client *redis.Client, key string) error {
	value := make([]byte, 2*1024*1024)
	rand.Read(value)
	if err := client.Set(ctx, key, value, time.Minute).Err(); err != nil {
		return err
	}
	found, err := client.Get(ctx, key).Bytes()
	return expect(err, found, value)
}

func expect(err error, found, wanted any) error {
	if err == nil && !reflect.DeepEqual(found, wanted) {
		err = fmt.Errorf("got %.200v, not %.200v", found, wanted)
	}
	return err
}
