export const KID_DIGITS = 16;

/** Whether a text is a kid: 16 lower-case hex digits. */
export function isKid(text: string): boolean {
  if (text.length !== KID_DIGITS) return false;
  for (let i = 0; i < KID_DIGITS; i++) if (!isKidDigit(text.charCodeAt(i))) return false;
  return true;
}

/** Whether a code of ASCII is a lower-case hex digit. */
export function isKidDigit(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 97 && code <= 102);
}
