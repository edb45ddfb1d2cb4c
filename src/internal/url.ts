/**
 * A text as URL, or undefined where it is no absolute one.
 *
 * Not by `URL.canParse`: once it was called often enough to be compiled, that of Node 20 and 22 denies every URL with a
 * character of Latin-1, such as `https://bücher.example.com`.
 */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
