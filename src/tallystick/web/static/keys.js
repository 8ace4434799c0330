// Single keys, never while something is being typed, and only as long as the reader has not switched them off.
const OFF = "tallystick-keys-off";
let wait = "";

const click = (selector) => document.querySelector(selector)?.click();
const rows = () => [...document.querySelectorAll("tr[data-row]")];

function move(step) {
  const all = rows();
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
  next?.querySelector("a")?.focus();
}

const KEYS = {
  "/": ["Go to the query", () => document.querySelector("#q")?.focus()],
  j: ["Next row", () => move(1)],
  k: ["Previous row", () => move(-1)],
  e: ["Expand the row", () => document.activeElement?.closest("tr")?.querySelector("[data-expand]")?.click()],
  c: ["Copy the link to what is shown", () => click("[data-copy-link]")],
  "t a": ["Make relative times absolute", () => click("[data-absolute]")],
  "[": ["An earlier range", () => click("[data-earlier]")],
  "]": ["A later range", () => click("[data-later]")],
  n: ["Next page", () => click("[rel=next]")],
  p: ["Previous page", () => click("[rel=prev]")],
  "?": ["This list", () => show()],
};

const isOff = () => { try { return localStorage.getItem(OFF) === "1"; } catch { return false; } };

function show() {
  let dialog = document.querySelector("#keys");
  if (!dialog) {
    dialog = document.createElement("dialog");
    dialog.id = "keys";
    dialog.setAttribute("aria-label", "Keyboard");
    const list = document.createElement("dl");
    for (const [key, [what]] of Object.entries(KEYS)) {
      const row = list.appendChild(document.createElement("div"));
      row.appendChild(document.createElement("dt")).appendChild(document.createElement("kbd")).textContent = key;
      row.appendChild(document.createElement("dd")).textContent = what;
    }
    const line = document.createElement("p");
    const off = line.appendChild(document.createElement("button"));
    off.type = "button";
    const say = () => { off.textContent = isOff() ? "Switch single keys on" : "Switch single keys off"; };
    off.addEventListener("click", () => { localStorage.setItem(OFF, isOff() ? "0" : "1"); say(); });
    say();
    const close = line.appendChild(document.createElement("button"));
    close.type = "button";
    close.textContent = "Close";
    close.addEventListener("click", () => dialog.close());
    line.className = "toolbar";
    dialog.append(list, line);
    document.body.append(dialog);
  }
  dialog.showModal();
}

export function startKeys() {
  const button = document.querySelector("[data-keys]");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", show);
  }
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || isOff()) return;
    const key = wait ? `${wait} ${event.key}` : event.key;
    wait = "";
    if (KEYS[key]) {
      event.preventDefault();
      KEYS[key][1]();
    } else if (event.key === "t") {
      wait = "t";
    }
  });
}
