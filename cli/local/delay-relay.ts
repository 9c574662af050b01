import { createSocket, type Socket } from "node:dgram";
import { completeChecksum } from "./tcp-checksum.ts";

/** Where VXLAN has its IP packet: after its own header of 8 bytes and Ethernet's of 14. */
const packetAt = 8 + 14;
const sourceAt = packetAt + 12;
const targetAt = packetAt + 16;
/** The last byte of the sender's Ethernet address. */
const senderEnd = 8 + 6 + 5;

/**
 * Passes packets on later. Hosts send it what is to be late as VXLAN, a network card inside UDP: the kernel that this is for may
 * have no `netem`. Packets of one delay stay in their order.
 */
export class DelayRelay {
  readonly #port: number;
  readonly #socket: Socket;
  /** ms, by `from to`. */
  #delays: ReadonlyMap<string, number> = new Map();

  private constructor(port: number, socket: Socket) {
    this.#port = port;
    this.#socket = socket;
    socket.on("message", (packet) => this.#take(packet));
    // It waits for packets, and nobody waits for it.
    socket.unref();
  }

  /** @param port where all hosts and this one take VXLAN. */
  static async start(port: number): Promise<DelayRelay> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = createSocket({ type: "udp4", recvBufferSize: 4 * 2 ** 20 });
    socket.once("error", reject).bind(port, resolve);
    await promise;
    return new DelayRelay(port, socket);
  }

  /** From now on packets of these ways are so late; what is on its way arrives as before. */
  delay(ways: readonly { readonly from: string; readonly to: string; readonly ms: number }[]): void {
    this.#delays = new Map(ways.map(({ from, to, ms }) => [`${from} ${to}`, ms]));
  }

  #take(packet: Buffer): void {
    if (packet.length < targetAt + 4) return;
    const from = packet.subarray(sourceAt, sourceAt + 4).join(".");
    const to = packet.subarray(targetAt, targetAt + 4).join(".");
    // A card ignores what seems to come from itself, and all have the same address.
    packet[senderEnd] = 2;
    // The kernel leaves it to a network card, and there is none on the way.
    completeChecksum(packet.subarray(packetAt));
    const send = (): void => this.#socket.send(packet, this.#port, to);
    const ms = this.#delays.get(`${from} ${to}`) ?? 0;
    if (ms === 0) {
      send();
      return;
    }
    setTimeout(send, ms);
  }
}
