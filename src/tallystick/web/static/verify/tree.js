// The walk from a leaf to the root (RFC 9162 section 2.1.3.2); its shape follows from index and size alone.

import { Refused, sha256 } from "./bytes.js";

const LEAF = Uint8Array.of(0x00);
const NODE = Uint8Array.of(0x01);

export const leafHash = (entry) => sha256(LEAF, entry);

/** Return the steps to the root: for each sibling the side on which it stands and the hash of both together. */
export async function walk(index, size, leaf, path) {
  let first = index;
  let last = size - 1n;
  let node = leaf;
  const steps = [];
  for (const sibling of path) {
    if (last === 0n) throw new Refused("the path is longer than the tree is high");
    const onTheLeft = (first & 1n) === 1n || first === last;
    node = await (onTheLeft ? sha256(NODE, sibling, node) : sha256(NODE, node, sibling));
    steps.push({ sibling, side: onTheLeft ? "left" : "right", node });
    if (onTheLeft) {
      while ((first & 1n) === 0n && first !== 0n) {
        first >>= 1n;
        last >>= 1n;
      }
    }
    first >>= 1n;
    last >>= 1n;
  }
  if (last !== 0n) throw new Refused("the path is shorter than the tree is high");
  return steps;
}
