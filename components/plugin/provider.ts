import type * as pulumi from "@pulumi/pulumi";
import type { RedisHaArgs } from "../../settings/args.ts";
import { RedisHa } from "../redis-ha.ts";
import { outputs } from "./outputs.ts";
import { packageSchema, token } from "./schema.ts";

/** Makes `RedisHa` for programs in other languages than this one. */
export class RedisHaProvider implements pulumi.provider.Provider {
  readonly version: string;
  readonly schema: string;

  constructor(version: string) {
    this.version = version;
    this.schema = JSON.stringify(packageSchema(version));
  }

  /** @throws {pulumi.RunError} that lists every mistake in the arguments. */
  construct(
    name: string,
    type: string,
    inputs: pulumi.Inputs,
    options: pulumi.ComponentResourceOptions,
  ): Promise<pulumi.provider.ConstructResult> {
    if (type !== token) throw new Error(`'${type}' is not known: this package has '${token}' alone.`);
    const component = new RedisHa(name, inputs as RedisHaArgs, options);
    const names = Object.keys(outputs) as (keyof typeof outputs)[];
    const state = Object.fromEntries(names.map((output) => [output, component[output]]));
    return Promise.resolve({ urn: component.urn, state });
  }
}
