import { readFileSync } from "node:fs";
import { UserError } from "../../../runtime/user-error.ts";
import type { S3Credentials } from "../../../sentinel-image/backup/s3-connection.ts";

/**
 * Reads an access key and its secret from a file, as the AWS command line keeps them: `aws_access_key_id = …` and `aws_secret_access_key = …`, in the section
 * `[default]` when there are sections.
 *
 * @throws {UserError} that names what is missing, and quotes nothing.
 */
export function readCredentialsFile(file: string): S3Credentials {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UserError(`The credentials ${file} can't be read (${(error as NodeJS.ErrnoException).code}).`, {
      cause: error,
    });
  }
  const values = parseCredentials(text);
  const { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey } = values;
  const missing = ["aws_access_key_id", "aws_secret_access_key"].filter((name) => !values[name]);
  if (!accessKeyId || !secretAccessKey)
    throw new UserError(`${file} lacks ${missing.join(" and ")}: one line for each, name = value.`);
  if (values.aws_session_token)
    throw new UserError(
      `${file} holds a session token, which ends soon: use an access key of its own for backups.`,
    );
  return { accessKeyId, secretAccessKey };
}

/** The lines `name = value` of the default section, names in small letters. */
export function parseCredentials(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  let counts = true;
  for (const line of text.split("\n").map((each) => each.trim())) {
    const section = /^\[(.*)\]$/.exec(line)?.[1];
    if (section !== undefined) counts = section.trim() === "default";
    const [, name, value] = /^(?:export\s+)?([A-Za-z_]+)\s*[=:]\s*"?(.*?)"?$/.exec(line) ?? [];
    if (counts && name !== undefined && value !== undefined) values[name.toLowerCase()] = value;
  }
  return values;
}
