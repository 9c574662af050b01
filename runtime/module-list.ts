import type { Engine } from "./engine.ts";

/** In `redis:modules`: those that come with the image. */
export const bundledModules = "bundled";

/** Whether an item of `redis:modules` can be one: the word, or the absolute path of a module in a container. */
export function isModule(item: string): boolean {
  return item === bundledModules || /^(\/[\w.+-]+)+\.so$/.test(item);
}

/** What {@link isModule} takes, as the end of "use …". */
export const modulesAllowed = `\`${bundledModules}\`, absolute paths of .so files, or both, separated by commas`;

/**
 * Where the images of an engine have the modules that come with it: the official one of Redis 8, whose own entrypoint would load them, and
 * Valkey's bundle.
 */
export const moduleDirectories: Readonly<Record<Engine, string>> = {
  redis: "/usr/local/lib/redis/modules",
  valkey: "/usr/lib/valkey",
};
