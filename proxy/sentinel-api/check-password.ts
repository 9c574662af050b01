import { createHash, timingSafeEqual } from "node:crypto";
import type { Authenticate } from "./client-session.ts";

/**
 * Checks the credentials of Sentinel clients against the Sentinels' own password, as a Sentinel does: its only user is
 * `default`. So a client can ask where to connect while there is no master.
 *
 * @param read reads the password anew at every check: it may be changed while the proxy runs. What it throws is told to the
 * log, and the client gets an error that it can try again after.
 */
export function checkPassword(
  read: () => string | undefined,
  report: (error: unknown) => void,
): Authenticate {
  return async (user, given) => {
    try {
      const password = read();
      if (password === undefined || user !== "default") return false;
      return timingSafeEqual(digest(password), digest(given));
    } catch (error) {
      report(error);
      return "ERR the proxy can't read its password file, try again later";
    }
  };
}

/** Of one length, whatever the password's is. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
