package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"os"
	"strings"

	"github.com/redis/go-redis/v9"
)

// options is what the command line says: -sentinel HOST:PORT -master NAME instead of -address HOST:PORT asks a Sentinel.
type options struct {
	address, sentinel, master, prefix string
	runThroughFailover                bool
}

func parseArguments() options {
	var o options
	address := os.Getenv("REDIS_ADDRESS")
	if address == "" {
		address = "127.0.0.1:6379"
	}
	flag.StringVar(&o.address, "address", address, "`HOST:PORT` of Redis")
	flag.StringVar(&o.sentinel, "sentinel", "", "`HOST:PORT` of a Sentinel to ask for the address instead")
	flag.StringVar(&o.master, "master", "mymaster", "the name that the Sentinel knows")
	flag.StringVar(&o.prefix, "prefix", "sample:go-redis", "what all keys begin with")
	flag.BoolVar(&o.runThroughFailover, "run-through-failover", false, "write until standard input is closed")
	flag.Parse()
	return o
}

// connect makes the client with go-redis' default settings: a pool of connections, safe in many goroutines.
func connect(o options) (*redis.Client, error) {
	password, err := readPassword()
	if err != nil {
		return nil, err
	}
	authority, err := readAuthority()
	if err != nil {
		return nil, err
	}
	if o.sentinel == "" {
		return redis.NewClient(&redis.Options{Addr: o.address, Password: password, TLSConfig: authority}), nil
	}
	return redis.NewFailoverClient(&redis.FailoverOptions{
		SentinelAddrs: []string{o.sentinel},
		MasterName:    o.master,
		Password:      password,
		TLSConfig:     authority,
		// Without it only the connections to the master would use the password.
		SentinelPassword: password,
	}), nil
}

// readPassword takes it from a file, as Kubernetes mounts a Secret: arguments and environments can be read by others.
func readPassword() (string, error) {
	path := os.Getenv("REDIS_PASSWORD_FILE")
	if path == "" {
		return "", nil
	}
	content, err := os.ReadFile(path)
	return strings.TrimRight(string(content), "\r\n"), err
}

// readAuthority gives what the proxy's certificate is checked with, where the stack uses TLS; nil where it doesn't.
func readAuthority() (*tls.Config, error) {
	path := os.Getenv("REDIS_CA_FILE")
	if path == "" {
		return nil, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		return nil, errors.New(path + " has no certificate")
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}
