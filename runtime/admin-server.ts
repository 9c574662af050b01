import { createServer } from "node:http";

/** The answer of a health check: true, or why not. */
export type Health = true | { readonly problem: string };

/** What an {@link startAdminServer | admin server} answers. */
export interface AdminServerOptions {
  readonly host: string;
  readonly port: number;
  /** `/livez`: whether this process works. False gets it killed and started again, so it never looks at peers. */
  readonly live: () => Health | Promise<Health>;
  /** `/readyz`: whether it does its job now. */
  readonly ready: () => Health | Promise<Health>;
  /** `/metrics` in Prometheus' text format. Unset: there are none. */
  readonly metrics?: () => Promise<string>;
}

/** A running admin server. */
export interface AdminServer {
  /** Ends it with all its connections: nothing keeps the process alive any more. */
  close(): void;
}

/**
 * Starts the HTTP server for probes and metrics; resolves when it listens.
 *
 * @throws {Error} when the port is taken.
 */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const server = createServer((request, response) => {
    answer(options, request.url ?? "/").then(
      ({ status, type, body }) => response.writeHead(status, { "content-type": type }).end(body),
      (error: unknown) => response.writeHead(500, { "content-type": "text/plain" }).end(`${error}\n`),
    );
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject).listen(options.port, options.host, resolve);
  await promise;
  return {
    close: () => {
      server.close();
      // A kubelet keeps its connections open, and they would keep this process alive.
      server.closeAllConnections();
    },
  };
}

async function answer(
  { live, ready, metrics }: AdminServerOptions,
  url: string,
): Promise<{ status: number; type: string; body: string }> {
  const path = url.split("?")[0];
  if (path === "/metrics" && metrics !== undefined) {
    return { status: 200, type: "text/plain; version=0.0.4; charset=utf-8", body: await metrics() };
  }
  const check = path === "/livez" ? live : path === "/readyz" ? ready : undefined;
  if (check === undefined)
    return { status: 404, type: "text/plain", body: "use /livez, /readyz or /metrics\n" };
  const health = await check();
  return health === true
    ? { status: 200, type: "text/plain", body: "ok\n" }
    : { status: 503, type: "text/plain", body: `${health.problem}\n` };
}
