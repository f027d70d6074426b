/* A part that changes on the server (`<div id="lab" data-live="/lab/live">`) is asked for again when the server says so.
   Nothing moves while somebody types, drags or answers a question; what is new fades in (css: .fresh). */

const SETTLE_MS = 120, BUSY_MS = 1500;
const WATCHED = ".bar, .request, .booking-row, .wish";

const part = document.querySelector("[data-live]");
if (part?.id && "EventSource" in window) follow(part.id, part.dataset.live);

function follow(id, address) {
  const url = new URL(address, location.href);
  url.searchParams.set("age", Math.round(performance.now()) + 500);
  const source = new EventSource(url);
  let greeted = false, over = false, timer;
  const later = wait => { clearTimeout(timer); timer = setTimeout(refresh, wait); };
  const show = on => say(id, on);

  async function refresh() {
    if (document.hidden) { over = true; return; }
    if (isBusy(id)) { later(BUSY_MS); return; }
    const before = seen(id);
    const kept = keep(id);
    const detail = { selectors: `#${id}`, hold: () => isBusy(id) };
    document.dispatchEvent(new CustomEvent("yx:renew", { detail }));
    if (await detail.done === false) { later(BUSY_MS); return; }
    restore(id, kept);
    fade(id, before);
    show(source.readyState !== EventSource.CLOSED);
  }
  source.addEventListener("hello", () => { show(true); if (greeted) later(0); greeted = true; });
  source.addEventListener("changed", () => later(SETTLE_MS));
  source.addEventListener("over", () => { source.close(); show(false); });
  source.addEventListener("error", () => show(false));
  document.addEventListener("visibilitychange", () => { if (!document.hidden && over) { over = false; later(0); } });
  document.addEventListener("yx:swapped", event => {
    if (event.target.id === id) show(source.readyState === EventSource.OPEN);
  });
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", event => { if (event.persisted) location.reload(); });
}

/* Whoever is in the middle of something is left alone. */
function isBusy(id) {
  const inside = document.activeElement?.closest?.(`#${id} :is(textarea, select, input:not([type=hidden]))`);
  return inside || document.querySelector("dialog[open], .dragging, .lifted, .choosing .pick, details[data-dialog][open]");
}

const textOf = element => element.className.replace(/ ?fresh/, "") + element.textContent.replace(/\s+/g, " ");

function seen(id) { return new Set([...document.querySelectorAll(`#${id} :is(${WATCHED})`)].map(textOf)); }

function fade(id, before) {
  for (const element of document.querySelectorAll(`#${id} :is(${WATCHED})`)) {
    if (!before.has(textOf(element))) element.classList.add("fresh");
  }
}

/* Focus and what stands open survive the change. */
function keep(id) {
  const open = [...document.querySelectorAll(`#${id} details`)].map(details => details.open);
  const focused = document.activeElement?.closest?.(`#${id} a[href]`)?.getAttribute("href");
  return { open, focused };
}

function restore(id, { open, focused }) {
  document.querySelectorAll(`#${id} details`).forEach((details, place) => { if (open[place]) details.open = true; });
  if (focused && document.activeElement === document.body) {
    document.querySelector(`#${id} a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
}

function say(id, on) {
  for (const sign of document.querySelectorAll(`#${id} [data-live-state]`)) {
    sign.classList.toggle("on", on);
    const time = new Date().toTimeString().slice(0, 5);
    const again = sign.querySelector("a");
    again.hidden = on;
    let words = sign.querySelector("span");
    if (!words) { words = document.createElement("span"); sign.prepend(words); }
    words.textContent = on ? `${time} · ${sign.dataset.on} ` : `${sign.dataset.off} · `;
  }
}
