import { Redactor } from "./redactor.ts";
import type { ReportDocument, Surroundings } from "./surroundings.ts";
import { tidyObject } from "./tidy-objects.ts";

/** All documents without secrets, and the list of what is missing as one more. What one document tells to be a secret is hidden in all. */
export function hideSecrets(
  { documents, missing, secrets }: Surroundings,
  at: Date,
): { readonly path: string; readonly text: string }[] {
  const redactor = new Redactor();
  for (const secret of secrets) redactor.add(secret);
  const summary = {
    at: at.toISOString(),
    hidden:
      "[hidden] stands for a password or key, id-… for 40 or 64 hexadecimal digits, the same for the same ones. Values of environment variables that redis-ha doesn't set are not shown.",
    files: documents.map(({ path }) => path),
    missing,
  };
  const all: ReportDocument[] = [{ path: "report.json", content: summary }, ...documents];
  for (const { content } of all) redactor.learn(content);
  return all.map(({ path, content }) => {
    if (typeof content === "string") return { path, text: redactor.redact(content) };
    return { path, text: `${JSON.stringify(redactor.redact(tidyObject(content) as object), null, 2)}\n` };
  });
}
