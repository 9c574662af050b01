// STAND-IN for the provider plugin `tls`, as far as redis-ha uses it: keys on P-256, an authority, certificates signed by it.
import packageJson from "@pulumi/tls/package.json" with { type: "json" };
import { issueAuthority, issueCertificate } from "../../../../cli/certificates/issue-certificate.ts";
import { compare, type Properties, type ProviderProgram, unknownValue } from "../provider-program.ts";
import { serveProvider } from "../serve.ts";

/** What each resource computes. */
const computed: Readonly<Record<string, readonly string[]>> = {
  "tls:index/privateKey:PrivateKey": ["privateKeyPem"],
  "tls:index/selfSignedCert:SelfSignedCert": ["certPem"],
  "tls:index/certRequest:CertRequest": ["certRequestPem"],
  "tls:index/locallySignedCert:LocallySignedCert": ["certPem"],
};

/** A request here is no PKCS #10 but what the stand-in's own certificate needs: nobody else reads it. */
interface Request {
  readonly key: string;
  readonly names: readonly string[];
}

async function compute(type: string, inputs: Properties): Promise<Properties> {
  const days = Number(inputs.validityPeriodHours ?? 0) / 24;
  switch (type) {
    case "tls:index/privateKey:PrivateKey":
      return { privateKeyPem: (await issueAuthority("key", 1)).key };
    case "tls:index/selfSignedCert:SelfSignedCert": {
      const { commonName } = inputs.subject as { commonName: string };
      return { certPem: (await issueAuthority(commonName, days, String(inputs.privateKeyPem))).cert };
    }
    case "tls:index/certRequest:CertRequest": {
      const names = [...((inputs.dnsNames ?? []) as string[]), ...((inputs.ipAddresses ?? []) as string[])];
      return { certRequestPem: JSON.stringify({ key: inputs.privateKeyPem, names }) };
    }
    default: {
      const { key, names } = JSON.parse(String(inputs.certRequestPem)) as Request;
      const authority = { cert: String(inputs.caCertPem), key: String(inputs.caPrivateKeyPem) };
      return { certPem: (await issueCertificate(authority, { names, days }, key)).cert };
    }
  }
}

const program: ProviderProgram = {
  version: packageJson.version,
  check: async ({ type }, news) => {
    if (computed[type] === undefined)
      throw new Error(`this stand-in for the provider 'tls' doesn't know ${type}`);
    return { inputs: news };
  },
  // Keys and certificates never change in place.
  diff: async (_resource, oldInputs, news) => ({
    changes: compare(oldInputs, news).map((change) => ({ ...change, replaces: true })),
    deleteBeforeReplace: false,
  }),
  create: async ({ type }, inputs, { preview }) =>
    preview
      ? {
          id: "",
          outputs: {
            ...inputs,
            ...Object.fromEntries((computed[type] ?? []).map((name) => [name, unknownValue])),
          },
        }
      : { id: "made", outputs: { ...inputs, ...(await compute(type, inputs)) } },
  update: async (_resource, _id, oldOutputs, news) => ({ outputs: { ...oldOutputs, ...news } }),
  read: async (_resource, id, inputs, outputs) => ({ id, inputs, outputs }),
  delete: async () => undefined,
};

await serveProvider(program);
