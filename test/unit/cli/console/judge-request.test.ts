import assert from "node:assert/strict";
import { judgeRequest, type RequestHead } from "../../../../cli/console/judge-request.ts";

const port = 7690;
const token = "abc-DEF_123";

function judge(url: string, headers: RequestHead["headers"] = {}, method = "GET") {
  return judgeRequest({ method, url, headers: { host: `127.0.0.1:${port}`, ...headers } }, port, token);
}

const ordering = { origin: `http://127.0.0.1:${port}`, "content-type": "application/json" };

describe("who may ask the console", () => {
  it("is whoever has the token, and is led to the page under it", () => {
    assert.deepEqual(judge(`/?token=${token}`), { kind: "redirect", to: `/${token}/` });
    assert.deepEqual(judge(`/${token}/`), { kind: "get", name: "" });
    assert.deepEqual(judge(`/${token}/events`), { kind: "get", name: "events" });
    assert.deepEqual(judge(`/${token}/actions`, ordering, "POST"), { kind: "act" });
  });

  it("is nobody without it, whatever is asked for", () => {
    const urls = [
      "/",
      "/?token=",
      "/?token=abc",
      "/page.css",
      "/abc/events",
      "//events",
      "/events?token=abc-DEF_123",
    ];
    for (const url of urls) assert.deepEqual([url, statusOf(judge(url))], [url, 401]);
    assert.equal(statusOf(judge("/wrong/actions", ordering, "POST")), 401);
  });

  it("is no page of another name for this machine: its owner may have the name mean the loopback", () => {
    for (const host of [
      "evil.example:7690",
      "127.0.0.1",
      "127.0.0.1:80",
      "localhost.evil.example:7690",
      undefined,
    ])
      assert.deepEqual([host, statusOf(judge(`/${token}/`, { host }))], [host, 403]);
    assert.equal(judge(`/${token}/`, { host: "localhost:7690" }).kind, "get");
  });

  it("is no other origin, even one of this machine", () => {
    for (const origin of ["http://evil.example", "http://127.0.0.1:8080", "null", "https://127.0.0.1:7690"]) {
      assert.deepEqual([origin, statusOf(judge(`/${token}/events`, { origin }))], [origin, 403]);
      const asked = judge(`/${token}/actions`, { ...ordering, origin }, "POST");
      assert.deepEqual([origin, statusOf(asked)], [origin, 403]);
    }
    for (const site of ["cross-site", "same-site"])
      assert.equal(statusOf(judge(`/${token}/events`, { "sec-fetch-site": site })), 403);
    const frame = {
      "sec-fetch-site": "cross-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "iframe",
    };
    assert.equal(statusOf(judge(`/${token}/`, frame)), 403);
  });

  it("may come from a link: a terminal in a browser shows one", () => {
    const link = {
      "sec-fetch-site": "cross-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
    };
    assert.equal(judge(`/?token=${token}`, link).kind, "redirect");
  });

  it("orders only as the page does: with its origin, as JSON, by POST, to one address", () => {
    assert.equal(statusOf(judge(`/${token}/actions`, { "content-type": "application/json" }, "POST")), 403);
    assert.equal(
      statusOf(judge(`/${token}/actions`, { ...ordering, "content-type": "text/plain" }, "POST")),
      400,
    );
    assert.equal(statusOf(judge(`/${token}/actions`, ordering, "PUT")), 405);
    assert.equal(statusOf(judge(`/${token}/events`, ordering, "POST")), 404);
    assert.equal(statusOf(judge(`/${token}/a/b`)), 404);
    assert.equal(statusOf(judge(`/${token}`)), 404);
  });
});

function statusOf(verdict: ReturnType<typeof judgeRequest>): number | undefined {
  return verdict.kind === "refuse" ? verdict.status : undefined;
}
