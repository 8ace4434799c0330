// The whole check of one proof, in steps that a person can follow. Trusts the keys that it is given, and nothing else.

import { Refused, hexOf, isEqual } from "./bytes.js";
import { entryOf, parseDisclosure, parseEntry } from "./disclosure.js";
import { checkSignatures } from "./note.js";
import { parseProof } from "./proof.js";
import { leafHash, walk } from "./tree.js";

const NAMES = {
  file: "The file is a proof, every line in its place",
  content: "The disclosed bytes are canonical and make one commitment",
  entry: "The commitment, class, source and time make the 48 bytes of the entry",
  leaf: "The entry makes the leaf hash",
  path: "The leaf and the hashes of the path make the root",
  root: "That root is the one in the checkpoint",
  signature: "The key that you gave signed the checkpoint",
};

/**
 * Return every step with its values and whether it passed. `holds` is true only when all of them did; after the first that
 * fails the rest is not looked at. `expected` is the id of the event that the proof must be of, or null for any.
 */
export async function checkProof(bytes, keys, expected = null) {
  const steps = Object.entries(NAMES).map(([code, name]) => ({ code, name, state: "not checked", values: [], why: "" }));
  const run = runner(steps);
  const found = {};
  const holds =
    (await run("file", async () => {
      found.proof = parseProof(bytes);
      const { index, checkpoint, path } = found.proof;
      return [["index", index], ["size", checkpoint.size], ["hashes in the path", path.length]];
    })) &&
    (await run("content", () => readContent(found, expected))) &&
    (await run("entry", async () => [["entry", hexOf(found.entry)], ...found.decoded])) &&
    (await run("leaf", async () => {
      found.leaf = await leafHash(found.entry);
      return [["leaf", hexOf(found.leaf)]];
    })) &&
    (await run("path", () => climb(found))) &&
    (await run("root", async () => {
      const { root } = found.proof.checkpoint;
      if (!isEqual(root, found.top)) throw new Refused(`the path leads to ${hexOf(found.top)}, the checkpoint says ${hexOf(root)}`);
      return [["root", hexOf(root)]];
    })) &&
    (await run("signature", async () => {
      const signed = await checkSignatures(found.proof.checkpoint, keys);
      return signed.map(({ key, time }) => [key.isWitness ? "witness" : "log", `${key.name}+${key.identifier} ${time === undefined ? "signed" : `cosigned at ${asTime(time)}`}`]);
    }));
  return { holds, steps, disclosure: found.disclosure ?? null };
}

function runner(steps) {
  return async (code, check) => {
    const step = steps.find((each) => each.code === code);
    try {
      step.values = (await check()).map(([name, value]) => [name, String(value)]);
      step.state = "passed";
      return true;
    } catch (error) {
      step.state = "failed";
      step.why = error instanceof Refused ? error.message : `something unexpected went wrong: ${error}`;
      return false;
    }
  };
}

async function readContent(found, expected) {
  const { extra, index } = found.proof;
  if (extra.length === 0) throw new Refused("the proof shows neither an event nor an entry");
  if (extra[0] !== 0x7b) {
    found.decoded = decoded(parseEntry(extra));
    if (expected !== null) throw new Refused("the content is gone; the proof shows the entry alone");
    found.entry = extra;
    return [["content", "not shown; the proof holds the bare entry"]];
  }
  const disclosure = parseDisclosure(extra);
  if (BigInt(disclosure.index) !== index) throw new Refused(`the proof is for index ${index}, the event in it says ${disclosure.index}`);
  if (expected !== null && disclosure.id !== expected) throw new Refused(`the proof is of event ${disclosure.id}, not of the one on this page`);
  const made = await entryOf(disclosure);
  Object.assign(found, { disclosure, entry: made.entry, decoded: decoded(disclosure) });
  const shown = disclosure.personal === undefined ? "digest only; the personal part is not in the proof" : "disclosed";
  return [
    ["event", disclosure.id],
    ["facts digest", hexOf(made.factsDigest)],
    ["personal part", shown],
    ["personal digest", hexOf(made.personalDigest)],
    ["content", hexOf(made.content)],
  ];
}

async function climb(found) {
  const { index, path, checkpoint } = found.proof;
  const steps = await walk(index, checkpoint.size, found.leaf, path);
  found.top = steps.length ? steps.at(-1).node : found.leaf;
  return steps.map(({ sibling, side, node }, at) => [`level ${at + 1}`, `${hexOf(sibling)} on the ${side} makes ${hexOf(node)}`]);
}

function decoded(entry) {
  return [["class", entry.class], ["source", entry.source], ["received", asTime(BigInt(entry.received_at) / 1_000_000n)]];
}

function asTime(seconds) {
  const date = new Date(Number(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} seconds after 1970` : date.toISOString().replace(".000Z", "Z");
}
