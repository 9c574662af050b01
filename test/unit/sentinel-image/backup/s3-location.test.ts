import assert from "node:assert/strict";
import { locate } from "../../../../sentinel-image/backup/s3-location.ts";

describe("where a bucket is", () => {
  for (const [destination, options, bucketUrl, prefix] of [
    ["s3://backups", {}, "https://backups.s3.us-east-1.amazonaws.com", ""],
    ["s3://backups/", {}, "https://backups.s3.us-east-1.amazonaws.com", ""],
    ["s3://backups/a/b", { region: "eu-central-1" }, "https://backups.s3.eu-central-1.amazonaws.com", "a/b/"],
    [
      "s3://my.backups/a/",
      { region: "cn-north-1" },
      "https://s3.cn-north-1.amazonaws.com.cn/my.backups",
      "a/",
    ],
    ["s3://backups/a", { endpoint: "http://minio:9000" }, "http://minio:9000/backups", "a/"],
    ["s3://backups", { endpoint: "https://store.example/" }, "https://store.example/backups", ""],
  ] as const)
    it(`${destination} ${JSON.stringify(options)}`, () => {
      const { bucketUrl: url, prefix: before } = locate(destination, options);
      assert.deepEqual([url, before], [bucketUrl, prefix]);
    });

  for (const endpoint of [
    "minio:9000",
    "https://",
    "ftp://a",
    "https://a/path",
    "https://user:pw@a",
    "https://a?x=1",
  ])
    it(`isn't at the endpoint ${endpoint}`, () => {
      assert.throws(
        () => locate("s3://backups", { endpoint }),
        /is no endpoint of a store: use https:\/\/host/,
      );
    });

  it("has no region that is none", () => {
    assert.throws(() => locate("s3://backups", { region: "Frankfurt!" }), /'Frankfurt!' is no region/);
  });
});
