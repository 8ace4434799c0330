// The spellings that every text format here shares: exact base64, exact decimals, UTF-8, hexadecimal.

export const NUMBER_MAX = 2n ** 63n - 1n;

/** What stops a check: the words say what is wrong, for a person. */
export class Refused extends Error {}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export function textOf(bytes, what) {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Refused(`${what} is not UTF-8`);
  }
}

export const bytesOf = (text) => encoder.encode(text);

export function hexOf(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function join(...parts) {
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export function isEqual(left, right) {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

export function toBase64(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Return what the base64 says; unless `exact` is false, only the one text that an encoder writes is accepted. */
export function parseBase64(text, { exact = true } = {}) {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new Refused("a value is not base64");
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  if (exact && toBase64(bytes) !== text) throw new Refused("base64 with bits that no encoder writes");
  return bytes;
}

export function parseHash(text) {
  const hash = parseBase64(text);
  if (hash.length !== 32) throw new Refused(`a hash has 32 bytes, this one ${hash.length}`);
  return hash;
}

/** Return a number from 0 to 2^63 - 1, as BigInt. */
export function parseDecimal(text) {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(text) || BigInt(text) > NUMBER_MAX) {
    throw new Refused("a number is not decimal without leading zeros below 2^63");
  }
  return BigInt(text);
}

export async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));
}
