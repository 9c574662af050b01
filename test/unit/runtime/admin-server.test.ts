import assert from "node:assert/strict";
import {
  type AdminServer,
  type AdminServerOptions,
  startAdminServer,
} from "../../../runtime/admin-server.ts";
import { freePort } from "../../support/redis-process.ts";

describe("startAdminServer", () => {
  let server: AdminServer | undefined;
  let port: number;
  beforeEach(async () => {
    port = await freePort();
  });
  afterEach(() => server?.close());

  const healthy: Omit<AdminServerOptions, "port"> = {
    host: "127.0.0.1",
    live: () => true,
    ready: () => true,
  };

  async function get(path: string, options: Partial<AdminServerOptions> = {}): Promise<[number, string]> {
    server?.close();
    server = await startAdminServer({ ...healthy, port, ...options });
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return [response.status, await response.text()];
  }

  it("answers 200 while it is well", async () => {
    assert.deepEqual(await get("/livez"), [200, "ok\n"]);
    assert.deepEqual(await get("/readyz?verbose=1", { ready: async () => true as const }), [200, "ok\n"]);
  });

  it("answers 503 with the reason, and keeps liveness and readiness apart", async () => {
    const ready = () => ({ problem: "no master yet" });
    assert.deepEqual(await get("/readyz", { ready }), [503, "no master yet\n"]);
    assert.deepEqual(await get("/livez", { ready }), [200, "ok\n"]);
  });

  it("answers 500 when a check fails, now or later, and lives on", async () => {
    const broken = () => {
      throw new Error("broken");
    };
    assert.deepEqual(await get("/livez", { live: broken }), [500, "Error: broken\n"]);
    assert.deepEqual(await get("/readyz", { ready: () => Promise.reject(new Error("later")) }), [
      500,
      "Error: later\n",
    ]);
  });

  it("has metrics only where there are some", async () => {
    assert.equal((await get("/metrics"))[0], 404);
    assert.deepEqual(await get("/metrics", { metrics: async () => "up 1\n" }), [200, "up 1\n"]);
  });

  it("knows no other path", async () => {
    assert.deepEqual(await get("/"), [404, "use /livez, /readyz or /metrics\n"]);
  });

  it("fails when the port is taken", async () => {
    await get("/livez");
    await assert.rejects(startAdminServer({ ...healthy, port }), /EADDRINUSE/);
  });
});
