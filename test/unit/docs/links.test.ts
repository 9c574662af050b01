import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const project = fileURLToPath(new URL("../../..", import.meta.url));
const pages = ["*.md", "docs/**/*.md", "examples/**/*.md"].flatMap((pattern) =>
  globSync(pattern, { cwd: project, exclude: (name) => name.includes("node_modules") }),
);
const textOf = (page: string): string =>
  readFileSync(join(project, page), "utf8").replaceAll(/```[\s\S]*?```/g, "");

/** A heading's anchor, as GitHub makes it. */
function anchorOf(heading: string): string {
  const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
  return words
    .trim()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
    .replaceAll(" ", "-");
}

function anchorsOf(page: string): Set<string> {
  return new Set([...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => anchorOf(heading)));
}

/** Links of a page within the project that lead to nothing. */
function brokenLinks(page: string): string[] {
  const links = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = "", anchor] = link.split("#");
    const file = path === "" ? page : normalize(join(dirname(page), path));
    if (!existsSync(join(project, file))) return true;
    return anchor !== undefined && file.endsWith(".md") && !anchorsOf(file).has(anchor);
  });
}

describe("the documentation's links", () => {
  it("are looked at in all pages", () => assert.ok(pages.length > 40, `only ${pages.length} pages`));

  for (const page of pages) it(`of ${page} lead somewhere`, () => assert.deepEqual(brokenLinks(page), []));
});
