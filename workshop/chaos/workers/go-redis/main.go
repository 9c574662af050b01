// Worker of the ledger: go-redis with its default settings, so it tries a command again on another connection when one is
// lost. chaos/worker-protocol.ts says what it reads and writes.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sys/unix"
)

var (
	host     = flag.String("host", "127.0.0.1", "")
	port     = flag.Int("port", 6379, "")
	client   = flag.String("client", "go-redis", "")
	inFlight = flag.Int("in-flight", 8, "")
	pauseMs  = flag.Int("pause-ms", 20, "")
	stopping atomic.Bool
	output   sync.Mutex
)

func monotonicMs() float64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic(err)
	}
	return float64(now.Nano()) / 1e6
}

func tell(message ...any) {
	line, err := json.Marshal(message)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	fmt.Println(string(line))
}

// A connection that tells when it is lost.
type watchedConn struct {
	net.Conn
	closed atomic.Bool
	told   atomic.Bool
}

func (c *watchedConn) Close() error {
	c.closed.Store(true)
	return c.Conn.Close()
}

func (c *watchedConn) Read(buffer []byte) (int, error) {
	n, err := c.Conn.Read(buffer)
	if err != nil && !c.closed.Load() && !stopping.Load() && c.told.CompareAndSwap(false, true) {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			tell("disconnect", monotonicMs(), "timeout: "+err.Error())
		} else {
			tell("disconnect", monotonicMs(), err.Error())
		}
	}
	return n, err
}

// Commands of a round that were sent, and those that have not ended.
type tally struct{ sent, open int }

type operation struct {
	round, command, id string
	sentMs             float64
}

type ledger struct {
	mutex    sync.Mutex
	round    string
	rounds   map[string]*tally
	open     map[int]operation
	count    int
	setRound string
	setID    string
}

var turns = []string{"INCR", "RPUSH", "SET", "GET"}

func (l *ledger) begin(turn int) (int, operation, bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.round == "" {
		return 0, operation{}, false
	}
	command := turns[turn%len(turns)]
	if command == "GET" && l.setRound != l.round {
		command = "SET"
	}
	l.count++
	id := strconv.Itoa(l.count)
	if command == "GET" {
		id = l.setID
	}
	if l.rounds[l.round] == nil {
		l.rounds[l.round] = &tally{}
	}
	l.rounds[l.round].sent++
	l.rounds[l.round].open++
	op := operation{l.round, command, id, monotonicMs()}
	l.open[l.count] = op
	return l.count, op, true
}

func (l *ledger) end(number int, kind, text string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	op, found := l.open[number]
	if !found {
		return
	}
	delete(l.open, number)
	if kind == "acknowledged" && op.command == "SET" {
		l.setRound, l.setID = op.round, op.id
	}
	tell("op", op.round, op.command, op.id, op.sentMs, monotonicMs(), kind, text)
	l.rounds[op.round].open--
	l.tellDrained()
}

func (l *ledger) tellDrained() {
	for name, t := range l.rounds {
		if t.open == 0 && (name != l.round || stopping.Load()) {
			tell("drained", name, t.sent)
			delete(l.rounds, name)
		}
	}
}

func send(rdb *redis.Client, op operation) (string, error) {
	ctx := context.Background()
	prefix := "ledger:" + op.round + ":" + *client + ":"
	switch op.command {
	case "INCR":
		value, err := rdb.Incr(ctx, prefix+"counter").Result()
		return strconv.FormatInt(value, 10), err
	case "RPUSH":
		value, err := rdb.RPush(ctx, prefix+"list", op.id).Result()
		return strconv.FormatInt(value, 10), err
	case "SET":
		return rdb.Set(ctx, prefix+"string:"+op.id, op.id, 0).Result()
	default:
		value, err := rdb.Get(ctx, prefix+"string:"+op.id).Result()
		if errors.Is(err, redis.Nil) {
			return "", nil
		}
		return value, err
	}
}

func main() {
	flag.Parse()
	password, err := os.ReadFile(os.Getenv("REDIS_PASSWORD_FILE"))
	if err != nil {
		panic(err)
	}
	rdb := redis.NewClient(&redis.Options{
		Addr:     fmt.Sprintf("%s:%d", *host, *port),
		Password: strings.TrimSpace(string(password)),
		Dialer: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 5 * time.Minute}).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &watchedConn{Conn: conn}, nil
		},
	})
	if err := rdb.Ping(context.Background()).Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	l := &ledger{rounds: map[string]*tally{}, open: map[int]operation{}}
	tell("ready")
	for i := range *inFlight {
		go func() {
			for turn := i; !stopping.Load(); turn++ {
				if number, op, begun := l.begin(turn); begun {
					if value, err := send(rdb, op); err != nil {
						l.end(number, "error", err.Error())
						if strings.HasPrefix(err.Error(), "UNCERTAIN") {
							continue
						}
					} else {
						l.end(number, "acknowledged", value)
					}
				}
				time.Sleep(time.Duration(*pauseMs) * time.Millisecond)
			}
		}()
	}
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		words := strings.Fields(input.Text())
		if len(words) == 2 && words[0] == "round" {
			l.mutex.Lock()
			l.round = words[1]
			l.tellDrained()
			l.mutex.Unlock()
		} else if len(words) == 1 && words[0] == "stop" {
			break
		}
	}
	stop(l)
}

// Waits for what is in flight, and tells what is still open then.
func stop(l *ledger) {
	stopping.Store(true)
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		l.mutex.Lock()
		open := len(l.open)
		l.mutex.Unlock()
		if open == 0 {
			break
		}
	}
	l.mutex.Lock()
	numbers := make([]int, 0, len(l.open))
	for number := range l.open {
		numbers = append(numbers, number)
	}
	l.mutex.Unlock()
	for _, number := range numbers {
		l.end(number, "open", "")
	}
	l.mutex.Lock()
	l.tellDrained()
	l.mutex.Unlock()
}
