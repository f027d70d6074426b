/* Move a booking: drag it (with a finger after a long press), drag its end, or lift it with the key M. Where it is put
   down the server is asked what the move means; it happens only when that question is answered with yes.

   <div data-moves>                                            a timeline, or a table of days
     <ol class="lane" data-date data-group data-rule="30 30 480">   minutes along; or <td data-date data-group>
       <li data-book="id" data-version data-from="540" data-till="660"><a href>
   Bookings move between places of one group; without groups, between all of one root. */

const LONG_PRESS_MS = 350, TAP_PX = 6, EDGE_PX = 10;
const two = number => String(number).padStart(2, "0");
const clock = minute => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

class Mover {
  constructor(root) {
    this.root = root;
    this.bar = root.closest(".panel")?.querySelector("[data-move-bar]");
    [this.first, this.last] = [(root.dataset.from ?? 0) * 60, (root.dataset.till ?? 24) * 60];
    root.addEventListener("pointerdown", event => this.down(event));
    root.addEventListener("pointermove", event => this.move(event));
    root.addEventListener("pointerup", event => this.up(event));
    root.addEventListener("pointercancel", () => this.forget());
    root.addEventListener("touchmove", event => { if (this.lifted) event.preventDefault(); }, { passive: false });
    root.addEventListener("contextmenu", event => { if (this.drag?.touch || this.lifted) event.preventDefault(); });
    root.addEventListener("dragstart", event => { if (event.target.closest("[data-book]")) event.preventDefault(); });
    root.addEventListener("click", event => { if (this.swallow) { event.preventDefault(); event.stopPropagation(); } }, true);
    root.addEventListener("keydown", event => this.key(event));
    root.addEventListener("focusout", event => {
      if (this.lifted && !this.drag && !this.asking && !root.contains(event.relatedTarget)) this.forget();
    });
  }

  down(event) {
    const item = event.target.closest("[data-book]");
    if (!item || event.button || !event.isPrimary || this.asking) return;
    this.forget();
    const box = item.getBoundingClientRect();
    const onEnd = item.closest(".lane") && box.width > 3 * EDGE_PX && event.clientX > box.right - EDGE_PX;
    this.drag = { item, id: event.pointerId, x: event.clientX, y: event.clientY, kind: onEnd ? "end" : "move",
      touch: event.pointerType === "touch" };
    if (this.drag.touch) this.drag.timer = setTimeout(() => { navigator.vibrate?.(15); this.lift(item); }, LONG_PRESS_MS);
  }

  move(event) {
    const drag = this.drag;
    if (!drag || event.pointerId !== drag.id) return;
    const far = Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > TAP_PX;
    if (!this.lifted) {
      if (!far) return;
      if (drag.touch) { this.forget(); return; }
      this.lift(drag.item);
    }
    this.root.setPointerCapture?.(event.pointerId);
    const place = this.placeAt(event.clientX, event.clientY) ?? this.lifted.place;
    if (!place.matches(".lane")) { this.put(place, this.lifted.from, this.lifted.till); return; }
    const { from, till, step, min, max } = this.lifted;
    const by = Math.round(this.minutes(place, event.clientX - drag.x) / step) * step;
    if (drag.kind === "end") this.put(this.lifted.place, from, clamp(till + by, from + min, Math.min(from + max, this.last)));
    else {
      const a = clamp(from + by, this.first, Math.max(this.last - (till - from), this.first));
      this.put(place, a, a + till - from);
    }
  }

  up(event) {
    if (!this.drag || event.pointerId !== this.drag.id) return;
    clearTimeout(this.drag.timer);
    this.drag = null;
    if (!this.lifted) return;
    this.swallow = true;
    setTimeout(() => { this.swallow = false; }, 80);
    this.ask();
  }

  /* Keys on a booking: M lifts it; lifted, arrows move it, with Shift its end, Enter asks, Escape leaves it. */
  key(event) {
    const item = event.target.closest?.("[data-book]");
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!this.lifted) {
      if (event.key.toLowerCase() === "m") { event.preventDefault(); this.lift(item); }
      return;
    }
    const { place, a, b, step, min, max } = this.lifted;
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key], along = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.key === "Escape") this.forget();
    else if (event.key === "Enter") this.ask();
    else if (sideways && !place.matches(".lane")) this.beside(sideways);
    else if (sideways && event.shiftKey) this.put(place, a, clamp(b + sideways * step, a + min, Math.min(a + max, this.last)));
    else if (sideways) {
      const from = clamp(a + sideways * step, this.first, Math.max(this.last - (b - a), this.first));
      this.put(place, from, from + b - a);
    } else if (along) this.beside(along);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  beside(by) {
    const { places, place, a, b } = this.lifted;
    this.put(places[places.indexOf(place) + by] ?? place, a, b);
  }

  lift(item) {
    const place = item.closest("[data-date]");
    const rule = (place.dataset.rule ?? `${this.root.dataset.step ?? 30} ${this.root.dataset.min ?? 30} ${this.root.dataset.max ?? 1440}`);
    const [step, min, max] = rule.split(" ").map(Number);
    const places = [...this.root.querySelectorAll(`${place.tagName}[data-date]`)].filter(one => one.dataset.group === place.dataset.group);
    const [from, till] = [+item.dataset.from, +item.dataset.till];
    this.lifted = { item, place, places, from, till, a: from, b: till, step, min, max, start: place };
    item.classList.add("leaving");
    this.root.classList.add("lifted");
    this.ghost = document.createElement(place.matches(".lane") ? "li" : "p");
    this.ghost.className = place.matches(".lane") ? "bar pick ghost" : "bar slip pick ghost";
    this.ghost.setAttribute("aria-hidden", "true");
    if (this.bar) this.bar.hidden = false;
    this.put(place, from, till);
  }

  put(place, a, b) {
    Object.assign(this.lifted, { place, a, b });
    if (this.ghost.parentElement !== place) place.append(this.ghost);
    const vars = { "--fh": Math.floor(a / 60), "--fm": a % 60, "--th": Math.floor(b / 60), "--tm": b % 60 };
    for (const [name, value] of Object.entries(vars)) this.ghost.style.setProperty(name, value);
    const label = document.createElement("span");
    label.textContent = `${clock(a)}–${clock(b)}`;
    this.ghost.replaceChildren(label);
    const { item, from, till } = this.lifted;
    const clash = this.clash();
    this.ghost.classList.toggle("clash", Boolean(clash));
    if (!this.bar) return;
    const where = place.getAttribute("aria-label") ?? place.dataset.label ?? "";
    const name = item.textContent.replace(/\s+/g, " ").trim();
    this.bar.querySelector("output").textContent =
      [`${name}: ${clock(from)}–${clock(till)} → ${where} ${clock(a)}–${clock(b)}`, clash].filter(Boolean).join(" · ");
  }

  /* In words, what lies there already; the server has the last word. */
  clash() {
    const { item, place, places, a, b } = this.lifted;
    if (!place.matches(".lane") || places.filter(one => one.dataset.date === place.dataset.date).length > 1) return "";
    const busy = [...place.querySelectorAll(".taken, .mine, .booked, .wait, .run, .stop, .offer, .closed")].find(bar => {
      if (bar === item || bar === this.ghost) return false;
      const style = getComputedStyle(bar), at = name => +style.getPropertyValue(name);
      return at("--fh") * 60 + at("--fm") < b && at("--th") * 60 + at("--tm") > a;
    });
    return busy ? busy.textContent.replace(/\s+/g, " ").trim() || this.bar?.dataset.closed : "";
  }

  placeAt(x, y) {
    return this.lifted.places.find(place => {
      const box = place.getBoundingClientRect();
      return box.top <= y && y < box.bottom && (place.matches(".lane") || (box.left <= x && x < box.right));
    });
  }

  minutes(place, px) { return px / place.getBoundingClientRect().width * (this.last - this.first); }

  /* What the move means, from the server, as a question. */
  async ask() {
    const { item, place, start, a, b, from, till } = this.lifted;
    if (place.dataset.date === start.dataset.date && a === from && b === till) { this.forget(); return; }
    this.asking = true;
    const day = place.dataset.date, next = new Date(`${day}T00:00:00Z`);
    next.setUTCDate(next.getUTCDate() + 1);
    const at = minute => (minute < 1440 ? `${day}T${clock(minute)}` : `${next.toISOString().slice(0, 10)}T${clock(minute - 1440)}`);
    const url = new URL(`/bookings/${item.dataset.book}/move`, location.href);
    url.search = new URLSearchParams({ starts_at: at(a), ends_at: at(b), version: item.dataset.version, next: this.bar?.dataset.next ?? "" });
    try {
      const answer = await fetch(url, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const body = page.getElementById("move-confirm");
      if (!body) { location.assign(url); return; }
      this.show(document.adoptNode(body));
    } catch { location.assign(url); }
  }

  show(body) {
    const dialog = document.createElement("dialog");
    const leave = document.createElement("button");
    leave.type = "button";
    leave.className = "button quiet slim close";
    leave.textContent = "×";
    leave.setAttribute("aria-label", document.body.dataset.close);
    leave.addEventListener("click", () => dialog.close());
    dialog.setAttribute("aria-labelledby", "move-title");
    dialog.append(body, leave);
    document.body.append(dialog);
    dialog.addEventListener("close", () => { dialog.remove(); this.asking = false; this.forget(); });
    dialog.showModal();
    dialog.querySelector("[data-first]")?.focus();
  }

  forget() {
    clearTimeout(this.drag?.timer);
    this.drag = null;
    if (!this.lifted) return;
    const { item } = this.lifted;
    item.classList.remove("leaving");
    this.root.classList.remove("lifted");
    this.ghost.remove();
    this.lifted = this.ghost = null;
    if (this.bar) { this.bar.hidden = true; this.bar.querySelector("output").textContent = ""; }
    item.querySelector("a")?.focus({ preventScroll: true });
  }
}

const wake = root => {
  for (const element of root.querySelectorAll("[data-moves]:not(.moves)")) {
    element.classList.add("moves");
    if (element.querySelector("[data-book]")) {
      new Mover(element);
      for (const hint of element.closest(".panel")?.querySelectorAll("[data-move-hint]") ?? []) hint.hidden = false;
    }
  }
};
wake(document);
document.addEventListener("yx:swapped", event => wake(event.target.parentNode ?? document));
