/* Choose a slot on a timeline: drag with the mouse or a pen, press long and drag with a finger, or use the keys.
   The form beside it stays the truth: a choice fills `starts_at` and `ends_at`, and typing there moves the choice.
   Markup: macros/timeline.html. Minutes are counted from the local midnight of the row. */

const LONG_PRESS_MS = 350;
const TAP_PX = 6;
const BUSY = ".taken, .mine, .wait, .run, .stop, .offer";

const two = number => String(number).padStart(2, "0");
const clock = minute => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

class Timeline {
  constructor(root) {
    this.root = root;
    const data = root.dataset;
    [this.first, this.last] = [data.first * 60, data.last * 60];
    [this.step, this.min, this.max] = [+data.step, +data.min, +data.max];
    this.lanes = [...root.querySelectorAll(".lane[data-open]")];
    this.bar = root.querySelector(".pick-bar");
    this.output = this.bar.querySelector("output");
    this.form = document.getElementById(data.form) ?? root.closest("form")
      ?? document.querySelector("[name=starts_at]")?.form;
    const drawn = root.querySelector(".bar.pick");
    if (drawn) this.adopt(drawn);
    root.classList.add("choosing");
    root.addEventListener("pointerdown", event => this.down(event));
    root.addEventListener("pointermove", event => this.move(event));
    root.addEventListener("pointerup", event => this.up(event));
    root.addEventListener("pointercancel", () => this.drop());
    root.addEventListener("dragstart", event => event.preventDefault());
    root.addEventListener("contextmenu", event => { if (this.drag?.touch) event.preventDefault(); });
    root.addEventListener("touchmove", event => { if (this.drag?.held) event.preventDefault(); }, { passive: false });
    root.addEventListener("click", event => this.click(event));
    root.addEventListener("keydown", event => this.key(event));
    this.bar.addEventListener("click", event => this.press(event.target.closest("[data-do]")?.dataset.do));
    this.form?.addEventListener("change", event => {
      if (/^(starts|ends)_at$/.test(event.target.name)) this.read();
    });
  }

  /* What is chosen: {lane, a, b} in minutes, and its bar. */

  adopt(item) {
    this.pick = { lane: item.parentElement, a: +item.dataset.a, b: +item.dataset.b };
    this.item = item;
    this.dress();
    this.draw();
  }

  /* For readers by ear the choice is a slider: arrow keys change it, its value is said in words. */
  dress() {
    this.handle = this.item.firstElementChild;
    this.handle.tabIndex = 0;
    const help = this.bar.querySelector(".pick-help");
    help.id ||= `pick-help-${Math.random().toString(36).slice(2)}`;
    const said = { role: "slider", "aria-label": this.bar.dataset.pick, "aria-describedby": help.id,
      "aria-valuemin": this.first, "aria-valuemax": this.last };
    for (const [name, value] of Object.entries(said)) this.handle.setAttribute(name, value);
    this.bar.hidden = false;
  }

  choose(lane, a, b) {
    if (!this.item) {
      this.item = document.createElement("li");
      this.item.append(document.createElement("span"));
      this.dress();
    }
    if (this.item.parentElement !== lane) {
      const focused = this.handle === document.activeElement;
      lane.append(this.item);
      if (focused) this.handle.focus({ preventScroll: true });
    }
    this.pick = { lane, a, b };
    this.draw();
  }

  clear() {
    this.item?.remove();
    this.item = this.handle = this.pick = null;
    this.root.querySelector(".free > a")?.focus({ preventScroll: true });
    this.bar.hidden = true;
    for (const name of ["starts_at", "ends_at"]) if (this.form?.elements[name]) this.form.elements[name].value = "";
    this.tell(null);
  }

  draw() {
    const { lane, a, b } = this.pick;
    const clash = this.clash();
    this.item.className = `bar pick${clash ? " clash" : ""}`;
    Object.assign(this.item.dataset, { a, b });
    const place = { "--fh": Math.floor(a / 60), "--fm": a % 60, "--th": Math.floor(b / 60), "--tm": b % 60 };
    for (const [name, value] of Object.entries(place)) this.item.style.setProperty(name, value);
    const label = document.createElement("b"), length = document.createElement("span");
    label.append(clock(a), document.createElement("wbr"), `–\u2060${clock(b)}`);
    length.className = "when";
    length.textContent = this.long(b - a);
    this.handle.replaceChildren(label, " ", length);
    const when = `${lane.getAttribute("aria-label")} ${clock(a)}–${clock(b)}`;
    const said = [when, this.long(b - a), clash].filter(Boolean).join(" · ");
    this.handle.setAttribute("aria-valuenow", a);
    this.handle.setAttribute("aria-valuetext", said);
    this.bar.classList.toggle("clash", Boolean(clash));
    this.output.setAttribute("aria-live", this.handle === document.activeElement ? "off" : "polite");
    if (this.output.textContent !== said) this.output.textContent = said;
  }

  long(minutes) {
    const { hours, minutes: short } = this.bar.dataset;
    return minutes < 60 ? short.replace("{n}", minutes) : hours.replace("{n}", +(minutes / 60).toFixed(2));
  }

  /* In words, what stands in the way; empty when nothing does. */
  clash() {
    const { lane, a, b } = this.pick;
    if (lane.dataset.now && a < +lane.dataset.now) return this.bar.dataset.past;
    for (const bar of lane.querySelectorAll(BUSY)) {
      if (+bar.dataset.a < b && +bar.dataset.b > a) return bar.textContent.replace(/\s+/g, " ").trim();
    }
    const open = (lane.dataset.open ?? "").split(" ").filter(Boolean).map(range => range.split("-").map(Number));
    if (open.some(([from, till]) => from <= a && b <= till)) return "";
    const shut = [...lane.querySelectorAll(".closed")].find(bar => +bar.dataset.a < b && +bar.dataset.b > a);
    return shut?.textContent.replace(/\s+/g, " ").trim() || this.bar.dataset.closed;
  }

  /* Pointer: a drag on a lane draws, on the choice moves it, at its edges changes it. */

  minute(lane, x) {
    const box = lane.getBoundingClientRect();
    return this.first + (x - box.left) / box.width * (this.last - this.first);
  }

  snap(minute) { return clamp(Math.round(minute / this.step) * this.step, this.first, this.last); }

  down(event) {
    const lane = event.target.closest(".lane[data-open]");
    if (!lane || event.button || !event.isPrimary || event.target.closest("[data-book]")) return;
    const onPick = event.target.closest(".pick");
    const drag = { lane, x: event.clientX, y: event.clientY, id: event.pointerId, touch: event.pointerType === "touch" };
    drag.from = Math.floor(this.minute(lane, event.clientX) / this.step) * this.step;
    if (onPick) {
      const box = onPick.getBoundingClientRect(), edge = Math.min(14, box.width / 3);
      drag.kind = event.clientX < box.left + edge ? "start" : event.clientX > box.right - edge ? "end" : "move";
      drag.grab = this.minute(lane, event.clientX) - this.pick.a;
      drag.before = { ...this.pick };
      drag.held = true;
      event.preventDefault();
      this.handle.focus({ preventScroll: true });
    } else {
      drag.kind = "draw";
      if (drag.touch) {
        drag.timer = setTimeout(() => {
          drag.held = true;
          navigator.vibrate?.(15);
          this.choose(lane, ...this.fit(drag.from, drag.from + this.min));
        }, LONG_PRESS_MS);
      } else {
        drag.held = true;
      }
    }
    this.drag = drag;
  }

  move(event) {
    const drag = this.drag;
    if (!drag || event.pointerId !== drag.id) return;
    const far = Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > TAP_PX;
    if (!drag.held) { if (far) this.drop(); return; }
    if (!drag.moved && !far) return;
    if (!drag.moved) {
      drag.moved = true;
      this.root.setPointerCapture(event.pointerId);
      this.root.classList.add("dragging");
    }
    const at = this.minute(drag.lane, event.clientX);
    if (drag.kind === "draw") {
      const here = this.snap(at);
      const [a, b] = here > drag.from ? [drag.from, here] : [here, drag.from + this.step];
      this.choose(drag.lane, ...this.fit(a, b, here <= drag.from));
    } else if (drag.kind === "move") {
      const lane = this.laneAt(event.clientY) ?? this.pick.lane;
      const length = drag.before.b - drag.before.a;
      const a = clamp(this.snap(at - drag.grab), this.first, this.last - length);
      this.choose(lane, a, a + length);
    } else if (drag.kind === "end") {
      const { lane, a } = this.pick;
      this.choose(lane, a, clamp(this.snap(at), a + this.min, Math.min(a + this.max, this.last)));
    } else {
      const { lane, b } = this.pick;
      this.choose(lane, clamp(this.snap(at), Math.max(b - this.max, this.first), b - this.min), b);
    }
  }

  up(event) {
    const drag = this.drag;
    if (!drag || event.pointerId !== drag.id) return;
    const settled = drag.moved || drag.touch && drag.held && drag.kind === "draw";
    this.drop();
    if (settled) {
      this.swallow = true;
      setTimeout(() => { this.swallow = false; }, 60);
      this.settle();
    }
  }

  drop() {
    clearTimeout(this.drag?.timer);
    this.drag = null;
    this.root.classList.remove("dragging");
  }

  laneAt(y) {
    return this.lanes.find(lane => { const box = lane.getBoundingClientRect(); return box.top <= y && y < box.bottom; });
  }

  /* A click or Enter on free time takes the shortest slot there, from where one pointed. */
  click(event) {
    const lane = event.target.closest(".lane[data-open]");
    if (!lane) return;
    const bar = event.target.closest(".bar");
    if (this.swallow || bar?.matches(".pick")) { event.preventDefault(); return; }
    if (bar && !bar.matches(".free")) return;
    if (!bar && !event.detail) return;
    event.preventDefault();
    const pointed = event.detail ? Math.floor(this.minute(lane, event.clientX) / this.step) * this.step : +bar.dataset.a;
    const length = this.pick ? this.pick.b - this.pick.a : Math.max(this.min, Math.min(60, this.max));
    const latest = bar ? Math.max(+bar.dataset.b - length, +bar.dataset.a) : this.last - length;
    const a = Math.min(pointed, latest);
    this.choose(lane, ...this.fit(a, a + length));
    this.handle.focus({ preventScroll: true });
    this.settle();
  }

  fit(a, b, keepEnd = false) {
    const length = clamp(b - a, this.min, this.max);
    const from = clamp(keepEnd ? b - length : a, this.first, this.last - length);
    return [from, from + length];
  }

  /* Keys on the choice: left and right move it by a step, up and down to another row; with Shift its end moves. */

  key(event) {
    if (!event.target.closest?.(".pick")) return;
    const { key, shiftKey } = event;
    const act = {
      ArrowLeft: shiftKey ? "shorter" : "earlier", ArrowRight: shiftKey ? "longer" : "later",
      ArrowUp: "above", ArrowDown: "below", Escape: "clear", Delete: "clear",
    }[key];
    if (!act) return;
    event.preventDefault();
    this.press(act);
  }

  press(act) {
    if (!act || !this.pick) return;
    const { lane, a, b } = this.pick;
    const length = b - a;
    const shift = by => { const from = clamp(a + by, this.first, this.last - length); return [lane, from, from + length]; };
    const beside = by => [this.lanes[this.lanes.indexOf(lane) + by] ?? lane, a, b];
    if (act === "clear") { this.clear(); return; }
    this.choose(...{
      earlier: () => shift(-this.step),
      later: () => shift(this.step),
      shorter: () => [lane, a, Math.max(b - this.step, a + this.min)],
      longer: () => [lane, a, Math.min(b + this.step, a + this.max, this.last)],
      above: () => beside(-1),
      below: () => beside(1),
    }[act]());
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.settle(), 300);
  }

  /* The form: filled when a choice has settled, read when somebody types. */

  settle() {
    if (!this.pick) return;
    const { lane, a, b } = this.pick;
    const day = lane.dataset.date;
    const next = new Date(`${day}T00:00:00Z`);
    next.setUTCDate(next.getUTCDate() + 1);
    const dayAfter = next.toISOString().slice(0, 10);
    const value = minute => (minute < 1440 ? `${day}T${clock(minute)}` : `${dayAfter}T${clock(minute - 1440)}`);
    const fields = { starts_at: value(a), ends_at: value(b), unit_id: lane.dataset.unit };
    for (const [name, text] of Object.entries(fields)) {
      const field = this.form?.elements[name];
      if (field && text !== undefined) field.value = text;
    }
    const { starts_at, ends_at, unit_id } = fields;
    this.tell({ starts_at, ends_at, unit: unit_id ?? null, clash: this.clash() });
  }

  tell(slot) {
    this.root.dispatchEvent(new CustomEvent("yx:slot", { bubbles: true, detail: { ...slot, form: this.form } }));
  }

  read() {
    if (!this.root.isConnected) return;
    const { starts_at: start, ends_at: end, unit_id: unit } = this.form.elements;
    if (!start?.value || !end?.value) return;
    const [day, from] = start.value.split("T"), [lastDay, till] = end.value.split("T");
    const minutes = text => { const [hour, minute] = text.split(":").map(Number); return hour * 60 + minute; };
    const fits = lane => !unit?.value || !lane.dataset.unit || lane.dataset.unit === unit.value;
    const lane = this.lanes.find(one => one.dataset.date === day && fits(one));
    const b = day === lastDay ? minutes(till) : this.last;
    if (lane && minutes(from) < b) this.choose(lane, Math.max(minutes(from), this.first), Math.min(b, this.last));
  }
}

/* What does not fit into a bar is read by pointing at it. */
document.addEventListener("pointerover", event => {
  const label = event.target.closest?.(".bar > *");
  if (label && !label.title) label.title = label.textContent.replace(/\s+/g, " ").trim();
});

const wake = root => {
  for (const element of root.querySelectorAll("[data-timeline]:not(.choosing)")) new Timeline(element);
};
wake(document);
document.addEventListener("yx:swapped", event => wake(event.target.parentNode ?? document));
