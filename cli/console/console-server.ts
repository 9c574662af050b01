import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf } from "../../runtime/log.ts";
import { UserError } from "../../runtime/user-error.ts";
import { type ActionName, actionNames } from "./console-state.ts";
import { judgeRequest } from "./judge-request.ts";
import type { LiveView } from "./live-view.ts";
import { readPageFiles } from "./page-files.ts";

/** What the server serves. */
export interface ConsoleServerOptions {
  /** 0: any free one. */
  readonly port: number;
  readonly view: LiveView;
  /** Does what the page orders. @throws {UserError} why it can't be done, or isn't allowed. */
  readonly act: (action: ActionName, part: string) => Promise<string>;
}

/** A console that runs. */
export interface ConsoleServer {
  /** With the token: who knows it may do everything that the page can. */
  readonly url: string;
  close(): void;
}

/** An order is an action and a name. */
const orderBytes = 1024;
/** Each is a window that somebody looks at. */
const maxViewers = 16;
/** What a viewer doesn't read isn't kept for it: it is told everything again when it comes back. */
const unreadBytes = 2 ** 20;

const headers = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Serves the console on the loopback. @throws {Error} with code EADDRINUSE when the port is taken. */
export async function startConsoleServer({ port, view, act }: ConsoleServerOptions): Promise<ConsoleServer> {
  const token = randomBytes(24).toString("base64url");
  const files = readPageFiles();
  const server = createServer((request, response) => {
    const { method = "GET", url = "/" } = request;
    let verdict: ReturnType<typeof judgeRequest>;
    try {
      verdict = judgeRequest({ method, url, headers: request.headers }, portOf(server), token);
    } catch {
      verdict = { kind: "refuse", status: 400, reason: "that is no address" };
    }
    if (verdict.kind === "refuse") send(response, verdict.status, "text/plain", `${verdict.reason}\n`);
    else if (verdict.kind === "redirect") response.writeHead(303, { ...headers, location: verdict.to }).end();
    else if (verdict.kind === "act") void order(request, response, act);
    else if (verdict.name === "events") stream(response, view);
    else {
      const file = files.get(verdict.name);
      if (file === undefined) send(response, 404, "text/plain", "there is no such page\n");
      else send(response, 200, file.type, file.body);
    }
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject).listen({ port, host: "127.0.0.1" }, resolve);
  await promise;
  return {
    url: `http://127.0.0.1:${portOf(server)}/?token=${token}`,
    close: () => {
      view.end();
      server.close();
      server.closeAllConnections();
    },
  };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, { ...headers, "content-type": type }).end(body);
}

/** Server-sent events: what the view tells, until the page is closed. */
function stream(response: ServerResponse, view: LiveView): void {
  if (view.viewers >= maxViewers) {
    send(response, 503, "text/plain", `${maxViewers} windows are open already\n`);
    return;
  }
  response.writeHead(200, { ...headers, "content-type": "text/event-stream" });
  response.write("retry: 1000\n\n");
  const leave = view.join(({ kind, value }) => {
    response.write(`event: ${kind}\ndata: ${JSON.stringify(value)}\n\n`);
    if (response.writableLength > unreadBytes) response.destroy();
  });
  response.once("close", leave);
}

/** Takes one order, and answers when it was done. */
async function order(
  request: IncomingMessage,
  response: ServerResponse,
  act: ConsoleServerOptions["act"],
): Promise<void> {
  const answer = (status: number, text: string): void =>
    send(response, status, "application/json", JSON.stringify({ text }));
  try {
    const { action, part } = readOrder(await readBody(request));
    answer(200, await act(action, part));
  } catch (error) {
    answer(error instanceof UserError ? 409 : 500, messageOf(error));
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of request) {
    text += String(piece);
    if (text.length > orderBytes) throw new UserError(`An order has at most ${orderBytes} bytes.`);
  }
  return text;
}

function readOrder(text: string): { readonly action: ActionName; readonly part: string } {
  let order: { action?: unknown; part?: unknown } | null;
  try {
    order = JSON.parse(text);
  } catch {
    order = null;
  }
  const action = actionNames.find((name) => name === order?.action);
  if (action === undefined || typeof order?.part !== "string")
    throw new UserError(`An order is {"action", "part"}, the action one of ${actionNames.join(", ")}.`);
  return { action, part: order.part };
}
