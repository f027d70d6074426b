/* Ask the server again and put its answer in place, so that a page and its parts are written once, on the server.

   <form method="get" data-swap="#results">          a search: each change asks this page with the new query
   <form method="post" data-swap="#quote" data-swap-url="/equipment/7">
                                                      a booking: slot, quantities and voucher ask for a new quote;
                                                      the post itself stays a post
   <a href="..." data-swap="#week">                   a link that only changes one part

   The parts named by `data-swap` (selectors, comma between) are taken from the answer by GET; the address bar follows
   (`data-swap-quiet` leaves it alone). Texts to write (textarea) and what has `data-swap-not` on or around it are neither
   sent nor waited for. */

const WAIT_MS = 250;
const running = new WeakMap();

function queryOf(form) {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    const field = form.elements[name];
    const first = field instanceof RadioNodeList ? field[0] : field;
    const kept = name === "csrf" || name.startsWith("_") || first?.closest?.("[data-swap-not], textarea");
    if (!kept && typeof value === "string" && value !== "") query.append(name, value);
  }
  return query;
}

async function swap(owner, url, selectors, { quiet = false, push = false, stay = false, hold = null } = {}) {
  running.get(owner)?.abort();
  const control = new AbortController();
  running.set(owner, control);
  const parts = [...document.querySelectorAll(selectors)];
  for (const part of parts) part.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" }, signal: control.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (hold?.()) return false;
    const focused = document.activeElement?.id;
    for (const part of parts) {
      const fresh = part.id && page.getElementById(part.id);
      if (!fresh) { if (!stay) location.assign(url); return; }
      part.replaceWith(document.adoptNode(fresh));
      fresh.dispatchEvent(new CustomEvent("yx:swapped", { bubbles: true }));
    }
    if (focused && !document.activeElement?.id) document.getElementById(focused)?.focus();
    if (!quiet) history[push ? "pushState" : "replaceState"]({ swap: selectors }, "", url);
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  } finally {
    if (running.get(owner) === control) {
      for (const part of document.querySelectorAll(selectors)) part.removeAttribute("aria-busy");
    }
  }
}

function askAgain(form) {
  const page = new URL(form.dataset.swapUrl ?? (form.method === "get" ? form.action : location.pathname), location.href);
  page.search = queryOf(form);
  const asks = form.method === "get";
  return swap(form, page, form.dataset.swap, { quiet: "swapQuiet" in form.dataset, push: asks, stay: !asks });
}

const timers = new WeakMap();
function later(form) {
  clearTimeout(timers.get(form));
  timers.set(form, setTimeout(() => askAgain(form), WAIT_MS));
}

for (const name of ["change", "yx:slot"]) {
  document.addEventListener(name, event => {
    const form = event.detail?.form ?? event.target.form ?? event.target.closest?.("form");
    if (form?.dataset.swap && !event.target.closest?.("[data-swap-not], textarea")) later(form);
  });
}
document.addEventListener("submit", event => {
  const form = event.target;
  if (!form.dataset.swap || form.method !== "get") return;
  event.preventDefault();
  clearTimeout(timers.get(form));
  askAgain(form);
});
document.addEventListener("click", event => {
  const link = event.target.closest?.("a[data-swap]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  swap(link, link.href, link.dataset.swap, { push: true });
});
/* A part that changed on the server: live.js asks for it anew where it stands. */
document.addEventListener("yx:renew", event => {
  event.detail.done = swap(document, new URL(location.href), event.detail.selectors, { quiet: true, stay: true, hold: event.detail.hold });
});
addEventListener("popstate", event => {
  if (event.state?.swap || document.querySelector("[data-swap]")) location.reload();
});
