/**
 * A value as one argument of a redis.conf or sentinel.conf line: quoted when it has to be.
 *
 * @throws {Error} for a line break, which would start a new directive.
 */
export function quoteArgument(value: string): string {
  if (/[\r\n\0]/.test(value)) throw new Error("a configuration value may not contain a line break");
  if (/^[\w./:@%+,-]+$/.test(value)) return value;
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** Values of a template. A list becomes several arguments. */
export type TemplateVariables = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Puts variables into a template: `${NAME}` becomes the quoted value, one argument whatever is in it. A line with a variable that is undefined is left
 * out; `# …` lines stay as they are.
 *
 * @throws {Error} for a variable that isn't known.
 */
export function renderTemplate(template: string, variables: TemplateVariables): string[] {
  const lines: string[] = [];
  for (const line of template.split("\n")) {
    if (line === "" || line.startsWith("#")) {
      if (line !== "") lines.push(line);
      continue;
    }
    let complete = true;
    const rendered = line.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
      if (!(name in variables)) throw new Error(`the template uses \${${name}}, which is not known`);
      const value = variables[name];
      if (value === undefined) complete = false;
      return value === undefined ? "" : [value].flat().map(quoteArgument).join(" ");
    });
    if (complete) lines.push(rendered);
  }
  return lines;
}
