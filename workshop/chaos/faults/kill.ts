import { announcedAndEnded, asFailover, type Fault, killServer } from "./fault.ts";

export const kill: Fault = {
  name: "kill",
  summary: "kill -9 of the master's redis-server; it is started again after the failover",
  failover: true,
  gapMs: 3000,
  allows: asFailover,
  async inject(context) {
    const atMs = await killServer(context);
    await announcedAndEnded(context, atMs);
    return atMs;
  },
};
