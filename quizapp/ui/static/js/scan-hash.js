/**
 * SHA-256 and HMAC in plain JavaScript. The browser's own (`crypto.subtle`) is missing on plain http, where scanning has to work too, and
 * what is hashed here is a line of text: one way that always works is worth more than a faster second one.
 */

const K = new Uint32Array(64);
const FIRST = new Uint32Array(8);

/** The fractional parts of the cube and square roots of the first primes. */
(function fill() {
  let found = 0;
  for (let candidate = 2; found < 64; candidate += 1) {
    let prime = true;
    for (let factor = 2; factor * factor <= candidate; factor += 1) if (candidate % factor === 0) prime = false;
    if (!prime) continue;
    if (found < 8) FIRST[found] = (Math.sqrt(candidate) % 1) * 4294967296;
    K[found] = (Math.cbrt(candidate) % 1) * 4294967296;
    found += 1;
  }
})();

/** @param {string} text */
function bytesOf(text) {
  return new TextEncoder().encode(text);
}

/** @param {Uint8Array} message @returns {Uint8Array} */
function sha256(message) {
  const length = message.length;
  const padded = new Uint8Array(((length + 72) >> 6) << 6);
  padded.set(message);
  padded[length] = 128;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, length << 3);
  view.setUint32(padded.length - 8, Math.floor(length / 536870912));
  const hash = FIRST.slice();
  const w = new Uint32Array(64);
  /** @param {number} x @param {number} n */
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  for (let start = 0; start < padded.length; start += 64) {
    for (let i = 0; i < 16; i += 1) w[i] = view.getUint32(start + 4 * i);
    for (let i = 16; i < 64; i += 1) {
      const s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ (w[i - 15] >>> 3);
      const s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ (w[i - 2] >>> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    let [a, b, c, d, e, f, g, h] = hash;
    for (let i = 0; i < 64; i += 1) {
      const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
      const one = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) >>> 0;
      const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
      const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) >>> 0;
      h = g;
      g = f;
      f = e;
      e = (d + one) >>> 0;
      d = c;
      c = b;
      b = a;
      a = (one + two) >>> 0;
    }
    [a, b, c, d, e, f, g, h].forEach((value, index) => { hash[index] += value; });
  }
  const out = new DataView(new ArrayBuffer(32));
  hash.forEach((value, index) => out.setUint32(4 * index, value));
  return new Uint8Array(out.buffer);
}

/** HMAC-SHA256, hexadecimal. @param {string} key @param {string} text */
export function hmac(key, text) {
  let secret = bytesOf(key);
  if (secret.length > 64) secret = sha256(secret);
  const inner = new Uint8Array(64).fill(0x36);
  const outer = new Uint8Array(64).fill(0x5c);
  secret.forEach((value, index) => {
    inner[index] ^= value;
    outer[index] ^= value;
  });
  const message = bytesOf(text);
  const first = new Uint8Array(64 + message.length);
  first.set(inner);
  first.set(message, 64);
  const second = new Uint8Array(96);
  second.set(outer);
  second.set(sha256(first), 64);
  return Array.from(sha256(second), (value) => value.toString(16).padStart(2, "0")).join("");
}

/** 128 random bits, hexadecimal. */
export function randomName() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (value) => value.toString(16).padStart(2, "0")).join("");
}
