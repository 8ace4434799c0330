// The file of a proof (docs/format/proof.md), as c2sp.org/tlog-proof has it.

import { Refused, parseBase64, parseDecimal, parseHash, textOf } from "./bytes.js";
import { parseCheckpoint } from "./note.js";

const FIRST_LINE = "c2sp.org/tlog-proof@v1";
const PATH_MAX = 63;
const BYTES_MAX = 4 * 1024 * 1024;

/** Return what the file says; nothing in it is verified. Refuse it unless every line is in its place and exact. */
export function parseProof(bytes) {
  if (bytes.length > BYTES_MAX) throw new Refused(`a proof has at most ${BYTES_MAX} bytes`);
  const split = findBlankLine(bytes);
  const lines = split < 0 ? [] : textOf(bytes.subarray(0, split), "the proof").split("\n");
  if (lines.shift() !== FIRST_LINE) throw new Refused(`a proof begins with ${FIRST_LINE} and holds a checkpoint`);
  let extra = new Uint8Array();
  if (lines[0]?.startsWith("extra ")) {
    extra = parseBase64(lines.shift().slice("extra ".length));
    if (extra.length === 0) throw new Refused("a proof without extra data has no extra line");
  }
  if (!lines[0]?.startsWith("index ")) throw new Refused("a proof names the index of its entry");
  const index = parseDecimal(lines.shift().slice("index ".length));
  if (lines.length > PATH_MAX) throw new Refused(`a path has at most ${PATH_MAX} hashes`);
  const path = lines.map(parseHash);
  const checkpoint = parseCheckpoint(bytes.subarray(split + 2));
  if (index >= checkpoint.size) throw new Refused(`index ${index} is not inside the checkpoint's size ${checkpoint.size}`);
  return { extra, index, path, checkpoint };
}

function findBlankLine(bytes) {
  for (let at = 0; at + 1 < bytes.length; at += 1) {
    if (bytes[at] === 0x0a && bytes[at + 1] === 0x0a) return at;
  }
  return -1;
}
