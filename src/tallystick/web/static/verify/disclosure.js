// From what a proof discloses of an event to the 48 bytes that stand in the log (docs/format/event.md, entry.md).

import { Refused, bytesOf, join, parseBase64, sha256 } from "./bytes.js";
import { parseCanonical } from "./canonical.js";

const BOUNDS = { index: 2 ** 53, received_at: 2 ** 53, source: 2 ** 32, class: 2 ** 16 };
const BINARY = { salt1: 16, salt2: 16, personal_digest: 32 };
const MEMBERS = new Set([...Object.keys(BOUNDS), ...Object.keys(BINARY), "id", "facts", "personal"]);
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Return the disclosure in the extra data of a proof; refuse anything but its one exact form. */
export function parseDisclosure(bytes) {
  const fields = parseCanonical(bytes, "the disclosure");
  const stranger = Object.keys(fields).find((name) => !MEMBERS.has(name));
  if (Array.isArray(fields) || stranger !== undefined) throw new Refused(`a disclosure has no member ${stranger}`);
  for (const [name, bound] of Object.entries(BOUNDS)) {
    if (!Number.isInteger(fields[name]) || fields[name] < 0 || fields[name] >= bound) {
      throw new Refused(`the disclosure's ${name} is out of range`);
    }
  }
  if (typeof fields.id !== "string" || !UUID.test(fields.id)) throw new Refused("the disclosure's id is not a UUID");
  for (const [name, size] of Object.entries(BINARY)) {
    if (fields[name] === undefined) continue;
    fields[name] = parseBase64(String(fields[name]));
    if (fields[name].length !== size) throw new Refused(`the disclosure's ${name} does not have ${size} bytes`);
  }
  requireParts(fields);
  return fields;
}

/** Return the digests of both parts, their commitment, and the entry that holds it; each in bytes. */
export async function entryOf(disclosure) {
  const facts = bytesOf(disclosure.facts);
  const factsDigest = await sha256(bytesOf("tallystick/1 facts\n"), disclosure.salt1, facts);
  const personalDigest =
    disclosure.personal === undefined
      ? disclosure.personal_digest
      : await sha256(bytesOf("tallystick/1 personal\n"), disclosure.salt2, bytesOf(disclosure.personal));
  const id = Uint8Array.from(disclosure.id.replaceAll("-", "").match(/../g), (pair) => parseInt(pair, 16));
  const content = await sha256(bytesOf("tallystick/1 content\n"), id, factsDigest, personalDigest);
  const head = new DataView(new ArrayBuffer(16));
  head.setUint8(0, 1);
  head.setUint16(2, disclosure.class);
  head.setUint32(4, disclosure.source);
  head.setBigUint64(8, BigInt(disclosure.received_at));
  return { factsDigest, personalDigest, content, entry: join(new Uint8Array(head.buffer), content) };
}

/** Return what 48 bytes say, where a proof shows the bare entry of an event whose content is gone. */
export function parseEntry(bytes) {
  if (bytes.length !== 48 || bytes[0] !== 1 || bytes[1] !== 0) throw new Refused("the entry is of no format known here");
  const head = new DataView(bytes.buffer, bytes.byteOffset, 48);
  return { class: head.getUint16(2), source: head.getUint32(4), received_at: head.getBigUint64(8) };
}

function requireParts(fields) {
  for (const name of ["facts", "personal"]) {
    if (fields[name] !== undefined && typeof fields[name] !== "string") throw new Refused(`${name} is not text`);
  }
  if (fields.facts === undefined || fields.salt1 === undefined) throw new Refused("the facts or their salt are not here");
  if ((fields.personal === undefined) !== (fields.salt2 === undefined)) throw new Refused("personal and salt2 go together");
  if ((fields.personal === undefined) === (fields.personal_digest === undefined)) {
    throw new Refused("the personal part stands with its salt, or its digest stands in for both");
  }
  const facts = parseCanonical(bytesOf(fields.facts), "the facts");
  if (!isObject(facts)) throw new Refused("the facts are not an object");
  if (fields.personal === undefined) return;
  const personal = parseCanonical(bytesOf(fields.personal), "the personal part");
  if (!isObject(personal)) throw new Refused("the personal part is not an object");
  requireOnlyAdds(facts, Object.keys(personal));
}

/** Refuse a personal part that would change a fact: it may only add members where objects are. */
function requireOnlyAdds(facts, pointers) {
  const paths = pointers.map(parsePointer);
  const known = new Set(pointers);
  for (const [at, path] of paths.entries()) {
    for (let length = 1; length < path.length; length += 1) {
      if (known.has(formatPointer(path.slice(0, length)))) throw new Refused(`${pointers[at]} leads through another pointer`);
    }
    let place = facts;
    for (const name of path.slice(0, -1)) {
      const isThere = Array.isArray(place) ? /^(0|[1-9][0-9]*)$/.test(name) && Number(name) < place.length : isObject(place) && Object.hasOwn(place, name);
      if (!isThere) throw new Refused(`nothing in the facts holds ${pointers[at]}`);
      place = place[name];
    }
    if (!isObject(place)) throw new Refused(`${pointers[at]} is not a member of an object`);
    if (Object.hasOwn(place, path.at(-1))) throw new Refused(`${pointers[at]} is in the facts already`);
  }
}

function parsePointer(pointer) {
  if (!pointer.startsWith("/") || /~([^01]|$)/.test(pointer)) throw new Refused(`${pointer} is not a pointer`);
  return pointer.slice(1).split("/").map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function formatPointer(path) {
  return path.map((name) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
