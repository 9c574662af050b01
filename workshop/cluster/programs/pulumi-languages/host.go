package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	gocode "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

type languageHost struct {
	rpc.UnimplementedLanguageRuntimeServer
	language string
}

// RunPlugin starts a plugin in JavaScript, as Pulumi's own host does: by `run-plugin` of the plugin's own @pulumi/pulumi.
func (host *languageHost) RunPlugin(request *rpc.RunPluginRequest, server rpc.LanguageRuntime_RunPluginServer) error {
	if request.Kind == "analyzer" {
		return errors.New("policy packs are not supported")
	}
	closer, stdout, stderr, err := rpcutil.MakeRunPluginStreams(server, false)
	if err != nil {
		return err
	}
	defer closer.Close()
	directory := request.Info.ProgramDirectory
	locate := exec.CommandContext(server.Context(), "node", "--print", "require.resolve('@pulumi/pulumi/cmd/run-plugin')")
	locate.Dir = directory
	runner, err := locate.Output()
	if err != nil {
		return fmt.Errorf("the plugin in %s has no @pulumi/pulumi: install its dependencies: %w", directory, err)
	}
	arguments := append([]string{string(runner[:len(runner)-1]), directory}, request.Args...)
	command := exec.CommandContext(server.Context(), "node", arguments...)
	command.Dir, command.Env = request.Pwd, request.Env
	command.Stdout, command.Stderr = stdout, stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("the plugin in %s ended: %w", directory, err)
	}
	return closer.Close()
}

// GeneratePackage writes the SDK of a package in this host's language.
func (host *languageHost) GeneratePackage(_ context.Context, request *rpc.GeneratePackageRequest) (*rpc.GeneratePackageResponse, error) {
	client, err := schema.NewLoaderClient(request.LoaderTarget)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	loader := schema.NewCachedLoader(client)
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(request.Schema), &spec); err != nil {
		return nil, err
	}
	bound, problems, err := schema.BindSpec(spec, loader, schema.ValidationOptions{AllowDanglingReferences: true})
	if err != nil {
		return nil, err
	}
	response := &rpc.GeneratePackageResponse{Diagnostics: plugin.HclDiagnosticsToRPCDiagnostics(problems)}
	if problems.HasErrors() {
		return response, nil
	}
	const tool = "pulumi-languages"
	var files map[string][]byte
	switch host.language {
	case "nodejs":
		files, err = nodejs.GeneratePackage(tool, bound, request.ExtraFiles, request.LocalDependencies, request.Local, loader)
	case "python":
		files, err = python.GeneratePackage(tool, bound, request.ExtraFiles, loader)
	case "go":
		files, err = gocode.GeneratePackage(tool, bound, request.LocalDependencies)
	}
	if err != nil {
		return nil, err
	}
	for name, content := range files {
		path := filepath.Join(request.Directory, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return nil, err
		}
	}
	return response, nil
}

func (host *languageHost) GetPluginInfo(context.Context, *emptypb.Empty) (*rpc.PluginInfo, error) {
	return &rpc.PluginInfo{Version: "3.259.0"}, nil
}

// GetRequiredPackages names none: the engine finds a plugin when the program uses it.
func (host *languageHost) GetRequiredPackages(context.Context, *rpc.GetRequiredPackagesRequest) (*rpc.GetRequiredPackagesResponse, error) {
	return &rpc.GetRequiredPackagesResponse{}, nil
}

func (host *languageHost) GetRequiredPlugins(context.Context, *rpc.GetRequiredPluginsRequest) (*rpc.GetRequiredPluginsResponse, error) {
	return &rpc.GetRequiredPluginsResponse{}, nil
}

func (host *languageHost) GetProgramDependencies(context.Context, *rpc.GetProgramDependenciesRequest) (*rpc.GetProgramDependenciesResponse, error) {
	return &rpc.GetProgramDependenciesResponse{}, nil
}

// InstallDependencies has nothing to do: `go build` fetches what is missing.
func (host *languageHost) InstallDependencies(*rpc.InstallDependenciesRequest, rpc.LanguageRuntime_InstallDependenciesServer) error {
	return nil
}

// Run builds a Go program and runs it; the SDK reads what it works on from these variables.
func (host *languageHost) Run(ctx context.Context, request *rpc.RunRequest) (*rpc.RunResponse, error) {
	directory := request.Info.ProgramDirectory
	folder, err := os.MkdirTemp("", "pulumi-go-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	program := filepath.Join(folder, "program")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	build.Dir = directory
	if output, err := build.CombinedOutput(); err != nil {
		return &rpc.RunResponse{Error: fmt.Sprintf("go build: %v\n%s", err, output)}, nil
	}
	config, err := json.Marshal(request.Config)
	if err != nil {
		return nil, err
	}
	secretKeys, err := json.Marshal(request.ConfigSecretKeys)
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, program, request.Args...)
	command.Dir = request.Pwd
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.Env = append(os.Environ(),
		"PULUMI_ORGANIZATION="+request.Organization,
		"PULUMI_PROJECT="+request.Project,
		"PULUMI_STACK="+request.Stack,
		"PULUMI_CONFIG="+string(config),
		"PULUMI_CONFIG_SECRET_KEYS="+string(secretKeys),
		fmt.Sprintf("PULUMI_DRY_RUN=%t", request.DryRun),
		fmt.Sprintf("PULUMI_PARALLEL=%d", request.Parallel),
		"PULUMI_MONITOR="+request.MonitorAddress,
		"PULUMI_ENGINE="+os.Args[len(os.Args)-1],
	)
	var ended *exec.ExitError
	if err := command.Run(); errors.As(err, &ended) {
		return &rpc.RunResponse{Error: fmt.Sprintf("the program ended with exit code %d", ended.ExitCode())}, nil
	} else if err != nil {
		return nil, err
	}
	return &rpc.RunResponse{}, nil
}
