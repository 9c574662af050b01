// Asks the registry for known vulnerabilities of what the lockfile installs: npm run audit. Exit code 1 when a package of the
// product has one that is high or critical, 75 (try again) when the registry doesn't answer that question.
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { judgeAudit } from "./judge-audit.ts";

const { stdout } = await execa("npm", ["audit", "--json", "--package-lock-only", "--omit=dev"], {
  cwd: fileURLToPath(new URL("../..", import.meta.url)),
  timeout: 60_000,
  reject: false,
  stdin: "ignore",
});
const { exitCode, text } = judgeAudit(stdout);
process.stdout.write(`${text}\n`);
process.exitCode = exitCode;
