import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { request } from "node:http";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { ConsoleServer } from "../../cli/console/console-server.ts";
import { startLocalConsole } from "../../cli/console/start-console.ts";
import type { LocalTopology } from "../../cli/local/local-topology.ts";
import type { ClusterControl } from "../../workshop/chaos/cluster-control.ts";
import { findChromium, startChromium } from "../support/chromium.ts";
import { eventually } from "../support/eventually.ts";
import { startObserved } from "../support/observed-topology.ts";
import { temporaryDirectory } from "../support/redis-process.ts";

const images = fileURLToPath(new URL("../../docs/images/", import.meta.url));
/** SCREENSHOTS=1 writes the pictures of the documentation anew. */
const picturesWanted = process.env.SCREENSHOTS === "1";

const light: BrowserContextOptions = { colorScheme: "light", viewport: { width: 1000, height: 760 } };
const dark: BrowserContextOptions = { ...light, colorScheme: "dark" };
const phone: BrowserContextOptions = { colorScheme: "light", viewport: { width: 390, height: 844 } };
const looks = { light, dark, phone };

/** The page in a real browser, over a real topology. */
describe("the console", function () {
  this.timeout(120_000);
  const directory = temporaryDirectory();
  let topology: LocalTopology;
  let cluster: ClusterControl;
  let console: ConsoleServer;
  let browser: Browser | undefined;

  before(async () => {
    ({ topology, cluster } = await startObserved(directory.path));
    console = await startLocalConsole(topology, 0);
    const chromium = findChromium();
    browser = chromium === undefined ? undefined : await startChromium(chromium);
  });

  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
    await cluster.recover(60_000);
  });

  after(async () => {
    await browser?.close();
    console?.close();
    cluster?.close();
    await topology?.stop();
    directory.remove();
  });

  /** Opens the page. Skips the test where there is no browser. */
  async function open(test: Mocha.Context, look: BrowserContextOptions): Promise<Page> {
    if (browser === undefined) test.skip();
    const page = await (browser as Browser).newPage(look);
    page.on("request", (asked) => assert.equal(new URL(asked.url()).origin, new URL(console.url).origin));
    page.on("pageerror", (error) => assert.fail(error));
    page.on("console", (message) => assert.notEqual(message.type(), "error", message.text()));
    await page.goto(console.url);
    await page.getByText(/leads\. All is well\./).waitFor();
    return page;
  }

  const card = (page: Page, name: string) => page.getByRole("listitem", { name, exact: true });

  async function picture(page: Page, state: string): Promise<void> {
    if (!picturesWanted) return;
    mkdirSync(images, { recursive: true });
    for (const [name, { colorScheme, viewport }] of Object.entries(looks)) {
      await page.emulateMedia({ colorScheme: colorScheme ?? null, reducedMotion: "reduce" });
      await page.setViewportSize(viewport ?? { width: 1000, height: 760 });
      await page.waitForTimeout(700);
      await page.screenshot({ path: `${images}console-${state}-${name}.png`, fullPage: name !== "phone" });
    }
  }

  it("answers nobody without its token, by another name or from another origin, and lets nothing else in", async () => {
    const { port, searchParams, origin } = new URL(console.url);
    const token = searchParams.get("token");
    const ask = async (path: string, headers: Record<string, string> = {}, body?: string) => {
      const method = body === undefined ? "GET" : "POST";
      const asked = request({ host: "127.0.0.1", port, path, method, headers }).end(body);
      const [response] = await once(asked, "response");
      response.resume();
      return response as { statusCode: number; headers: Record<string, string> };
    };
    const statusOf = async (...asked: Parameters<typeof ask>) => (await ask(...asked)).statusCode;
    assert.equal(await statusOf("/"), 401);
    assert.equal(await statusOf("/page.js"), 401);
    assert.equal(await statusOf(`/${token}/events`, { host: "evil.example" }), 403);
    assert.equal(await statusOf(`/${token}/events`, { origin: "http://evil.example" }), 403);
    const json = { "content-type": "application/json" };
    const order = JSON.stringify({ action: "kill", part: "redis-sentinel-3" });
    assert.equal(await statusOf(`/${token}/actions`, { ...json, origin: "http://evil.example" }, order), 403);
    assert.equal(await statusOf(`/${token}/actions`, json, order), 403);
    assert.ok(topology.isRunning("redis-sentinel-3"));
    const page = await ask(`/${token}/`);
    assert.equal(page.statusCode, 200);
    const policy = page.headers["content-security-policy"] ?? "";
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    assert.equal(page.headers["access-control-allow-origin"], undefined);
    assert.equal(await statusOf(`/${token}/..%2f..%2fpackage.json`), 404);
    assert.equal(await statusOf(`/${token}/actions`, { ...json, origin }, '{"action":"rm","part":"x"}'), 409);
    assert.equal(await statusOf(`/${token}/actions`, { ...json, origin }, "x".repeat(2000)), 409);
  });

  it("shows every part, who leads, and a client whose writes go on", async function () {
    const page = await open(this, light);
    const { master } = await topology.status();
    const leader =
      topology.parts.find(({ address }) => `${address.host}:${address.port}` === master)?.name ?? "";
    await card(page, leader).getByText("master", { exact: true }).waitFor();
    for (const name of topology.names) assert.ok(await card(page, name).isVisible(), name);
    await eventually(async () => assert.ok(Number(await page.locator("#per-second").textContent()) > 0), {
      withinMs: 10_000,
    });
    // A Sentinel that answers too late for one look has no link in it.
    await eventually(async () => assert.equal(await page.locator("#links line").count(), 6), {
      withinMs: 20_000,
    });
    if (picturesWanted) await page.waitForTimeout(30_000);
    await picture(page, "calm");
  });

  it("shows a failover to somebody who has only a keyboard: kill, read the pause, restore", async function () {
    const page = await open(this, light);
    await eventually(async () => assert.ok(Number(await page.locator("#per-second").textContent()) > 0), {
      withinMs: 10_000,
    });
    const before = await cluster.master();
    await pressByKeyboard(page, "Kill the master");
    const head = page.locator("#timeline-head");
    await head.getByText(/writes paused for \d+ ms/).waitFor({ timeout: 60_000 });
    const after = await cluster.master();
    assert.notEqual(after.name, before.name);
    const told = (await head.textContent()) ?? "";
    assert.ok(told.startsWith(`${before.name} → ${after.name}, `), told);
    const steps = await page.locator("#timeline li").allTextContents();
    assert.match(steps[0] ?? "", /^0 ms/);
    assert.ok(
      steps.some((step) => /^\d+ ms/.test(step) && step.endsWith(`you killed ${before.name}`)),
      steps.join("\n"),
    );
    assert.ok(steps.length >= 5, steps.join("\n"));
    const longest = Number.parseInt((await page.locator("#longest").textContent()) ?? "", 10);
    const paused = Number(/paused for (\d+) ms/.exec(told)?.[1]);
    assert.ok(paused >= 60 && longest >= paused, `paused for ${paused} ms, longest ${longest} ms`);
    await card(page, before.name).getByText("ended").waitFor({ timeout: 20_000 });
    await picture(page, "failover");
    await pressByKeyboard(page, `Restore: ${before.name}`);
    await page.getByText(/leads\. All is well\./).waitFor({ timeout: 60_000 });
  });

  it("shows one that is cut off, in light and dark and on a phone, where nothing is wider than the screen", async function () {
    const page = await open(this, phone);
    const master = (await cluster.master()).name;
    const replica = topology.parts.find(({ kind, name }) => kind === "redis" && name !== master)?.name ?? "";
    await page.getByRole("button", { name: `Cut off: ${replica}` }).click();
    await card(page, replica).getByText("cut off", { exact: true }).waitFor();
    await page.getByText("Not every part is well.").waitFor({ timeout: 20_000 });
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 390);
    const ground = "getComputedStyle(document.body).backgroundColor";
    const bright = await page.evaluate(ground);
    await page.emulateMedia({ colorScheme: "dark" });
    assert.notEqual(await page.evaluate(ground), bright);
    await picture(page, "cut-off");
    await page.getByRole("button", { name: "Restore everything" }).click();
    await page.getByText(/leads\. All is well\./).waitFor({ timeout: 60_000 });
  });

  it("asks and writes nothing when nobody looks", async function () {
    const page = await open(this, light);
    await page.close();
    const clients = async (): Promise<number> => {
      const answer = await fetch(`${topology.parts.find(({ kind }) => kind === "proxy")?.adminUrl}/metrics`);
      return Number(/^redis_ha_proxy_clients (\d+)/m.exec(await answer.text())?.[1]);
    };
    await eventually(async () => assert.equal(await clients(), 0), { withinMs: 10_000 });
  });
});

/** Goes through the page by Tab until the button has the focus, and presses it. */
async function pressByKeyboard(page: Page, name: string): Promise<void> {
  const focused = "document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent";
  for (let pressed = 0; pressed < 100; pressed++) {
    if ((await page.evaluate(focused)) === name) {
      await page.keyboard.press("Enter");
      return;
    }
    await page.keyboard.press("Tab");
  }
  assert.fail(`the keyboard doesn't reach '${name}'`);
}
