// Pulumi's language hosts for this set of tools: pulumi-languages nodejs|python|go HOST [arguments of the host…]
//
// The hosts of today are no Go modules that can be fetched; the last ones that can (Node and Python, sdk v3.68.0) run programs, but no
// plugin that is written in their language, and they generate no SDK. This program does both, and passes every other call on to HOST.
// There never was such a host for Go: HOST is "-" there, and `Run` builds and runs the program.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Messages of Pulumi may be large: a schema, the outputs of a program.
const maxMessageBytes = 400 << 20

func main() {
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: pulumi-languages nodejs|python|go HOST|- [arguments…]"))
	}
	language, host, arguments := os.Args[1], os.Args[2], os.Args[3:]
	own := map[string][]string{"GeneratePackage": {"nodejs", "python", "go"}, "RunPlugin": {"nodejs"}}
	if host == "-" {
		for _, method := range []string{"GetPluginInfo", "GetRequiredPackages", "GetRequiredPlugins", "GetProgramDependencies", "InstallDependencies", "Run"} {
			own[method] = []string{"go"}
		}
	}

	options := []grpc.ServerOption{grpc.MaxRecvMsgSize(maxMessageBytes)}
	var child *exec.Cmd
	if host != "-" {
		connection, started, err := start(host, arguments)
		if err != nil {
			fail(err)
		}
		child = started
		options = append(options, grpc.UnknownServiceHandler(passOn(connection)))
	}

	server := grpc.NewServer(options...)
	description := rpc.LanguageRuntime_ServiceDesc
	description.Methods = slices.DeleteFunc(slices.Clone(description.Methods), func(method grpc.MethodDesc) bool {
		return !slices.Contains(own[method.MethodName], language)
	})
	description.Streams = slices.DeleteFunc(slices.Clone(description.Streams), func(stream grpc.StreamDesc) bool {
		return !slices.Contains(own[stream.StreamName], language)
	})
	server.RegisterService(&description, &languageHost{language: language})

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	// The engine reads the port from the first line, and ends the host by a signal.
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-signals
		server.Stop()
	}()
	err = server.Serve(listener)
	if child != nil {
		_ = child.Process.Kill()
	}
	if err != nil {
		fail(err)
	}
}

// start runs the older host. It ends with this process.
func start(host string, arguments []string) (*grpc.ClientConn, *exec.Cmd, error) {
	command := exec.Command(host, arguments...)
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := command.Start(); err != nil {
		return nil, nil, err
	}
	reader := bufio.NewReader(output)
	port, err := reader.ReadString('\n')
	if err != nil {
		return nil, nil, fmt.Errorf("%s told no port: %w", host, err)
	}
	go func() { _, _ = io.Copy(os.Stdout, reader) }()
	connection, err := grpc.NewClient("127.0.0.1:"+strings.TrimSpace(port),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessageBytes)))
	return connection, command, err
}

// passOn hands a call to the older host. An empty message keeps fields that it doesn't know, and so carries any message.
func passOn(connection *grpc.ClientConn) grpc.StreamHandler {
	return func(_ any, stream grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(stream)
		request := new(emptypb.Empty)
		if err := stream.RecvMsg(request); err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(stream.Context())
		defer cancel()
		answers, err := connection.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, method)
		if err != nil {
			return err
		}
		if err := answers.SendMsg(request); err != nil {
			return err
		}
		if err := answers.CloseSend(); err != nil {
			return err
		}
		for {
			answer := new(emptypb.Empty)
			if err := answers.RecvMsg(answer); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			if err := stream.SendMsg(answer); err != nil {
				return err
			}
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
