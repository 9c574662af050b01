import { readFileSync } from "node:fs";
import {
  connect as connectPlain,
  createServer as createPlainServer,
  type Server,
  type Socket,
} from "node:net";
import { join } from "node:path";
import {
  connect,
  createSecureContext,
  createServer,
  type SecureContextOptions,
  type Server as TlsServer,
} from "node:tls";
import type { Address } from "./address.ts";

/** The names of the files in a directory with a certificate: those of a Kubernetes Secret, also of cert-manager's. */
export const tlsFileNames = { cert: "tls.crt", key: "tls.key", ca: "ca.crt" } as const;

const minVersion = "TLSv1.2";
/** A client that doesn't finish its handshake in this time, ms, is closed. */
const handshakeTimeout = 5000;
const lookEveryMs = 1000;
/** A client that says nothing is asked after so long whether it is still there, ms: Redis' `tcp-keepalive`. The kernel's own is 2 h. */
const keepAliveInitialDelay = 300_000;

const socketOptions = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay } as const;

/** A certificate with its key, and the authorities that are trusted. The files are read anew at each use. */
export class TlsFiles {
  readonly directory: string;

  /** @throws {Error} when a file can't be read, or certificate and key don't belong together. */
  constructor(directory: string) {
    this.directory = directory;
    createSecureContext(this.read());
  }

  /** Path of one of the files. */
  path(file: keyof typeof tlsFileNames): string {
    return join(this.directory, tlsFileNames[file]);
  }

  /** What is in the files now. @throws {Error} when one can't be read. */
  read(): SecureContextOptions & { readonly cert: string; readonly key: string; readonly ca: string } {
    const text = (file: keyof typeof tlsFileNames): string => readFileSync(this.path(file), "utf8");
    return { cert: text("cert"), key: text("key"), ca: text("ca"), minVersion };
  }
}

/** Connects to a server: with TLS, it has to prove that it has the name or address that was asked for. */
export function connectSocket(address: Address, tls: TlsFiles | undefined): Socket {
  if (tls === undefined) return connectPlain({ ...address, noDelay: true });
  const socket = connect({ ...address, ...tls.read(), ...serverName(address) });
  socket.setNoDelay(true);
  return socket;
}

/** SNI has names only. */
export function serverName({ host }: Address): { readonly servername?: string } {
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host };
}

/**
 * Listens for clients, with TLS where there are files. Changed files hold for connections that come later: nobody is
 * disconnected.
 *
 * @param onProblem told when changed files can't be used; those from before stay in force then.
 */
export function createClientServer(
  tls: TlsFiles | undefined,
  onClient: (socket: Socket) => void,
  onProblem: (error: unknown) => void,
): Server {
  if (tls === undefined) {
    return createPlainServer(socketOptions, onClient);
  }
  const server = createServer({ ...socketOptions, handshakeTimeout, ...tls.read() }, onClient);
  // Whoever speaks no TLS, or takes too long for the handshake.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  const timer = setInterval(followFiles(server, tls, onProblem), lookEveryMs);
  timer.unref();
  server.once("close", () => clearInterval(timer));
  return server;
}

function followFiles(server: TlsServer, tls: TlsFiles, onProblem: (error: unknown) => void): () => void {
  let inForce = JSON.stringify(tls.read());
  let refused = "";
  return () => {
    let wanted = "";
    try {
      const files = tls.read();
      wanted = JSON.stringify(files);
      if (wanted === inForce || wanted === refused) return;
      server.setSecureContext(files);
      inForce = wanted;
    } catch (error) {
      // Read in the middle of a change, perhaps: then the next time is different.
      refused = wanted;
      onProblem(error);
    }
  };
}
