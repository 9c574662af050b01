import { issueAuthority, issueCertificate } from "../../cli/certificates/issue-certificate.ts";
import { kubectl } from "./kubectl.ts";

const days = 30;

/**
 * Makes the Secret that `tls:secret` may name, as an operator would from an authority of the company's own: with the names of every Service that
 * docs/security.md asks for.
 *
 * @returns the authority's certificate, which clients trust.
 */
export async function giveCertificates(namespace: string, name: string): Promise<string> {
  const authority = await issueAuthority("an authority of the test", days);
  const numbers = [1, 2, 3];
  const services = [
    "svc-redis-sentinel-proxy",
    ...numbers.map((i) => `svc-redis-instance-${i}`),
    ...numbers.map((i) => `svc-redis-sentinel-${i}`),
  ];
  const { cert, key } = await issueCertificate(authority, {
    names: [...services, ...services.map((service) => `${service}.${namespace}.svc`)],
    days,
  });
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace },
    type: "kubernetes.io/tls",
    stringData: { "tls.crt": cert, "tls.key": key, "ca.crt": authority.cert },
  };
  await kubectl(["apply", "--filename", "-"], JSON.stringify(secret));
  return authority.cert;
}
