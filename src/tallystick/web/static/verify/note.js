// Signed notes, checkpoints and verification keys (docs/format/checkpoint.md).

import { Refused, bytesOf, hexOf, join, parseBase64, parseDecimal, parseHash, sha256, textOf } from "./bytes.js";

const LOG = 0x01;
const WITNESS = 0x04;
const SIGNATURES_MAX = 100;
const TIME_MAX = 2n ** 63n - 1n;

/** Return the key that a verification key's text says; refuse one whose identifier does not follow from the rest. */
export async function parseVkey(text) {
  const [name, identifier] = text.split("+", 2);
  const encoded = text.slice(name.length + 10);
  if (!isKeyName(name) || !/^[0-9a-f]{8}$/.test(identifier ?? "") || text[name.length + 9] !== "+") {
    throw new Refused("a verification key is one word: name+8 hexadecimal digits+base64");
  }
  const material = parseBase64(encoded);
  const [type] = material;
  if (material.length !== 33 || (type !== LOG && type !== WITNESS)) {
    throw new Refused(`the key of ${name} is not an Ed25519 key of a log or a witness`);
  }
  const digest = await sha256(bytesOf(`${name}\n`), material);
  if (hexOf(digest.subarray(0, 4)) !== identifier) {
    throw new Refused(`the key of ${name} does not have the identifier that it claims: a letter is wrong`);
  }
  const fingerprint = hexOf(await sha256(material.subarray(1)));
  return { name, identifier, text, fingerprint, isWitness: type === WITNESS, publicKey: material.subarray(1) };
}

/** Return the keys in a text, one word each. */
export async function parseVkeys(text) {
  const keys = await Promise.all(text.split(/\s+/).filter(Boolean).map(parseVkey));
  const names = new Set(keys.map((key) => `${key.name}+${key.identifier}`));
  if (names.size !== keys.length) throw new Refused("a key is given twice");
  return keys;
}

/** Return text, signatures and what the three lines of a checkpoint say; nothing is verified yet. */
export function parseCheckpoint(bytes) {
  const note = textOf(bytes, "the checkpoint");
  if (/[\u0000-\u0009\u000b-\u001f]/.test(note)) throw new Refused("a checkpoint has no control characters");
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || !note.endsWith("\n")) throw new Refused("a checkpoint is a text, a blank line and signatures");
  const text = note.slice(0, split + 1);
  const lines = note.slice(split + 2, -1).split("\n");
  if (lines.length > SIGNATURES_MAX) throw new Refused(`a note has at most ${SIGNATURES_MAX} signatures`);
  const [origin, size, root, rest, ...more] = text.split("\n");
  if (rest !== "" || more.length || !isKeyName(origin)) throw new Refused("a checkpoint has three lines: origin, size, root");
  return { text, origin, size: parseDecimal(size), root: parseHash(root), signatures: lines.map(parseSignature) };
}

/** Return which of the keys signed; refuse when a line of one of them does not verify, or no log's key signed. */
export async function checkSignatures(checkpoint, keys) {
  const signed = [];
  for (const line of checkpoint.signatures) {
    const key = keys.find((each) => each.name === line.name && each.identifier === line.identifier);
    if (key === undefined) continue;
    const { text, signature, time } = key.isWitness ? cosigned(checkpoint.text, line) : { ...line, text: checkpoint.text };
    if (!(await verifies(key.publicKey, signature, bytesOf(text)))) {
      throw new Refused(`the signature of ${key.name} does not verify: the checkpoint was changed, or the key is another`);
    }
    signed.push({ key, time });
  }
  if (!signed.some(({ key }) => !key.isWitness && key.name === checkpoint.origin)) {
    throw new Refused(`no key that you gave signed the checkpoint of ${checkpoint.origin}`);
  }
  const silent = keys.find((key) => key.isWitness && !signed.some((each) => each.key === key));
  if (silent) throw new Refused(`the witness ${silent.name}, whose key you gave, did not cosign this checkpoint`);
  return signed;
}

function parseSignature(line) {
  const match = /^\u2014 (\S+) (\S+)$/u.exec(line);
  if (match === null || !isKeyName(match[1])) throw new Refused("a signature line is a long dash, a key name and base64");
  const value = parseBase64(match[2], { exact: false });
  if (value.length < 5) throw new Refused("a signature line holds a key identifier and a signature");
  return { name: match[1], identifier: hexOf(value.subarray(0, 4)), signature: value.subarray(4) };
}

function cosigned(text, line) {
  if (line.signature.length !== 72) throw new Refused(`the cosignature of ${line.name} does not have 72 bytes`);
  const time = new DataView(line.signature.buffer, line.signature.byteOffset, 8).getBigUint64(0);
  if (time > TIME_MAX) throw new Refused(`the cosignature of ${line.name} has a time beyond all times`);
  return { text: `cosignature/v1\ntime ${time}\n${text}`, signature: line.signature.subarray(8), time };
}

async function verifies(publicKey, signature, message) {
  let key;
  try {
    key = await crypto.subtle.importKey("raw", join(publicKey), { name: "Ed25519" }, false, ["verify"]);
  } catch (error) {
    if (error.name === "NotSupportedError") {
      throw new Refused("this browser cannot verify Ed25519 signatures; use the command instead");
    }
    throw new Refused("the key is not a point that Ed25519 knows");
  }
  return crypto.subtle.verify({ name: "Ed25519" }, key, signature, message);
}

function isKeyName(name) {
  return name !== "" && !/[\s+\u0000-\u001f\u0085]/u.test(name);
}
