// STAND-IN for the provider plugin `random`, as far as redis-ha uses it: RandomPassword and RandomUuid.
import { randomInt, randomUUID } from "node:crypto";
import packageJson from "@pulumi/random/package.json" with { type: "json" };
import { compare, type Properties, type ProviderProgram, unknownValue } from "../provider-program.ts";
import { serveProvider } from "../serve.ts";

const password = "random:index/randomPassword:RandomPassword";
const uuid = "random:index/randomUuid:RandomUuid";
const defaults = { lower: true, upper: true, number: true, numeric: true, special: true };

/** A password of letters, digits and, unless refused, special characters. */
function generatePassword({ length, special, overrideSpecial }: Properties): string {
  const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const alphabet = special === false ? letters : letters + String(overrideSpecial ?? "!@#$%&*()-_=+[]{}<>:?");
  return Array.from({ length: Number(length) }, () => alphabet[randomInt(alphabet.length)]).join("");
}

const program: ProviderProgram = {
  version: packageJson.version,
  check: async ({ type }, news) => {
    if (type === uuid) return { inputs: news };
    if (type !== password)
      throw new Error(
        `this stand-in for the provider 'random' knows ${password} and ${uuid} only, not ${type}`,
      );
    return { inputs: { ...defaults, ...news } };
  },
  // Neither changes in place.
  diff: async (_resource, oldInputs, news) => ({
    changes: compare(oldInputs, news).map((change) => ({ ...change, replaces: true })),
    deleteBeforeReplace: false,
  }),
  create: async ({ type }, inputs, { preview }) => {
    if (preview) return { id: "", outputs: { ...inputs, result: unknownValue } };
    const result = type === uuid ? randomUUID() : generatePassword(inputs);
    return { id: type === uuid ? result : "none", outputs: { ...inputs, result } };
  },
  update: async (_resource, _id, oldOutputs, news) => ({ outputs: { ...oldOutputs, ...news } }),
  read: async (_resource, id, inputs, outputs) => ({ id, inputs, outputs }),
  delete: async () => undefined,
};

await serveProvider(program);
