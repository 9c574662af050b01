import { monotonicMs } from "../monotonic-clock.ts";
import { waitUntil } from "../wait-until.ts";
import { announcedAndEnded, asFailover, type Fault, killServer } from "./fault.ts";

export const aborted: Fault = {
  name: "aborted",
  summary:
    "the replicas are frozen when the master dies: the failover is aborted, and succeeds when they are back",
  failover: true,
  gapMs: 12000,
  allows: asFailover,
  async inject(context) {
    const { announcements, cluster, master, say } = context;
    const replicas = cluster.instances.filter(({ name }) => name !== master.name);
    const pids = await Promise.all(replicas.map((replica) => cluster.serverPid(replica)));
    const frozenAtMs = monotonicMs();
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    let atMs: number;
    try {
      atMs = await killServer(context);
      const abort = await waitUntil(
        "a Sentinel aborts the failover",
        () => announcements.since(frozenAtMs).find(({ channel }) => channel.startsWith("-failover-abort")),
        8000,
      );
      say(`aborted after ${Math.round(abort.atMs - atMs)} ms: ${abort.channel}`);
    } finally {
      for (const pid of pids) process.kill(pid, "SIGCONT");
    }
    await announcedAndEnded(context, atMs);
    return atMs;
  },
};
