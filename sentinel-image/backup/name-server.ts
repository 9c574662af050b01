import dns, { type LookupAddress, type LookupAllOptions, type LookupOptions } from "node:dns";
import { Resolver } from "node:dns/promises";

type Callback = (error: Error | null, found: string | LookupAddress[], family?: number) => void;

/** Names that are asked for at another name server, and at which. */
const taught = new Map<string, string>();
const original = dns.lookup;

/**
 * Has a store's name, and those of buckets before it, looked up at one name server by this process. The pods of Redis have none, so that neither
 * Redis nor a Sentinel ever waits for one (`components/pod.ts`); all other names are looked up as before, in the hosts file.
 */
export function lookUpAt(host: string, nameServer: string): void {
  if (taught.size === 0) Object.assign(dns, { lookup });
  taught.set(host, nameServer);
}

function lookup(name: string, given: LookupOptions | number | Callback, then?: Callback): void {
  const callback = typeof given === "function" ? given : (then as Callback);
  const options = typeof given === "object" ? given : {};
  const known = [...taught].find(([host]) => name === host || name.endsWith(`.${host}`));
  if (known === undefined) {
    original(name, options as LookupAllOptions, callback as never);
    return;
  }
  resolve(name, known[1]).then(
    (found) => {
      const [first] = found;
      if (options.all === true) callback(null, found);
      else callback(null, first?.address ?? "", first?.family);
    },
    (error: Error) => callback(error, ""),
  );
}

/** @throws {Error} with the code of DNS when there is no such name, or no answer. */
async function resolve(name: string, nameServer: string): Promise<LookupAddress[]> {
  const resolver = new Resolver({ timeout: 2000, tries: 3 });
  resolver.setServers([nameServer]);
  // There is no list of domains to try, as the kubelet would write one.
  const full = name.endsWith(".svc") ? `${name}.cluster.local` : name;
  const [four, six] = await Promise.allSettled([resolver.resolve4(full), resolver.resolve6(full)]);
  if (four.status === "rejected" && six.status === "rejected") throw four.reason;
  const of = (answers: PromiseSettledResult<string[]>, family: 4 | 6): LookupAddress[] =>
    answers.status === "fulfilled" ? answers.value.map((address) => ({ address, family })) : [];
  return [...of(four, 4), ...of(six, 6)];
}
