// Runs the verifier of the event page, the very files that a browser loads, over cases from standard input.
//
// In:  {"folder": "...", "cases": [{"proof": base64, "keys": text, "expected": id or null, "masks": [numbers] or absent}]}
// Out: for each case its steps, or with masks: for each mask and byte (that byte changed by it) whether the proof held.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { folder, cases } = JSON.parse(readFileSync(0, "utf8"));
const { checkProof } = await import(pathToFileURL(`${folder}/check.js`));
const { Refused } = await import(pathToFileURL(`${folder}/bytes.js`));
const { parseVkeys } = await import(pathToFileURL(`${folder}/note.js`));

const answers = [];
for (const { proof, keys, expected, masks } of cases) {
  try {
    const trusted = await parseVkeys(keys);
    const bytes = Uint8Array.from(Buffer.from(proof, "base64"));
    answers.push(masks ? await withChangedBytes(bytes, trusted, masks) : await checkProof(bytes, trusted, expected));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    answers.push({ holds: false, refused: error.message });
  }
}
process.stdout.write(JSON.stringify(answers));

async function withChangedBytes(bytes, keys, masks) {
  const holds = [];
  for (const mask of masks) {
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = bytes.slice();
      changed[at] ^= mask;
      holds.push((await checkProof(changed, keys)).holds);
    }
  }
  return { holds };
}
