import assert from "node:assert/strict";
import { classifyError, saysNotExecuted } from "../../../../workshop/chaos/classify-error.ts";

describe("classifyError", () => {
  const texts: Record<string, string> = {
    "UNCERTAIN the connection to the master was lost": "UNCERTAIN",
    "-LOADING no master available": "LOADING",
    "ResponseError: UNCERTAIN the connection": "UNCERTAIN",
    "io.lettuce.core.RedisLoadingException: LOADING no master available": "LOADING",
    "no master available within the hold time: the command was not executed, try again": "LOADING",
    "You can't write against a read only replica.": "READONLY",
    "read tcp 127.0.0.1:43210->127.0.0.1:8700: i/o timeout": "read tcp N.N.N.N:N->N.N.N.N:N: i/o timeout",
    "Connection is closed.": "Connection is closed.",
  };
  for (const [text, expected] of Object.entries(texts)) {
    it(`calls '${text.slice(0, 40)}' ${expected.slice(0, 20)}`, () => {
      assert.equal(classifyError(text), expected);
    });
  }

  it("believes only a server's refusal that a command did not run", () => {
    for (const name of ["LOADING", "READONLY", "NOREPLICAS"]) assert.ok(saysNotExecuted(name), name);
    for (const name of ["UNCERTAIN", "Connection is closed.", "EXECABORT"])
      assert.ok(!saysNotExecuted(name), name);
  });
});
