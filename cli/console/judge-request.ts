import { timingSafeEqual } from "node:crypto";

/** What of a request decides whether it is answered. */
export interface RequestHead {
  readonly method: string;
  /** Path with query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What becomes of a request. */
export type Verdict =
  | { readonly kind: "refuse"; readonly status: 400 | 401 | 403 | 404 | 405; readonly reason: string }
  /** To the page, under the path that holds the token. */
  | { readonly kind: "redirect"; readonly to: string }
  /** `name`: what is below the token in the path; empty: the page. */
  | { readonly kind: "get"; readonly name: string }
  | { readonly kind: "act" };

/**
 * Judges a request. Pure. Everything needs the token, which stands in the path, so that the page's own addresses hold it without
 * a cookie (which other servers of this machine would be sent, too). A page of another origin gets no answer, even one whose name
 * was made to mean this machine: `Host` is a name of the loopback with the own port.
 *
 * @param port the own one.
 */
export function judgeRequest({ method, url, headers }: RequestHead, port: number, token: string): Verdict {
  const { host, origin } = headers;
  if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`)
    return refuse(403, "this console is asked for by another name than its own");
  if (origin !== undefined && origin !== `http://${host}`) return refuse(403, "another origin asks");
  const site = headers["sec-fetch-site"];
  const opensPage =
    method === "GET" && headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
  if (site !== undefined && site !== "same-origin" && site !== "none" && !opensPage)
    return refuse(403, "another site asks");
  const { pathname, searchParams } = new URL(url, "http://console.invalid");
  if (pathname === "/") {
    if (!isToken(searchParams.get("token") ?? "", token))
      return refuse(401, "open the address with its token");
    return { kind: "redirect", to: `/${token}/` };
  }
  const [, given = "", name, ...deeper] = pathname.split("/");
  if (!isToken(given, token)) return refuse(401, "open the address with its token");
  if (name === undefined || deeper.length > 0) return refuse(404, "there is no such page");
  if (method === "GET" || method === "HEAD") return { kind: "get", name };
  if (method !== "POST") return refuse(405, "use GET or POST");
  if (name !== "actions") return refuse(404, "there is no such action");
  // A form of another page can send text, but neither this type nor this origin.
  if (origin === undefined) return refuse(403, "only the page may order something");
  if (headers["content-type"] !== "application/json") return refuse(400, "orders are JSON");
  return { kind: "act" };
}

/** Takes the same time whatever is given. */
function isToken(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function refuse(status: 400 | 401 | 403 | 404 | 405, reason: string): Verdict {
  return { kind: "refuse", status, reason };
}
