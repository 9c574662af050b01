import { splitInline } from "../runtime/split-inline.ts";
import type { ParsedSettings } from "./definitions.ts";
import { ownedDirectives } from "./owned-directives.ts";

/** Mistakes in settings that two layers decide together: one of them would be overruled without a word. As sentences. */
export function problemsOfLayers({ redis, proxy, tls, network }: ParsedSettings): string[] {
  return [
    ...problemsOfExtraConfig(redis.extraConfig ?? ""),
    ...problemsOfTls(tls, proxy),
    ...(proxy.sentinelApi === false && redis.users?.some(({ existingSecret }) => existingSecret !== undefined)
      ? [
          "Configuration 'redis:users' has an existingSecret, but with 'proxy:sentinelApi' false clients log in at the Sentinels, too, and these take no new password while they run: use the proxies' Sentinel API (pulumi config rm proxy:sentinelApi), or let the password be generated.",
        ]
      : []),
    ...(proxy.allowCommands?.includes("migrate") && network.policies !== false
      ? [
          "Configuration 'proxy:allowCommands' has 'migrate', but with 'network:policies' a Redis may connect to none outside of the stack: remove it, or set network:policies to false.",
        ]
      : []),
  ];
}

function problemsOfTls(tls: ParsedSettings["tls"], proxy: ParsedSettings["proxy"]): string[] {
  const problems: string[] = [];
  for (const key of ["secret", "issuer"] as const) {
    if (tls[key] === undefined || tls.mode !== "off") continue;
    problems.push(
      `Configuration 'tls:${key}' says where certificates come from, but 'tls:mode' is off: nothing would be encrypted. Set tls:mode to clients or all (pulumi config set tls:mode clients), or remove it (pulumi config rm tls:${key}).`,
    );
  }
  if (tls.mode === "clients" && proxy.sentinelApi === false) {
    problems.push(
      "Configuration 'tls:mode' is clients, but with 'proxy:sentinelApi' false clients talk to Sentinels and Redis themselves, without TLS: use all (pulumi config set tls:mode all), or the proxies' Sentinel API (pulumi config rm proxy:sentinelApi).",
    );
  }
  return problems;
}

function problemsOfExtraConfig(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    if (/^\s*(#|$)/.test(line)) return [];
    const directive = directiveOf(line);
    if (directive === undefined) {
      return ["Configuration 'redis:extraConfig' has a line whose quotes don't match: close them."];
    }
    if (directive === "appendfsync")
      return [
        "Configuration 'redis:extraConfig' sets 'appendfsync', which redis-ha owns: remove that line and use redis:fsync (pulumi config set redis:fsync always).",
      ];
    return ownedDirectives.has(directive)
      ? [`Configuration 'redis:extraConfig' sets '${directive}', which redis-ha owns: remove that line.`]
      : [];
  });
}

/** The name in a line of redis.conf, which may be in quotes; undefined when Redis couldn't read it. */
function directiveOf(line: string): string | undefined {
  try {
    return splitInline(Buffer.from(line))[0]?.toString().toLowerCase() ?? "";
  } catch {
    return undefined;
  }
}
