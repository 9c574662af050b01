import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readCredentialsFile } from "../../../../cli/operate/backup/credentials-file.ts";
import { temporaryDirectory } from "../../../support/redis-process.ts";

describe("the file with a bucket's access key", () => {
  const directory = temporaryDirectory();
  const file = join(directory.path, "credentials");
  after(() => directory.remove());
  const expected = { accessKeyId: "AKIA", secretAccessKey: "se/cr+et=" };

  for (const [what, text] of [
    [
      "as the AWS command line writes it",
      "[default]\naws_access_key_id = AKIA\naws_secret_access_key = se/cr+et=\n",
    ],
    [
      "with other sections",
      "[other]\naws_access_key_id=x\naws_secret_access_key=y\n[default]\naws_access_key_id=AKIA\naws_secret_access_key=se/cr+et=\n[more]\naws_access_key_id=z\n",
    ],
    [
      "without sections, in big letters, for a shell",
      'export AWS_ACCESS_KEY_ID="AKIA"\r\nexport AWS_SECRET_ACCESS_KEY="se/cr+et="\r\n# a word\r\n',
    ],
  ] as const)
    it(what, () => {
      writeFileSync(file, text);
      assert.deepEqual(readCredentialsFile(file), expected);
    });

  for (const [what, text, sentence] of [
    ["nothing", "", /lacks aws_access_key_id and aws_secret_access_key/],
    ["half of it", "aws_access_key_id=AKIA", /lacks aws_secret_access_key:/],
    [
      "only another section",
      "[other]\naws_access_key_id=AKIA\naws_secret_access_key=hunter2",
      /lacks aws_access_key_id and/,
    ],
    [
      "a session token",
      "aws_access_key_id=AKIA\naws_secret_access_key=hunter2\naws_session_token=hunter3",
      /session token/,
    ],
  ] as const)
    it(`with ${what} is refused, and not quoted`, () => {
      writeFileSync(file, text);
      assert.throws(
        () => readCredentialsFile(file),
        (error: Error) => {
          assert.match(error.message, sentence);
          assert.doesNotMatch(error.message, /hunter|AKIA/);
          return true;
        },
      );
    });

  it("that isn't there is named", () => {
    assert.throws(() => readCredentialsFile("/nowhere"), /\/nowhere can't be read \(ENOENT\)/);
  });
});
