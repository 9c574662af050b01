import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { clusterPorts, network } from "./places.ts";

/** Certificate and key files. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** The cluster's own certificate authority and what it signed. */
export interface ClusterCertificates {
  readonly ca: KeyPair;
  readonly apiServer: KeyPair;
  /** cluster-admin, for kubectl and for the control plane's own parts. */
  readonly admin: KeyPair;
  /** The one node, in the group that the Node authorizer knows. */
  readonly node: KeyPair;
  /** Signs service-account tokens. */
  readonly serviceAccount: { readonly key: string; readonly publicKey: string };
}

/** Makes the certificates, or finds those of an earlier start. They are valid for a year: a test cluster lives shorter. */
export async function ensureCertificates(directory: string): Promise<ClusterCertificates> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const pair = (name: string): KeyPair => ({
    cert: join(directory, `${name}.crt`),
    key: join(directory, `${name}.key`),
  });
  const serviceAccount = { key: join(directory, "sa.key"), publicKey: join(directory, "sa.pub") };
  const certificates = {
    ca: pair("ca"),
    apiServer: pair("apiserver"),
    admin: pair("admin"),
    node: pair("node"),
    serviceAccount,
  };
  const complete = join(directory, "complete");
  if (existsSync(complete)) return certificates;

  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "365"];
  await openssl([
    "req",
    "-x509",
    ...key,
    "-subj",
    "/CN=redis-ha-embedded",
    "-keyout",
    certificates.ca.key,
    "-out",
    certificates.ca.cert,
  ]);
  const names = [
    "DNS:localhost",
    "DNS:kubernetes",
    "DNS:kubernetes.default",
    "DNS:kubernetes.default.svc",
    "DNS:kubernetes.default.svc.cluster.local",
    "IP:127.0.0.1",
    `IP:${network.nodeAddress}`,
    `IP:${network.apiServerService}`,
  ];
  const nodeNames = [`DNS:${network.nodeName}`, `IP:${network.nodeAddress}`];
  await sign(certificates.apiServer, "/CN=kube-apiserver", "serverAuth", names);
  await sign(certificates.admin, "/O=system:masters/CN=admin", "clientAuth", []);
  await sign(
    certificates.node,
    `/O=system:nodes/CN=system:node:${network.nodeName}`,
    "clientAuth,serverAuth",
    nodeNames,
  );
  await openssl(["genrsa", "-out", serviceAccount.key, "2048"]);
  await openssl(["rsa", "-in", serviceAccount.key, "-pubout", "-out", serviceAccount.publicKey]);
  writeFileSync(complete, "");
  return certificates;

  async function sign(
    { cert, key: keyFile }: KeyPair,
    subject: string,
    usage: string,
    altNames: string[],
  ): Promise<void> {
    const extensions = [
      `extendedKeyUsage=${usage}`,
      ...(altNames.length > 0 ? [`subjectAltName=${altNames.join(",")}`] : []),
    ];
    await openssl([
      ...["req", "-x509", ...key, "-CA", certificates.ca.cert, "-CAkey", certificates.ca.key],
      ...[
        "-subj",
        subject,
        "-keyout",
        keyFile,
        "-out",
        cert,
        "-addext",
        "basicConstraints=critical,CA:FALSE",
      ],
      ...extensions.flatMap((extension) => ["-addext", extension]),
    ]);
  }
}

async function openssl(args: string[]): Promise<void> {
  await execa("openssl", args, { stdin: "ignore" });
}

/** A kubeconfig with one cluster, user and context. Certificates are embedded: the file works wherever it is copied. */
export function renderKubeconfig({
  context,
  ca,
  cert,
  key,
}: Record<"context" | "ca" | "cert" | "key", string>): string {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  return JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      "current-context": context,
      clusters: [
        {
          name: context,
          cluster: {
            server: `https://${network.nodeAddress}:${clusterPorts.apiServer}`,
            "certificate-authority-data": base64(ca),
          },
        },
      ],
      users: [
        { name: context, user: { "client-certificate-data": base64(cert), "client-key-data": base64(key) } },
      ],
      contexts: [{ name: context, context: { cluster: context, user: context } }],
    },
    null,
    2,
  );
}
