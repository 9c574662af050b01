import assert from "node:assert/strict";
import { judgeAudit } from "../../../../workshop/scripts/judge-audit.ts";

function report(severities: Readonly<Record<string, string>>): string {
  const vulnerabilities = Object.fromEntries(
    Object.entries(severities).map(([name, severity]) => [name, { name, severity, range: "<2.0.0" }]),
  );
  return JSON.stringify({
    auditReportVersion: 2,
    vulnerabilities,
    metadata: { vulnerabilities: { total: 0 } },
  });
}

describe("judgeAudit", () => {
  it("lets a build go on without vulnerabilities, and with small ones", () => {
    assert.equal(judgeAudit(report({})).exitCode, 0);
    assert.equal(judgeAudit(report({ a: "low", b: "moderate" })).exitCode, 0);
  });

  it("stops it for a serious one, and names it", () => {
    for (const severity of ["high", "critical"]) {
      const { exitCode, text } = judgeAudit(report({ a: "low", ioredis: severity }));
      assert.equal(exitCode, 1);
      assert.match(text, new RegExp(`${severity}: ioredis <2.0.0`));
      assert.match(text, /2 vulnerable packages, 1 high or critical/);
    }
  });

  it("doesn't take a registry that refuses, or none at all, for a good report", () => {
    const refusal = JSON.stringify({ message: "405 Method Not Allowed", statusCode: 405 });
    for (const output of [refusal, "", "<html>", "{}", "null"]) {
      assert.equal(judgeAudit(output).exitCode, 75, output);
    }
  });
});
