/**
 * Where secrets stand: `place: name of the secret`, for each place and secret. A secret is found as it is and in the forms in
 * which programs pass texts on: base64, URL encoding, hexadecimal, one character a line as in a dump.
 *
 * @param places text by where it was read.
 * @param secrets secrets by name.
 */
export function findLeaks(
  places: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, string>>,
): string[] {
  return Object.entries(places).flatMap(([place, text]) =>
    Object.entries(secrets)
      .filter(([, secret]) => formsOf(secret).some((form) => text.includes(form)))
      .map(([name]) => `${place}: ${name}`),
  );
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  // Within other text, the first and last characters of base64 depend on what is around: the middle doesn't.
  const shifted = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    return text.slice(offset === 0 ? 0 : 4, -2);
  });
  return [
    secret,
    encodeURIComponent(secret),
    bytes.toString("hex"),
    [...secret].join("\n"),
    ...shifted.filter((form) => form.length >= 16),
  ];
}
