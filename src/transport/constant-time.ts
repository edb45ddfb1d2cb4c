/**
 * Whether two byte strings are equal, in a time that depends on their lengths alone.
 *
 * For what an attacker may guess byte by byte; lengths are taken to be public.
 */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
