// Times come in UTC. The switch shows them in the reader's zone instead, and says which that is.
const KEY = "tallystick-zone";
const pad = (number) => String(number).padStart(2, "0");

function isLocal() {
  try { return localStorage.getItem(KEY) === "local"; } catch { return false; }
}

function offset(moment) {
  const minutes = -moment.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

function inLocal(moment) {
  const day = `${moment.getFullYear()}-${pad(moment.getMonth() + 1)}-${pad(moment.getDate())}`;
  return `${day} ${pad(moment.getHours())}:${pad(moment.getMinutes())}:${pad(moment.getSeconds())}`;
}

export function showTimes(root = document) {
  const local = isLocal();
  for (const element of root.querySelectorAll("time[datetime]:not([data-age])")) {
    element.dataset.utc ??= element.textContent;
    const moment = new Date(element.getAttribute("datetime"));
    const shown = local ? inLocal(moment) : null;
    const part = "clock" in element.dataset ? [11] : [0, element.dataset.utc.length];
    element.textContent = local ? shown.slice(...part) : element.dataset.utc;
    element.title = local ? `${element.getAttribute("datetime")} (${offset(moment)} shown)` : element.getAttribute("datetime");
  }
  for (const element of root.querySelectorAll("[data-zone]")) element.textContent = local ? offset(new Date()) : "UTC";
}

export function startZone() {
  const button = document.querySelector("[data-zone-switch]");
  if (!button) return;
  const say = () => { button.textContent = isLocal() ? `Times: ${offset(new Date())}` : "Times: UTC"; };
  button.hidden = false;
  button.addEventListener("click", () => {
    try { localStorage.setItem(KEY, isLocal() ? "utc" : "local"); } catch { return; }
    showTimes();
    say();
  });
  if (isLocal()) showTimes();
  say();
}
