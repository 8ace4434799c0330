// Canonical JSON (RFC 8785). ECMAScript prints numbers and sorts names as the RFC says, so little is left to do.

import { Refused, bytesOf, isEqual, textOf } from "./bytes.js";

/** Return the value in `bytes`, or refuse bytes that are not the one canonical form of it. */
export function parseCanonical(bytes, what) {
  const text = textOf(bytes, what);
  let value;
  let canonical;
  try {
    value = JSON.parse(text);
    canonical = format(value);
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused(`${what} is not JSON`);
  }
  if (!isEqual(bytesOf(canonical), bytes)) throw new Refused(`${what} is not in canonical form`);
  return value;
}

function format(value) {
  if (Array.isArray(value)) return `[${value.map(format).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.keys(value).sort().map((name) => `${quote(name)}:${format(value[name])}`);
    return `{${members.join(",")}}`;
  }
  if (typeof value === "string") return quote(value);
  if (typeof value === "number" && !Number.isFinite(value)) throw new Refused("a number is too large for JSON");
  return JSON.stringify(value);
}

function quote(text) {
  if (/\p{Surrogate}/u.test(text)) throw new Refused("text holds a lone surrogate, which is not a character");
  return JSON.stringify(text);
}
