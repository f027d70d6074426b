/* What every page gains from a script: menus that close, questions as dialogs, copying, forms that are sent once.
   Nothing here is needed for a page to work. */

const all = (selector, root = document) => root.querySelectorAll(selector);

/* A menu closes with Escape and with a click elsewhere. */
function closeMenus(except) {
  for (const menu of all("details[data-menu][open]")) if (!menu.contains(except)) menu.open = false;
}
document.addEventListener("click", event => closeMenus(event.target));
document.addEventListener("keydown", event => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement?.closest("details[data-menu][open]");
  closeMenus(null);
  menu?.querySelector("summary").focus();
});

/* Beside the results there is room: what narrows them stands open (as it does by style sheet until here). */
function openFacets(root) { for (const facet of all("[data-facet]", root)) facet.open = true; }
if (matchMedia("(min-width: 901px)").matches) {
  openFacets(document);
  document.addEventListener("yx:swapped", event => openFacets(event.target));
}
document.documentElement.classList.add("scripted");

/* A question (`details[data-dialog]`) opens as a modal dialog; closed, its content goes back to its place. */
function openDialog(details) {
  const body = details.querySelector(".confirm-body");
  const dialog = document.createElement("dialog");
  const title = body.querySelector("h2");
  const close = document.createElement("button");
  close.type = "button";
  close.className = "button quiet slim close";
  close.textContent = "×";
  close.setAttribute("aria-label", document.body.dataset.close);
  close.addEventListener("click", () => dialog.close());
  title.id ||= `dialog-${Date.now().toString(36)}`;
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.append(body, close);
  details.after(dialog);
  dialog.addEventListener("click", event => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => {
    details.append(body);
    dialog.remove();
    details.open = false;
    details.querySelector("summary").focus();
  });
  dialog.showModal();
  body.querySelector("input:not([type=hidden]), textarea, select")?.focus();
}
document.addEventListener("click", event => {
  const summary = event.target.closest?.("details[data-dialog] > summary");
  if (!summary) return;
  event.preventDefault();
  openDialog(summary.parentElement);
});

/* An address that ends in #move opens that question. */
const aimed = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
if (aimed && aimed.matches("details[data-dialog]")) openDialog(aimed);

/* A form is sent once; its button says that it works. It can be sent again when one comes back to it, or when the
   answer was a file and the page stayed. */
const SENT_MS = 8000;

function release(form) {
  delete form.dataset.sent;
  for (const button of all("[aria-disabled=true]", form)) button.removeAttribute("aria-disabled");
}
document.addEventListener("submit", event => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  event.submitter?.setAttribute("aria-disabled", "true");
  setTimeout(release, SENT_MS, form);
});
addEventListener("pageshow", () => { for (const form of all("form[data-sent]")) release(form); });

/* A message is sent from the keyboard too; what prints is a button only where a script is. */
document.addEventListener("keydown", event => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches?.("textarea[data-send]")) event.target.form.requestSubmit();
});
for (const button of all("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

/* Copying, and going back to a filled form. */
for (const button of all("[data-copy]")) button.hidden = false;
document.addEventListener("click", async event => {
  const button = event.target.closest?.("[data-copy]");
  if (button) {
    const field = document.getElementById(button.dataset.copy);
    const label = button.querySelector("span"), before = label.textContent;
    field.select();
    try { await navigator.clipboard.writeText(field.value); } catch { document.execCommand("copy"); }
    label.textContent = button.dataset.done;
    setTimeout(() => { label.textContent = before; }, 1600);
  }
  if (event.target.closest?.("[data-back]")) {
    event.preventDefault();
    history.back();
  }
});

/* What went wrong is read first. */
document.querySelector("[data-focus]")?.focus();
