import { type Command, Option } from "commander";
import { UserError } from "../../../runtime/user-error.ts";
import { aged, type Cipher, plain } from "../../../sentinel-image/backup/cipher.ts";
import { readEncryptionKey } from "../../../sentinel-image/backup/encryption-key.ts";
import type { ObjectStore } from "../../../sentinel-image/backup/object-store.ts";
import { openStore } from "../../../sentinel-image/backup/open-store.ts";
import { readCredentialsFile } from "./credentials-file.ts";

/** Where backups are, as a person names it. */
export interface DestinationOptions {
  readonly destination: string;
  readonly endpoint?: string;
  readonly region?: string;
  readonly credentialsFile?: string;
  readonly caFile?: string;
}

/** Gives a command the options by which a destination is found. */
export function withDestination(command: Command): Command {
  return command
    .addOption(new Option("--destination <url>", "s3://bucket/prefix or file:///path").makeOptionMandatory())
    .option("--endpoint <url>", "https://host[:port] of a store other than Amazon's")
    .option("--region <name>", "the bucket's region (default: us-east-1)")
    .option(
      "--credentials-file <path>",
      "with aws_access_key_id and aws_secret_access_key, as the AWS command line keeps them",
    )
    .option("--ca-file <path>", "PEM file with further certificate authorities");
}

/** The store of a destination. @throws {UserError} when options are wrong or missing. */
export function openDestination(options: DestinationOptions): ObjectStore {
  const { destination, endpoint, region, caFile, credentialsFile } = options;
  if (destination.startsWith("s3:") && credentialsFile === undefined)
    throw new UserError(`${destination} needs an access key: name its file with --credentials-file.`);
  return openStore(destination, {
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(caFile !== undefined && { caFile }),
    ...(credentialsFile !== undefined && readCredentialsFile(credentialsFile)),
  });
}

/** How backups are read. @param keyFile what `age-keygen` made. @throws {UserError} when it holds no key that decrypts. */
export function readCipher(keyFile: string | undefined): Cipher {
  if (keyFile === undefined) return plain;
  if (readEncryptionKey(keyFile).identity === undefined)
    throw new UserError(
      `${keyFile} holds a recipient (age1…), which only encrypts: name the file with the identity (AGE-SECRET-KEY-1…).`,
    );
  return aged(keyFile);
}
