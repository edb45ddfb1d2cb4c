/** Flags of a body: how its content was made. */
export const DEFLATED = 1;
export const PADDED = 2;
/** The value is a Uint8Array rather than JSON. */
export const RAW = 4;

export const KNOWN_FLAGS: number = DEFLATED | PADDED | RAW;
