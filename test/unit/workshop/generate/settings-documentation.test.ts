import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { argumentsFile } from "../../../../workshop/generate/arguments.ts";
import {
  markers,
  replaceBetween,
  settingsDeclaration,
  settingsTable,
} from "../../../../workshop/generate/settings-documentation.ts";

function read(file: string): string {
  return readFileSync(new URL(`../../../../${file}`, import.meta.url), "utf8");
}

describe("the documentation of the settings", () => {
  it("is up to date in Pulumi.yaml (npm run generate)", () => {
    const text = read("Pulumi.yaml");
    assert.equal(text, replaceBetween(text, markers.yaml, settingsDeclaration()));
  });

  it("is up to date in the README (npm run generate)", () => {
    const text = read("README.md");
    assert.equal(text, replaceBetween(text, markers.markdown, settingsTable()));
  });

  it("fails when a marker is missing", () => {
    assert.throws(() => replaceBetween("# settings: generated\n", markers.yaml, "x"), /must be there once/);
  });

  it("is up to date in the component's arguments (npm run generate)", () => {
    assert.equal(read("settings/args.ts"), argumentsFile());
  });
});
