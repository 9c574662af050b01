import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { issueAuthority, issueCertificate } from "../../../../cli/certificates/issue-certificate.ts";

describe("issueCertificate", () => {
  it("signs for names and addresses, so that Node and OpenSSL accept it", async () => {
    const authority = await issueAuthority("one, with a comma", 10);
    const issuer = new X509Certificate(authority.cert);
    assert.equal(issuer.toLegacyObject().subject.CN, "one, with a comma");
    assert.ok(issuer.ca);
    const { cert, key } = await issueCertificate(authority, { names: ["a.example", "10.0.0.1"], days: 3 });
    const certificate = new X509Certificate(cert);
    assert.ok(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey));
    assert.ok(!certificate.ca);
    assert.equal(certificate.checkHost("a.example"), "a.example");
    assert.equal(certificate.checkIP("10.0.0.1"), "10.0.0.1");
    assert.equal(certificate.checkHost("b.example"), undefined);
    const days = (Date.parse(certificate.validTo) - Date.now()) / 86_400_000;
    assert.ok(days > 2.9 && days < 3.1, `${days}`);
    assert.match(key, /^-----BEGIN PRIVATE KEY-----/);
  });

  it("gives two authorities names that can be told apart, or a bundle of both would be useless", async () => {
    const [one, two] = [await issueAuthority("a, 1", 1), await issueAuthority("a, 2", 1)];
    const { cert } = await issueCertificate(two, { names: ["x"], days: 1 });
    assert.ok(!new X509Certificate(cert).checkIssued(new X509Certificate(one.cert)));
    assert.ok(new X509Certificate(cert).checkIssued(new X509Certificate(two.cert)));
  });

  it("takes a key that is there", async () => {
    const authority = await issueAuthority("a", 1);
    const again = await issueAuthority("a", 1, authority.key);
    const key = ({ cert }: { cert: string }): string =>
      new X509Certificate(cert).publicKey.export({ type: "spki", format: "pem" }).toString();
    assert.equal(key(again), key(authority));
  });
});
