import { type Browser, chromium } from "playwright-core";
import { findProgram } from "../../runtime/find-program.ts";

/** Where Debian's browser is; undefined: it isn't installed. */
export function findChromium(): string | undefined {
  try {
    return findProgram("chromium", process.env.PATH);
  } catch {
    return undefined;
  }
}

/** Starts the browser of this machine without a window. As root it has no sandbox to put itself into. */
export function startChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0 });
}
