import { z } from "zod";

const report = z.object({
  metadata: z.object({ vulnerabilities: z.record(z.string(), z.number()) }),
  vulnerabilities: z.record(z.string(), z.object({ severity: z.string(), range: z.string().default("") })),
});

/** What `npm audit --json` means for a build: 0 good, 1 a serious vulnerability, 75 nobody knows. */
export function judgeAudit(output: string): { readonly exitCode: 0 | 1 | 75; readonly text: string } {
  const parsed = report.safeParse(parseJson(output));
  if (!parsed.success) {
    return {
      exitCode: 75,
      text: "npm audit gave no report: this registry doesn't answer it, or can't be reached",
    };
  }
  const found = Object.entries(parsed.data.vulnerabilities);
  const serious = found.filter(([, { severity }]) => severity === "high" || severity === "critical");
  const lines = found.map(([name, { severity, range }]) => `${severity}: ${name} ${range}`);
  return {
    exitCode: serious.length > 0 ? 1 : 0,
    text: [
      ...lines,
      `npm audit: ${found.length} vulnerable packages, ${serious.length} high or critical`,
    ].join("\n"),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
