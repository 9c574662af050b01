/** What a release is made from. */
export interface ReleaseFacts {
  /** Of package.json. */
  readonly version: string;
  /** Of package-lock.json. */
  readonly lockedVersion: string;
  readonly changelog: string;
  /** Lines of `git status --porcelain`. */
  readonly changed: readonly string[];
  readonly tags: readonly string[];
}

/** Everything that speaks against a release, each with its cure. */
export function problemsOfRelease({
  version,
  lockedVersion,
  changelog,
  changed,
  tags,
}: ReleaseFacts): string[] {
  const problems: string[] = [];
  if (!/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version))
    problems.push(`The version in package.json is '${version}': use one like 1.2.3 or 1.2.3-rc.1.`);
  if (lockedVersion !== version)
    problems.push(
      `package-lock.json has the version '${lockedVersion}', package.json '${version}': run npm install --package-lock-only and commit it.`,
    );
  if (changed.length > 0)
    problems.push(`The working tree has changes (${listed(changed)}): commit or remove them.`);
  if (tags.includes(tagOf(version)))
    problems.push(`The tag ${tagOf(version)} exists: raise the version in package.json.`);
  if (releaseNotes(changelog, version) === undefined)
    problems.push(
      `CHANGELOG.md has nothing under '## ${version}': move what is new from '## Unreleased' to there.`,
    );
  return problems;
}

export function tagOf(version: string): string {
  return `v${version}`;
}

/** What CHANGELOG.md says of a version, without its heading; undefined when it says nothing. */
export function releaseNotes(changelog: string, version: string): string | undefined {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) => {
    const [heading = ""] = text.split("\n");
    return heading === version || heading.startsWith(`${version} `) || heading.startsWith(`[${version}]`);
  });
  const notes = section?.split("\n").slice(1).join("\n").trim();
  return notes === "" ? undefined : notes;
}

function listed(changed: readonly string[]): string {
  const names = changed.slice(0, 5).map((line) => line.slice(3));
  return (
    names.join(", ") + (changed.length > names.length ? ` and ${changed.length - names.length} more` : "")
  );
}
