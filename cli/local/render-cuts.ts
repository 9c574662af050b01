/** What happens to packets on their way. */
export type Damage =
  /** They vanish: a black hole. */
  | { readonly kind: "drop" }
  /** Each one is answered with a reset: connections end at once, and no new one comes about. */
  | { readonly kind: "reset" }
  /** So many of 100 vanish, at random. */
  | { readonly kind: "loss"; readonly percent: number }
  /** Each one arrives so much later. */
  | { readonly kind: "delay"; readonly ms: number };

/** One way from one host to another; the way back is another one. */
export interface Cut {
  readonly from: string;
  readonly to: string;
  readonly damage: Damage;
}

/** Both ways between each of some hosts and each of some others. */
export function betweenHosts(some: readonly string[], others: readonly string[], damage: Damage): Cut[] {
  return some.flatMap((a) =>
    others.flatMap((b) => [
      { from: a, to: b, damage },
      { from: b, to: a, damage },
    ]),
  );
}

/** The router's complete rules, for `nft -f`, which puts all of them in force at once. */
export function renderCuts(cuts: readonly Cut[]): string {
  const rules = cuts.flatMap(({ from, to, damage }) => {
    const way = `ip saddr ${from} ip daddr ${to}`;
    switch (damage.kind) {
      case "drop":
        return [`${way} drop`];
      case "reset":
        // What isn't TCP vanishes.
        return [`${way} meta l4proto tcp reject with tcp reset`, `${way} drop`];
      case "loss":
        return [`${way} numgen random mod 100 < ${damage.percent} drop`];
      case "delay":
        // Those go another way.
        return [];
    }
    return [];
  });
  const chain = ["chain crossing {", "type filter hook forward priority 0;", ...rules, "}"];
  return ["flush ruleset", "table ip cuts {", ...chain, "}", ""].join("\n");
}
