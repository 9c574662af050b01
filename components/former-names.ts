import * as pulumi from "@pulumi/pulumi";
import { RedisHa } from "./redis-ha.ts";

/**
 * Until {@link RedisHa} was there, the program made its parts itself, and their names had no prefix. An update takes them over:
 * nothing is replaced for its new name.
 */
export function keepsFormerNames(component: string): pulumi.ResourceTransformation {
  const prefix = `${component}-`;
  return ({ name, props, opts }) => {
    if (!name.startsWith(prefix)) return undefined;
    // Parts of parts follow the alias of their parent.
    const parent = opts.parent instanceof RedisHa ? { parent: pulumi.rootStackResource } : {};
    const former = { name: name.slice(prefix.length), ...parent };
    return { props, opts: pulumi.mergeOptions(opts, { aliases: [former] }) };
  };
}
