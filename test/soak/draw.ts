/** A number from 0 to 1 that depends on its parts alone, so that what happens in one run changes nothing in another. */
export function draw(...parts: readonly (string | number)[]): number {
  let hash = 0x811c9dc5;
  for (const char of parts.join(" ")) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** One of a list, by a draw. */
export function pick<Item>(items: readonly Item[], drawn: number): Item | undefined {
  return items[Math.floor(drawn * items.length)];
}
