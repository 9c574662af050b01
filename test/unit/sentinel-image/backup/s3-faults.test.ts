import assert from "node:assert/strict";
import { explainConnection, explainRefusal, isPassing } from "../../../../sentinel-image/backup/s3-faults.ts";

const asked = { origin: "https://store:9000", bucket: "backups", key: "a/data", purpose: "written" };

function refusal(status: number, code: string, message = "", headers = {}) {
  return {
    status,
    headers,
    text: `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  };
}

describe("what a store's refusal means", () => {
  // The codes of Amazon S3, MinIO, Ceph, Cloudflare and Versity.
  for (const [status, code, message, fault, passing, sentence] of [
    [403, "InvalidAccessKeyId", "", "access", false, /refuses the credentials \(InvalidAccessKeyId\)/],
    [404, "XAdminUserNotFound", "", "access", false, /refuses the credentials/],
    [403, "SignatureDoesNotMatch", "", "access", false, /check the access key, its secret/],
    [
      403,
      "AccessDenied",
      "Access Denied.",
      "access",
      false,
      /^s3:\/\/backups\/a\/data may not be written with these credentials \(403 AccessDenied\)/,
    ],
    [
      403,
      "AccessDenied",
      "Access Denied because object protected by object lock.",
      "locked",
      false,
      /is locked .* can't be written/,
    ],
    [
      400,
      "InvalidRequest",
      "Object is WORM protected and cannot be overwritten",
      "locked",
      false,
      /until its retention ends/,
    ],
    [404, "NoSuchBucket", "", "no-destination", false, /There is no bucket backups at https:\/\/store:9000/],
    [404, "NoSuchKey", "", "no-object", false, /s3:\/\/backups\/a\/data isn't there/],
    [404, "NoSuchUpload", "", "no-object", false, /isn't there/],
    [412, "PreconditionFailed", "", "changed", false, /was changed while it was read/],
    [403, "QuotaExceeded", "", "full", false, /the store is full \(403 QuotaExceeded\)/],
    [507, "InsufficientStorage", "", "full", false, /make room or keep fewer backups/],
    [507, "XMinioStorageFull", "", "full", false, /the store is full/],
    [500, "InternalError", "write: no space left on device", "full", true, /the store is full/],
    [
      503,
      "SlowDown",
      "Reduce your request rate",
      "busy",
      true,
      /answers 503 SlowDown \(Reduce your request rate\) again and again/,
    ],
    [500, "InternalError", "", "busy", true, /answers 500 InternalError again/],
    [429, "TooManyRequests", "", "busy", true, /429/],
    [400, "RequestTimeout", "", "busy", true, /RequestTimeout/],
    [501, "NotImplemented", "", "busy", false, /NotImplemented/],
    [403, "InvalidObjectState", "", "access", false, /is in an archive/],
    [
      400,
      "AuthorizationHeaderMalformed",
      "",
      "no-destination",
      false,
      /isn't in this region: set the region/,
    ],
    [405, "MethodNotAllowed", "", "protocol", false, /Is it an S3 endpoint\?/],
  ] as const)
    it(`${status} ${code}${message === "" ? "" : `: ${message}`}`, () => {
      const said = refusal(status, code, message);
      const error = explainRefusal(said, asked);
      assert.equal(error.fault, fault);
      assert.match(error.message, sentence);
      assert.doesNotMatch(error.message, /\n/);
      assert.equal(isPassing(said), passing);
    });

  it("names the region that the bucket is in", () => {
    const text = "<Error><Code>PermanentRedirect</Code></Error>";
    const error = explainRefusal(
      { status: 301, headers: { "x-amz-bucket-region": "eu-west-1" }, text },
      asked,
    );
    assert.match(error.message, /but in eu-west-1: set the region/);
  });

  it("says by how much the clocks differ", () => {
    const now = Date.UTC(2026, 10, 30, 12);
    const headers = { date: new Date(now - 1000_000).toUTCString() };
    const error = explainRefusal(refusal(403, "RequestTimeTooSkewed", "", headers), asked, now);
    assert.equal(error.fault, "clock");
    assert.match(error.message, /clocks differ by 1000 s: set this machine's clock right/);
  });

  it("is told without an XML document, too", () => {
    assert.match(explainRefusal({ status: 404, headers: {}, text: "" }, asked).message, /isn't there/);
    const page = explainRefusal({ status: 405, headers: {}, text: "<html><body>nginx</body></html>" }, asked);
    assert.match(page.message, /answers 405\. Is it an S3 endpoint\?/);
  });
});

describe("what a lost connection means", () => {
  for (const [code, sentence] of [
    ["ECONNREFUSED", /can't be reached: nothing listens there/],
    ["ENOTFOUND", /its name can't be resolved/],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", /its certificate isn't accepted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/],
    ["ERR_TLS_CERT_ALTNAME_INVALID", /its certificate isn't accepted/],
    ["EPROTO", /http:\/\/ instead of https:\/\//],
    ["ECONNRESET", /can't be reached: the words of the system/],
  ] as const)
    it(code, () => {
      const error = explainConnection(Object.assign(new Error("the words\nof the system"), { code }), asked);
      assert.equal(error.fault, "unreachable");
      assert.match(error.message, sentence);
      assert.doesNotMatch(error.message, /\n/);
    });
});
