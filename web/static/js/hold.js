/* A chosen slot is held while the form is filled in. The server holds it (POST, one per person) and says for how long;
   `#hold` counts down by its answer. Why a slot is taken or breaks a
   rule is said by the quote beside it.

   <p id="hold" data-until="180" data-words="Held for you for another #." data-over="No longer held."> */

const WAIT_MS = 300;
let timer, ends = 0, tick;

const place = () => document.getElementById("hold");

function draw() {
  const at = place();
  if (!at) return;
  const left = Math.max(0, Math.round((ends - Date.now()) / 1000));
  at.hidden = !ends;
  if (!ends) return;
  const text = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  at.textContent = left ? at.dataset.words.replace("#", text) : at.dataset.over;
  if (!left) clearInterval(tick);
}

function count(seconds) {
  clearInterval(tick);
  ends = seconds ? Date.now() + seconds * 1000 : 0;
  draw();
  if (ends) tick = setInterval(draw, 1000);
}

async function hold(form) {
  const { starts_at: start, ends_at: end } = form.elements;
  if (!start?.value || !end?.value || start.value >= end.value) return;
  const body = new URLSearchParams();
  for (const name of ["csrf", "equipment_id", "starts_at", "ends_at"]) body.set(name, form.elements[name].value);
  const answer = await fetch(form.dataset.hold, { method: "POST", body, headers: { Accept: "application/json" } });
  const { seconds_left: left = 0, words = "" } = await answer.json();
  count(left);
  const at = place();
  if (at && words) { at.textContent = words; at.hidden = false; }
}

function later(form) {
  clearTimeout(timer);
  timer = setTimeout(() => hold(form).catch(() => count(0)), WAIT_MS);
}

document.addEventListener("yx:slot", event => {
  const form = event.detail?.form;
  if (form?.dataset.hold) later(form);
});
document.addEventListener("change", event => {
  const form = event.target.form;
  if (form?.dataset.hold && /^(starts|ends)_at$/.test(event.target.name)) later(form);
});
/* A slot that a link chose is held too, unless something stands in its way. */
const form = document.querySelector("form[data-hold]");
if (place()?.dataset.until) count(+place().dataset.until);
else if (form && !form.querySelector(".error, [data-focus]")) later(form);
