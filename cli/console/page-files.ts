import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** One file of the page, as it is sent. */
export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
}

const types: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** All there is: no path of a request ever reaches the file system. */
const names = ["index.html", "page.css", "page.js", "chart.js", "topology.js", "timeline.js", "icon.svg"];

/** Reads the page, by the names under which it is asked for; empty: the page itself. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const files = names.map((name): [string, PageFile] => {
    const body = readFileSync(fileURLToPath(new URL(`page/${name}`, import.meta.url)));
    return [name, { type: types[name.split(".")[1] ?? ""] ?? "", body }];
  });
  return new Map([...files, ["", files[0]?.[1] as PageFile]]);
}
