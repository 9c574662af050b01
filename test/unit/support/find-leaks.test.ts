import assert from "node:assert/strict";
import { findLeaks } from "../../support/find-leaks.ts";

const password = "wQ7zR2mK9xT4vB6nP1sD8fG3hJ5kL0aE";

describe("findLeaks", () => {
  it("tells which secret stands where", () => {
    const places = {
      log: `AUTH ${password} ok`,
      state: "nothing",
      both: `${password} and other-secret-text`,
    };
    assert.deepEqual(findLeaks(places, { password, other: "other-secret-text" }), [
      "log: password",
      "both: password",
      "both: other",
    ]);
  });

  const forms: Record<string, string> = {
    base64: Buffer.from(password).toString("base64"),
    "base64 inside a longer text": Buffer.from(`redis://:${password}@host`).toString("base64"),
    "base64, shifted by one": Buffer.from(`x${password}yz`).toString("base64"),
    "base64, shifted by two": Buffer.from(`xy${password}z`).toString("base64"),
    hexadecimal: Buffer.from(password).toString("hex"),
    "URL encoding": encodeURIComponent(password),
    lines: [...password].join("\n"),
  };
  for (const [name, text] of Object.entries(forms)) {
    it(`finds a secret in ${name}`, () => {
      assert.deepEqual(findLeaks({ place: `before ${text} after` }, { password }), ["place: password"]);
    });
  }

  it("finds the URL encoding of what isn't only letters", () => {
    assert.deepEqual(findLeaks({ place: "p%40ss%2Fword%3Along" }, { it: "p@ss/word:long" }), ["place: it"]);
  });

  it("doesn't take parts or hashes for the secret", () => {
    assert.deepEqual(findLeaks({ place: password.slice(0, -1) }, { password }), []);
  });
});
