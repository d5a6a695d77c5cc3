// Keys, dialogs, selects that send their form, and progress. Without it, reading and approving still work.
"use strict";

const typing = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  const found = [...document.querySelectorAll("[data-key]")].find(
    (each) => each.dataset.key === event.key && !each.disabled && each.checkVisibility(),
  );
  if (!found) return;
  event.preventDefault();
  if (found.matches("input:not([type=radio])")) found.focus();
  else found.click();
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) open(document.getElementById(opener.dataset.opens));
  if (event.target.closest("[data-closes]")) event.target.closest("dialog").close();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-sends]")) event.target.form.requestSubmit();
});

// A key that is held, or pressed twice, must not decide twice.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  else if (event.target.method === "post") event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

function open(dialog) {
  dialog.showModal();
  dialog.querySelector("textarea, select, input:not([type=hidden], [type=checkbox])")?.focus();
}

for (const dialog of document.querySelectorAll("dialog[data-open]")) open(dialog);
for (const here of document.querySelectorAll(".queue-list [aria-current], .side nav [aria-current]"))
  here.scrollIntoView({ block: "nearest", inline: "nearest" });

// What takes longer than a request: ask how far it is, and show the page anew when it is over.
const EVERY = 1500;
for (const watch of document.querySelectorAll("[data-watches]")) setTimeout(look, EVERY, watch);

async function look(watch) {
  const found = await fetch(watch.dataset.watches).then((answer) => answer.json()).catch(() => null);
  if (found?.over) return location.replace(location.pathname + location.search);
  if (found) {
    watch.querySelector("progress").value = found.progress;
    const told = watch.querySelector("[role=status]");
    if (told.textContent !== found.said) told.textContent = found.said;
  }
  setTimeout(look, EVERY, watch);
}
