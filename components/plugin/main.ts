// The plugin that Pulumi starts for programs in YAML, Python, Go, C# and Java: see PulumiPlugin.yaml.
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { RedisHaProvider } from "./provider.ts";

const manifest = new URL("../../package.json", import.meta.url);
const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };

pulumi.provider.main(new RedisHaProvider(version), process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});
