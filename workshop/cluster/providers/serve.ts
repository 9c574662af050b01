import * as grpc from "@grpc/grpc-js";
import pluginMessages from "@pulumi/pulumi/proto/plugin_pb.js";
import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import statusMessages from "@pulumi/pulumi/proto/status_pb.js";
import any from "google-protobuf/google/protobuf/any_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import {
  InitializationFailure,
  type OperationOptions,
  type Properties,
  type ProviderProgram,
  parseUrn,
} from "./provider-program.ts";

type Struct = InstanceType<typeof struct.Struct>;

/** Serves a provider program to the Pulumi engine: prints the port that it listens on, as every plugin does. */
export async function serveProvider(program: ProviderProgram): Promise<void> {
  const server = new grpc.Server({ "grpc.max_receive_message_length": 400 * 2 ** 20 });
  server.addService(services.ResourceProviderService, {
    ...metaCalls(program),
    ...resourceCalls(program),
  });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
    error === null ? resolve(port) : reject(error),
  );
  process.stdout.write(`${await promise}\n`);
}

type Call<T> = grpc.ServerUnaryCall<T, unknown>;
type Answer = grpc.sendUnaryData<unknown>;

/** A call whose answer is computed; what it throws becomes an error of the engine's operation. */
function unary<T>(handle: (request: T) => Promise<unknown> | unknown) {
  return (call: Call<T>, answer: Answer): void => {
    Promise.try(() => handle(call.request)).then(
      (reply) => answer(null, reply),
      (error: unknown) => answer(toServiceError(error)),
    );
  };
}

/** Calls about the provider itself. */
function metaCalls(program: ProviderProgram): grpc.UntypedServiceImplementation {
  return {
    getPluginInfo: unary(() => {
      const info = new pluginMessages.PluginInfo();
      info.setVersion(program.version);
      return info;
    }),
    getSchema: unary(() => {
      const schema = new messages.GetSchemaResponse();
      schema.setSchema("{}");
      return schema;
    }),
    checkConfig: unary((request: InstanceType<typeof messages.CheckRequest>) => {
      const reply = new messages.CheckResponse();
      reply.setInputs(request.getNews());
      return reply;
    }),
    diffConfig: unary((request: InstanceType<typeof messages.DiffRequest>) => {
      const same = JSON.stringify(plain(request.getOlds())) === JSON.stringify(plain(request.getNews()));
      const reply = new messages.DiffResponse();
      reply.setChanges(
        same ? messages.DiffResponse.DiffChanges.DIFF_NONE : messages.DiffResponse.DiffChanges.DIFF_SOME,
      );
      return reply;
    }),
    configure: unary((request: InstanceType<typeof messages.ConfigureRequest>) => {
      program.configure?.(plain(request.getArgs()));
      const reply = new messages.ConfigureResponse();
      // The engine takes secrets out of the inputs and marks the outputs that come from them.
      reply.setAcceptsecrets(false);
      reply.setSupportspreview(true);
      return reply;
    }),
    cancel: unary(() => {
      program.cancel?.();
      return new empty.Empty();
    }),
    attach: unary(() => new empty.Empty()),
  };
}

/** Calls about resources. */
function resourceCalls(program: ProviderProgram): grpc.UntypedServiceImplementation {
  return {
    check: unary(async (request: InstanceType<typeof messages.CheckRequest>) => {
      const { inputs, failures = [] } = await program.check(
        parseUrn(request.getUrn()),
        plain(request.getNews()),
        plain(request.getOlds()),
      );
      const reply = new messages.CheckResponse();
      reply.setInputs(toStruct(inputs));
      for (const { property, reason } of failures) {
        const failure = new messages.CheckFailure();
        failure.setProperty(property);
        failure.setReason(reason);
        reply.addFailures(failure);
      }
      return reply;
    }),
    diff: unary(async (request: InstanceType<typeof messages.DiffRequest>) => {
      const { changes, deleteBeforeReplace } = await program.diff(
        parseUrn(request.getUrn()),
        plain(request.getOldInputs()),
        plain(request.getNews()),
        plain(request.getOlds()),
      );
      const reply = new messages.DiffResponse();
      const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
      reply.setChanges(changes.length === 0 ? DIFF_NONE : DIFF_SOME);
      reply.setHasdetaileddiff(true);
      reply.setDeletebeforereplace(deleteBeforeReplace);
      const kinds = messages.PropertyDiff.Kind;
      for (const { path, kind, replaces } of changes) {
        const property = new messages.PropertyDiff();
        const name = `${kind.toUpperCase()}${replaces ? "_REPLACE" : ""}` as keyof typeof kinds;
        property.setKind(kinds[name]);
        property.setInputdiff(true);
        reply.getDetaileddiffMap().set(path, property);
        if (replaces) reply.addReplaces(path);
        reply.addDiffs(path.split(/[.[]/)[0] ?? path);
      }
      return reply;
    }),
    create: unary(async (request: InstanceType<typeof messages.CreateRequest>) => {
      const { id, outputs } = await program.create(
        parseUrn(request.getUrn()),
        plain(request.getProperties()),
        options(request),
      );
      const reply = new messages.CreateResponse();
      reply.setId(id);
      reply.setProperties(toStruct(outputs));
      return reply;
    }),
    update: unary(async (request: InstanceType<typeof messages.UpdateRequest>) => {
      const { outputs } = await program.update(
        parseUrn(request.getUrn()),
        request.getId(),
        plain(request.getOlds()),
        plain(request.getNews()),
        options(request),
      );
      const reply = new messages.UpdateResponse();
      reply.setProperties(toStruct(outputs));
      return reply;
    }),
    read: unary(async (request: InstanceType<typeof messages.ReadRequest>) => {
      const state = await program.read(
        parseUrn(request.getUrn()),
        request.getId(),
        plain(request.getInputs()),
        plain(request.getProperties()),
      );
      const reply = new messages.ReadResponse();
      // An empty id says that the resource is gone.
      reply.setId(state?.id ?? "");
      if (state !== undefined) {
        reply.setInputs(toStruct(state.inputs));
        reply.setProperties(toStruct(state.outputs));
      }
      return reply;
    }),
    delete: unary(async (request: InstanceType<typeof messages.DeleteRequest>) => {
      const timeoutSeconds = request.getTimeout();
      await program.delete(parseUrn(request.getUrn()), request.getId(), plain(request.getProperties()), {
        preview: false,
        timeoutSeconds,
      });
      return new empty.Empty();
    }),
  };
}

function options(request: { getPreview(): boolean; getTimeout(): number }): OperationOptions {
  return { preview: request.getPreview(), timeoutSeconds: request.getTimeout() };
}

function plain(value: Struct | undefined): Properties {
  return value === undefined ? {} : (value.toJavaScript() as Properties);
}

function toStruct(value: Properties): Struct {
  // Through JSON, since the protocol knows no undefined.
  return struct.Struct.fromJavaScript(JSON.parse(JSON.stringify(value)));
}

function toServiceError(error: unknown): Partial<grpc.StatusObject> & { code: grpc.status; message: string } {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof InitializationFailure))
    return { code: grpc.status.UNKNOWN, message, details: message };
  const detail = new messages.ErrorResourceInitFailed();
  detail.setId(error.id);
  detail.setProperties(toStruct(error.outputs));
  detail.setReasonsList([...error.reasons]);
  if (error.inputs !== undefined) detail.setInputs(toStruct(error.inputs));
  const packed = new any.Any();
  packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new statusMessages.Status();
  status.setCode(grpc.status.UNKNOWN);
  status.setMessage(message);
  status.addDetails(packed);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return { code: grpc.status.UNKNOWN, message, details: message, metadata };
}
