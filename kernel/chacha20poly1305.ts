// ChaCha20-Poly1305 as RFC 8439 has it, for messages so short that a call of Node's cipher costs more than the cipher.
// AssemblyScript: `npm run kernel` in the folder above compiles it into src/engines/kernel-code.ts.
//
// No branch and no address depends on a secret: only on lengths, which are public. All memory is one page, laid out so:
//   offset  size  field
//   0       32    key
//   36      12    nonce
//   64      64    block 0 of the key stream; its first 32 bytes are the one-time key of Poly1305 (RFC 8439, 2.6)
//   128     64    block 1: what the first 64 bytes of the message are XORed with
//   192     16    tag
//   256     …     associated data, zeros to the next 16, message; then the tag that is given or, later, zeros to the
//                 next 16 and both lengths, so that Poly1305 reads all of it in a row
// The caller writes key, nonce, associated data, message and tag, and wipes all of it afterwards.
const KEY: usize = 0;
const ROW: usize = 32;
const STREAM: usize = 64;
const ONE_TIME_KEY: usize = STREAM;
const TAG: usize = 192;
const DATA: usize = 256;

/** Encrypts the message in its place, and leaves the tag. */
export function seal(aadLength: usize, length: usize): void {
  const message = begin(aadLength);
  applyKeyStream(message, length);
  authenticate(aadLength, message, length);
}

/** Whether the tag behind the message fits; if so, the message is decrypted in its place. */
export function open(aadLength: usize, length: usize): bool {
  const message = begin(aadLength);
  const given = v128.load(message + length);
  authenticate(aadLength, message, length);
  if (v128.any_true(v128.xor(given, v128.load(TAG)))) return false;
  applyKeyStream(message, length);
  return true;
}

@inline
function to16(length: usize): usize {
  return (length + 15) & ~15;
}

/** Makes the first two blocks of the key stream. Returns where the message stands. */
function begin(aadLength: usize): usize {
  memory.fill(STREAM, 0, 128);
  twoBlocks(0, STREAM);
  const end = DATA + aadLength;
  const message = DATA + to16(aadLength);
  memory.fill(end, 0, message - end);
  return message;
}

/** The key stream from block 1 on. Two blocks at a time: what stands behind the message is overwritten. */
function applyKeyStream(message: usize, length: usize): void {
  for (let i: usize = 0; i < 64; i += 16) xorInto(message + i, v128.load(STREAM + 64 + i));
  let counter = 2;
  for (let at: usize = 64; at < length; at += 128) {
    twoBlocks(counter, message + at);
    counter += 2;
  }
}

@inline
function xorInto(at: usize, bytes: v128): void {
  v128.store(at, v128.xor(v128.load(at), bytes));
}

@inline
function rotate16(x: v128): v128 {
  return i8x16.shuffle(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

@inline
function rotate8(x: v128): v128 {
  return i8x16.shuffle(x, x, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14);
}

@inline
function rotate(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(x, bits), i32x4.shr_u(x, 32 - bits));
}

@inline
function turn1(row: v128): v128 {
  return i32x4.shuffle(row, row, 1, 2, 3, 0);
}

@inline
function turn2(row: v128): v128 {
  return i32x4.shuffle(row, row, 2, 3, 0, 1);
}

@inline
function turn3(row: v128): v128 {
  return i32x4.shuffle(row, row, 3, 0, 1, 2);
}

/**
 * XORs blocks `counter` and `counter + 1` of the key stream into 128 bytes (RFC 8439, 2.3). A row of the state is one
 * vector, so that a quarter round does all four columns at once; diagonals are columns of rows that are turned. Rows a to
 * d are of the first block, e to h of the second: what one waits for, the other works in.
 */
function twoBlocks(counter: i32, at: usize): void {
  // "expand 32-byte k"
  const constants = i32x4(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);
  const key0 = v128.load(KEY);
  const key1 = v128.load(KEY, 16);
  const nonce0 = i32x4.replace_lane(v128.load(ROW), 0, counter);
  const nonce1 = i32x4.replace_lane(nonce0, 0, counter + 1);
  let a = constants, b = key0, c = key1, d = nonce0;
  let e = constants, f = key0, g = key1, h = nonce1;
  for (let i = 0; i < 10; i++) {
    a = i32x4.add(a, b); d = rotate16(v128.xor(d, a)); e = i32x4.add(e, f); h = rotate16(v128.xor(h, e));
    c = i32x4.add(c, d); b = rotate(v128.xor(b, c), 12); g = i32x4.add(g, h); f = rotate(v128.xor(f, g), 12);
    a = i32x4.add(a, b); d = rotate8(v128.xor(d, a)); e = i32x4.add(e, f); h = rotate8(v128.xor(h, e));
    c = i32x4.add(c, d); b = rotate(v128.xor(b, c), 7); g = i32x4.add(g, h); f = rotate(v128.xor(f, g), 7);
    b = turn1(b); c = turn2(c); d = turn3(d); f = turn1(f); g = turn2(g); h = turn3(h);
    a = i32x4.add(a, b); d = rotate16(v128.xor(d, a)); e = i32x4.add(e, f); h = rotate16(v128.xor(h, e));
    c = i32x4.add(c, d); b = rotate(v128.xor(b, c), 12); g = i32x4.add(g, h); f = rotate(v128.xor(f, g), 12);
    a = i32x4.add(a, b); d = rotate8(v128.xor(d, a)); e = i32x4.add(e, f); h = rotate8(v128.xor(h, e));
    c = i32x4.add(c, d); b = rotate(v128.xor(b, c), 7); g = i32x4.add(g, h); f = rotate(v128.xor(f, g), 7);
    b = turn3(b); c = turn2(c); d = turn1(d); f = turn3(f); g = turn2(g); h = turn1(h);
  }
  xorInto(at, i32x4.add(a, constants));
  xorInto(at + 16, i32x4.add(b, key0));
  xorInto(at + 32, i32x4.add(c, key1));
  xorInto(at + 48, i32x4.add(d, nonce0));
  xorInto(at + 64, i32x4.add(e, constants));
  xorInto(at + 80, i32x4.add(f, key0));
  xorInto(at + 96, i32x4.add(g, key1));
  xorInto(at + 112, i32x4.add(h, nonce1));
}

/** Leaves the tag over the associated data and the ciphertext (RFC 8439, 2.8). */
function authenticate(aadLength: usize, ciphertext: usize, length: usize): void {
  const end = ciphertext + to16(length);
  memory.fill(ciphertext + length, 0, end - (ciphertext + length));
  store<u64>(end, aadLength);
  store<u64>(end, length, 8);
  poly1305(DATA, end + 16);
}

const LIMB: u64 = 0x3ffffff;

/**
 * Poly1305 (RFC 8439, 2.5) of whole 16-byte blocks. Numbers modulo 2^130 - 5 are five limbs of 26 bits; a product of two
 * limbs, times 5, has less than 55 bits, and a sum of five of them fits 64.
 */
function poly1305(from: usize, to: usize): void {
  const k0 = load<u64>(ONE_TIME_KEY);
  const k1 = load<u64>(ONE_TIME_KEY, 8);
  // The clamped r.
  const r0 = k0 & 0x3ffffff;
  const r1 = (k0 >> 26) & 0x3ffff03;
  const r2 = ((k0 >> 52) | (k1 << 12)) & 0x3ffc0ff;
  const r3 = (k1 >> 14) & 0x3f03fff;
  const r4 = (k1 >> 40) & 0x00fffff;
  const s1 = r1 * 5;
  const s2 = r2 * 5;
  const s3 = r3 * 5;
  const s4 = r4 * 5;
  let h0: u64 = 0, h1: u64 = 0, h2: u64 = 0, h3: u64 = 0, h4: u64 = 0;
  for (let at = from; at < to; at += 16) {
    const low = load<u64>(at);
    const high = load<u64>(at, 8);
    h0 += low & LIMB;
    h1 += (low >> 26) & LIMB;
    h2 += ((low >> 52) | (high << 12)) & LIMB;
    h3 += (high >> 14) & LIMB;
    h4 += (high >> 40) | (1 << 24);
    const p0 = h0 * r0 + h1 * s4 + h2 * s3 + h3 * s2 + h4 * s1;
    let p1 = h0 * r1 + h1 * r0 + h2 * s4 + h3 * s3 + h4 * s2;
    let p2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s4 + h4 * s3;
    let p3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s4;
    let p4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0;
    p1 += p0 >> 26; h0 = p0 & LIMB;
    p2 += p1 >> 26; h1 = p1 & LIMB;
    p3 += p2 >> 26; h2 = p2 & LIMB;
    p4 += p3 >> 26; h3 = p3 & LIMB;
    h0 += (p4 >> 26) * 5; h4 = p4 & LIMB;
    h1 += h0 >> 26; h0 &= LIMB;
  }
  h2 += h1 >> 26; h1 &= LIMB;
  h3 += h2 >> 26; h2 &= LIMB;
  h4 += h3 >> 26; h3 &= LIMB;
  h0 += (h4 >> 26) * 5; h4 &= LIMB;
  h1 += h0 >> 26; h0 &= LIMB;
  // h - (2^130 - 5), which is h + 5 - 2^130, where that is not negative.
  let g0 = h0 + 5;
  let g1 = h1 + (g0 >> 26); g0 &= LIMB;
  let g2 = h2 + (g1 >> 26); g1 &= LIMB;
  let g3 = h3 + (g2 >> 26); g2 &= LIMB;
  const g4 = h4 + (g3 >> 26) - (1 << 26); g3 &= LIMB;
  const keep: u64 = 0 - (g4 >> 63);
  h0 = (h0 & keep) | (g0 & ~keep);
  h1 = (h1 & keep) | (g1 & ~keep);
  h2 = (h2 & keep) | (g2 & ~keep);
  h3 = (h3 & keep) | (g3 & ~keep);
  h4 = (h4 & keep) | (g4 & ~keep);
  // h + s modulo 2^128; the carry out of the low half is its top bit where both had one, or one had and the sum lost it.
  const low: u64 = h0 | (h1 << 26) | (h2 << 52);
  const high: u64 = (h2 >> 12) | (h3 << 14) | (h4 << 40);
  const s = load<u64>(ONE_TIME_KEY, 16);
  const sum = low + s;
  const carry = ((low & s) | ((low | s) & ~sum)) >> 63;
  store<u64>(TAG, sum);
  store<u64>(TAG, high + load<u64>(ONE_TIME_KEY, 24) + carry, 8);
}
