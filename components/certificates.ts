import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { acceptedGenerations } from "../runtime/access/passwords.ts";
import type { Settings } from "../settings/resolve-settings.ts";
import type { Naming } from "./naming.ts";
import { type CertificateKind, endpointPart } from "./topology/site.ts";
import type { Topology } from "./topology/topology.ts";

/** Arguments of {@link Certificates}. */
export interface CertificatesArgs {
  readonly naming: Naming;
  readonly namespace: pulumi.Input<string>;
  readonly settings: Pick<Settings, "tls" | "deployment">;
  readonly topology: Pick<Topology, "redis" | "sentinels">;
}

const authorityHours = 10 * 365 * 24;
const certificateHours = 365 * 24;
/** So long before its end a `pulumi up` makes a new one. */
const earlyRenewalHours = 90 * 24;

/**
 * The certificates of the proxies and of all servers, each in a Secret with tls.crt, tls.key and ca.crt: from an authority of the
 * stack's own, from cert-manager, or given. The parts take renewed ones while they run.
 */
export class Certificates extends pulumi.ComponentResource {
  /** Name of the Secret of each kind; empty without TLS. */
  readonly secrets: ReadonlyMap<CertificateKind, pulumi.Input<string>>;
  /** What clients have to trust, as PEM. Undefined when it isn't the stack's own authority. */
  readonly authority: pulumi.Output<string> | undefined;

  constructor(name: string, args: CertificatesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("redis-ha:index:Certificates", name, {}, opts);
    const { mode, secret, issuer } = args.settings.tls;
    const kinds: CertificateKind[] =
      mode === "off" ? [] : mode === "clients" ? ["proxy"] : ["proxy", "server"];
    if (kinds.length === 0) this.secrets = new Map();
    else if (secret !== undefined) this.secrets = new Map(kinds.map((kind) => [kind, secret]));
    else if (issuer !== undefined) {
      this.secrets = new Map(kinds.map((kind) => [kind, this.#request(kind, issuer, args)]));
    } else {
      const { authority, secrets } = this.#issue(kinds, args);
      this.authority = authority;
      this.secrets = secrets;
    }
    this.registerOutputs({});
  }

  /** Asks cert-manager, which writes the Secret and renews it. */
  #request(kind: CertificateKind, issuer: string, args: CertificatesArgs): string {
    const [issuerKind = "", issuerName = ""] = issuer.split("/");
    const secretName = args.naming.object(`redis-ha-tls-${kind}`);
    const { dnsNames, ipAddresses } = namesOf(kind, args);
    new k8s.apiextensions.CustomResource(
      args.naming.resource(`certificate-${kind}`),
      {
        apiVersion: "cert-manager.io/v1",
        kind: "Certificate",
        metadata: { name: secretName, namespace: args.namespace, labels: args.naming.common() },
        spec: {
          secretName,
          dnsNames,
          ipAddresses,
          usages: ["digital signature", "server auth", "client auth"],
          privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
          issuerRef: { group: "cert-manager.io", kind: issuerKind, name: issuerName },
        },
      },
      { parent: this },
    );
    return secretName;
  }

  #issue(
    kinds: readonly CertificateKind[],
    args: CertificatesArgs,
  ): { authority: pulumi.Output<string>; secrets: Map<CertificateKind, pulumi.Output<string>> } {
    const child = { parent: this };
    const named = (resource: string): string => args.naming.resource(resource);
    const { generation } = args.settings.tls;
    const accepted = acceptedGenerations(generation);
    const authorities = accepted.map((number) => {
      const key = new tls.PrivateKey(
        named(`authority-key-${number}`),
        { algorithm: "ECDSA", ecdsaCurve: "P256" },
        child,
      );
      const cert = new tls.SelfSignedCert(
        named(`authority-${number}`),
        {
          privateKeyPem: key.privateKeyPem,
          subject: { commonName: `redis-ha ${args.naming.stack} authority ${number}` },
          isCaCertificate: true,
          allowedUses: ["cert_signing", "crl_signing"],
          validityPeriodHours: authorityHours,
          setSubjectKeyId: true,
        },
        child,
      );
      return { key: key.privateKeyPem, cert: cert.certPem };
    });
    const authority = pulumi.all(authorities.map(({ cert }) => cert)).apply((certs) => certs.join(""));
    const signer = authorities[accepted.indexOf(generation)];
    const secrets = new Map<CertificateKind, pulumi.Output<string>>();
    for (const kind of signer === undefined ? [] : kinds) {
      // A new generation has new keys.
      const key = new tls.PrivateKey(
        named(`${kind}-key-${generation}`),
        { algorithm: "ECDSA", ecdsaCurve: "P256" },
        child,
      );
      const request = new tls.CertRequest(
        named(`${kind}-request`),
        { privateKeyPem: key.privateKeyPem, subject: { commonName: "redis-ha" }, ...namesOf(kind, args) },
        child,
      );
      const certificate = new tls.LocallySignedCert(
        named(`${kind}-certificate`),
        {
          certRequestPem: request.certRequestPem,
          caPrivateKeyPem: signer?.key ?? "",
          caCertPem: signer?.cert ?? "",
          allowedUses: ["digital_signature", "server_auth", "client_auth"],
          validityPeriodHours: certificateHours,
          earlyRenewalHours,
        },
        child,
      );
      const stored = new k8s.core.v1.Secret(
        named(`tls-${kind}`),
        {
          metadata: { namespace: args.namespace, labels: args.naming.common() },
          type: "kubernetes.io/tls",
          stringData: {
            "tls.crt": certificate.certPem,
            "tls.key": pulumi.secret(key.privateKeyPem),
            "ca.crt": authority,
          },
        },
        child,
      );
      secrets.set(kind, stored.metadata.name);
    }
    return { authority, secrets };
  }
}

/** Under which names the parts are reached, in the cluster and through a port that kubectl forwards. */
function namesOf(
  kind: CertificateKind,
  { naming, settings, topology }: CertificatesArgs,
): { dnsNames: string[]; ipAddresses: string[] } {
  const { namespace } = settings.deployment;
  const services =
    kind === "proxy"
      ? [naming.service(endpointPart)]
      : [...topology.redis, ...topology.sentinels]
          .map(({ part }) => naming.service(part))
          .concat(naming.sentinels);
  const inCluster = services.flatMap((service) => [
    service,
    `${service}.${namespace}`,
    `${service}.${namespace}.svc`,
    `${service}.${namespace}.svc.cluster.local`,
  ]);
  const further = kind === "proxy" ? settings.tls.hostnames : [];
  const isAddress = (text: string): boolean => /^[\d.]+$|:/.test(text);
  return {
    dnsNames: [...inCluster, "localhost", ...further.filter((text) => !isAddress(text))],
    ipAddresses: ["127.0.0.1", ...further.filter(isAddress)],
  };
}
