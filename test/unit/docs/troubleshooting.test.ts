import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const project = fileURLToPath(new URL("../../..", import.meta.url));
const rooms = "{components,settings,runtime,quorum,proxy,sentinel-image}/**/*.ts";

/** Shorter parts of a text, between two `…`, prove nothing. */
const shortest = 5;

describe("docs/troubleshooting.md", () => {
  const rows = readFileSync(`${project}docs/troubleshooting.md`, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| symptom"))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
  const sources = globSync(rooms, { cwd: project })
    .map((file) => readFileSync(`${project}${file}`, "utf8"))
    .join("\n");

  it("has at least 25 symptoms, each with its cause and a command or a page", () => {
    assert.ok(rows.length >= 25, `${rows.length} rows`);
    const incomplete = rows.filter(
      (cells) => cells.length !== 3 || cells.some((cell) => cell === "") || !/`|]\(/.test(cells[2] ?? ""),
    );
    assert.deepEqual(
      incomplete.map(([symptom]) => symptom),
      [],
    );
  });

  it("quotes texts that the program says", () => {
    const quoted = rows.flatMap(([symptom = ""]) =>
      [...symptom.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text),
    );
    const parts = quoted.map((text) => text.split("…").map((part) => part.trim()));
    assert.deepEqual(
      parts.filter((part) => Math.max(...part.map(({ length }) => length)) < shortest),
      [],
      "too short to be looked for",
    );
    const invented = parts.flat().filter((part) => part.length >= shortest && !sources.includes(part));
    assert.deepEqual(invented, []);
  });

  it("names settings that are there", () => {
    const definitions = readFileSync(`${project}settings/definitions.ts`, "utf8");
    const named = rows.flatMap((cells) => [
      ...cells.join(" ").matchAll(/pulumi config set ([a-z-]+):(\w+)/g),
    ]);
    assert.ok(named.length >= 10);
    const unknown = named.filter(([, , key]) => !new RegExp(`\\b${key}: `).test(definitions));
    assert.deepEqual(
      unknown.map(([text]) => text),
      [],
    );
  });
});
