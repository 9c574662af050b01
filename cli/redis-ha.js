#!/usr/bin/env node
// Starts the command with a Node that strips types. The system's Node may be older: then the one that npm installed
// beside the other packages takes over.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("main.ts", import.meta.url));
const bundledNode = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url));
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

// A link by the name of kubectl-redis_ha makes it a plugin of kubectl: cli/called-as.ts.
process.env.REDIS_HA_CALLED_AS = basename(process.argv[1] ?? "");

if (major > 22 || (major === 22 && minor >= 18)) {
  await import(program);
} else if (existsSync(bundledNode)) {
  // Ctrl-C reaches the child too: it decides when to end, this launcher only waits for it.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);
  const { status } = spawnSync(bundledNode, [program, ...process.argv.slice(2)], { stdio: "inherit" });
  process.exitCode = status ?? 1;
} else {
  process.stderr.write(
    `redis-ha needs Node 22.18 or newer, this is ${process.versions.node}: run 'npm ci' in its directory, which installs one.\n`,
  );
  process.exitCode = 1;
}
