// The events page: rows that open and close, the brush over the bars, the column finder, words for the live state.
import { startCopy } from "./copy.js";

const iso = (microseconds) => new Date(microseconds / 1000).toISOString().replace(".000Z", "Z");

function startRows() {
  // In the capturing phase: a second press closes what the first one opened, and asks the server for nothing.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-expand]");
    const opened = link?.closest("tr").nextElementSibling;
    const close = event.target.closest?.("[data-collapse]");
    if (close) {
      const row = document.querySelector(close.dataset.collapse);
      row.nextElementSibling.remove();
      mark(row.querySelector("[data-expand]"), false);
      row.querySelector("[data-expand]").focus();
    } else if (link && opened?.matches("tr.more")) {
      event.preventDefault();
      event.stopImmediatePropagation();
      opened.remove();
      mark(link, false);
    }
  }, true);
}

function mark(link, open) {
  link.setAttribute("aria-expanded", String(open));
  link.textContent = open ? "−" : "+";
}

function markOpened() {
  for (const row of document.querySelectorAll("tr.more")) {
    const link = row.previousElementSibling?.querySelector("[data-expand]");
    if (link) mark(link, true);
    for (const button of row.querySelectorAll("[data-collapse]")) button.hidden = false;
  }
}

function startBars() {
  for (const picture of document.querySelectorAll("svg[data-brush]:not([data-started])")) {
    picture.dataset.started = "";
    const bars = [...picture.querySelectorAll("a")];
    const rove = (to) => bars.forEach((bar) => bar.setAttribute("tabindex", bar === to ? "0" : "-1"));
    rove(bars.at(-1));
    picture.addEventListener("keydown", (event) => {
      const at = bars.indexOf(event.target);
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: bars.length - 1 }[event.key];
      if (to === undefined || !bars[to]) return;
      event.preventDefault();
      rove(bars[to]);
      bars[to].focus();
    });
    brush(picture);
  }
}

function brush(picture) {
  const shade = picture.querySelector(".brush");
  const first = Number(picture.dataset.first);
  const span = Number(picture.dataset.last) - first;
  let from = null;
  let dragged = false;
  const at = (event) => {
    const box = picture.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  picture.addEventListener("dragstart", (event) => event.preventDefault());
  picture.addEventListener("pointerdown", (event) => {
    if (event.button === 0) [from, dragged] = [at(event), false];
  });
  picture.addEventListener("pointermove", (event) => {
    if (from === null) return;
    const to = at(event);
    if (!dragged && Math.abs(to - from) < 0.01) return;
    if (!dragged) picture.setPointerCapture(event.pointerId);
    dragged = true;
    shade.removeAttribute("hidden");
    shade.setAttribute("x", 960 * Math.min(from, to));
    shade.setAttribute("width", 960 * Math.abs(to - from));
  });
  picture.addEventListener("pointerup", (event) => {
    const [start, end] = [from, at(event)].sort((one, other) => one - other);
    from = null;
    if (!dragged) return;
    const place = new URL(picture.dataset.brush, location.href);
    place.searchParams.set("from", iso(Math.floor((first + start * span) / 1e6) * 1e6));
    place.searchParams.set("to", iso(Math.ceil((first + end * span) / 1e6) * 1e6));
    location.assign(place);
  });
  picture.addEventListener("click", (event) => { if (dragged) event.preventDefault(); }, true);
}

function startFilters() {
  for (const field of document.querySelectorAll("[data-filter-list][hidden]")) {
    field.hidden = false;
    document.querySelector(`label[for="${field.id}"]`).hidden = false;
    field.addEventListener("input", () => {
      for (const item of document.querySelector(field.dataset.filterList).children) {
        item.hidden = !item.textContent.toLowerCase().includes(field.value.toLowerCase());
      }
    });
  }
}

function startLive() {
  const state = document.querySelector("[data-live-state]:not([data-started])");
  const news = document.querySelector("#live-news");
  if (!state || !news) return;
  state.dataset.started = "";
  const say = (text, name) => { state.textContent = text; state.dataset.state = name; };
  news.addEventListener("htmx:sse:after:connection", () => say("Live: connected", "on"));
  news.addEventListener("htmx:sse:error", () => say("Live: connection lost, trying again", "lost"));
  news.addEventListener("htmx:sse:close", () => { if (state.dataset.state !== "ended") say("Live: connection lost", "lost"); });
  news.addEventListener("htmx:sse:before:connection", (event) => { if (state.dataset.state === "ended") event.preventDefault(); });
  news.addEventListener("ended", (event) => say(`Live: ended, ${event.detail.data}`, "ended"));
}

function closeMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

export function startEventsOnce() {
  startRows();
  closeMenus();
}

export function startEvents() {
  markOpened();
  startBars();
  startFilters();
  startLive();
  startCopy();
}
