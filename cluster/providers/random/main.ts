// STAND-IN for the provider plugin `random`, as far as redis-ha uses it: RandomPassword.
import { randomInt } from "node:crypto";
import packageJson from "@pulumi/random/package.json" with { type: "json" };
import { compare, type Properties, type ProviderProgram, unknownValue } from "../provider-program.ts";
import { serveProvider } from "../serve.ts";

const supported = "random:index/randomPassword:RandomPassword";
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
    if (type !== supported)
      throw new Error(`this stand-in for the provider 'random' knows ${supported} only, not ${type}`);
    return { inputs: { ...defaults, ...news } };
  },
  // A password never changes in place.
  diff: async (_resource, oldInputs, news) => ({
    changes: compare(oldInputs, news).map((change) => ({ ...change, replaces: true })),
    deleteBeforeReplace: false,
  }),
  create: async (_resource, inputs, { preview }) =>
    preview
      ? { id: "", outputs: { ...inputs, result: unknownValue } }
      : { id: "none", outputs: { ...inputs, result: generatePassword(inputs) } },
  update: async (_resource, _id, oldOutputs, news) => ({ outputs: { ...oldOutputs, ...news } }),
  read: async (_resource, id, inputs, outputs) => ({ id, inputs, outputs }),
  delete: async () => undefined,
};

await serveProvider(program);
