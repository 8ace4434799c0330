// The part of the event page that verifies the proof here. Everything it shows is text, never markup.

import { Refused } from "./bytes.js";
import { checkProof } from "./check.js";
import { parseVkeys } from "./note.js";

for (const section of document.querySelectorAll("[data-verify]")) start(section);

function start(section) {
  const part = (name) => section.querySelector(`[data-verify-${name}]`);
  const keys = part("keys");
  const run = part("run");
  const remembered = `tallystick-keys ${section.dataset.log}`;
  if (!globalThis.crypto?.subtle) {
    part("verdict").textContent = "This browser computes hashes on secure connections only; use the command.";
    return;
  }
  keys.value = localStorage.getItem(remembered) ?? "";
  run.hidden = false;
  const look = () => showFingerprints(part("fingerprints"), keys.value);
  keys.addEventListener("input", () => {
    localStorage.setItem(remembered, keys.value);
    look();
  });
  run.addEventListener("click", async () => {
    run.disabled = true;
    part("steps").replaceChildren();
    part("verdict").textContent = "Fetching the proof and computing …";
    try {
      await verify(section, keys.value, part);
    } finally {
      run.disabled = false;
    }
  });
  look();
}

async function verify(section, text, part) {
  let trusted;
  try {
    trusted = await parseVkeys(text);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(part("verdict"), "bad", `The key cannot be used: ${error.message}.`);
    return;
  }
  if (trusted.length === 0) {
    say(part("verdict"), "bad", "Give the log's key first: a proof is worth as much as the key it is checked with.");
    return;
  }
  let bytes;
  try {
    const answer = await fetch(section.dataset.verify, { credentials: "same-origin", cache: "no-store" });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    bytes = new Uint8Array(await answer.arrayBuffer());
  } catch (error) {
    say(part("verdict"), "bad", `The proof could not be fetched: ${error.message}. Nothing was checked.`);
    return;
  }
  const { holds, steps } = await checkProof(bytes, trusted, section.dataset.event);
  const failed = steps.find((step) => step.state === "failed");
  if (holds) {
    say(part("verdict"), "good", `The proof holds: ${bytes.length.toLocaleString("en")} bytes, ${steps.length} steps, all passed.`);
  } else {
    say(part("verdict"), "bad", `The proof does not hold: ${failed.why}.`);
  }
  part("steps").replaceChildren(...steps.map(showStep));
}

function showStep(step) {
  const item = make("li");
  const kind = { passed: "good", failed: "bad" }[step.state] ?? "plain";
  item.append(make("span", step.state, `tag ${kind}`), ` ${step.name}`);
  if (step.why) item.append(make("p", step.why, "error"));
  if (step.values.length) {
    const list = make("dl");
    for (const [name, value] of step.values) {
      const pair = make("div");
      const held = make("dd");
      held.append(make("code", value));
      pair.append(make("dt", name), held);
      list.append(pair);
    }
    item.append(list);
  }
  return item;
}

async function showFingerprints(place, text) {
  try {
    const keys = await parseVkeys(text);
    place.replaceChildren(
      ...keys.map((key) => {
        const line = make("p", `${key.isWitness ? "Witness" : "Log"} ${key.name}, SHA-256 of the key: `, "help");
        line.append(make("code", key.fingerprint.match(/.{8}/g).join(" ")));
        return line;
      }),
    );
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    place.replaceChildren(make("p", error.message, "error"));
  }
}

function say(place, kind, text) {
  place.replaceChildren(make("p", text, `note ${kind}`));
}

function make(name, text = "", className = "") {
  const element = document.createElement(name);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}
