// What the markup alone cannot say of apps: modals take the keyboard, half-filled forms survive an update, commands complete.
"use strict";

function openModal() {
  const dialog = document.querySelector("#modal dialog:not([open])");
  if (!dialog) return;
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    dialog.querySelector(".shut").click();
  });
  dialog.showModal();
  dialog.querySelector(".within :is(input, select, textarea, button), .press")?.focus();
}
document.addEventListener("DOMContentLoaded", openModal);
document.addEventListener("htmx:load", openModal);
document.addEventListener("htmx:oobAfterSwap", openModal);

// An app may replace a modal while its person types: what was typed stays in the fields that stay.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  if (target.id !== "modal") return;
  const before = target.querySelector("form");
  const after = fragment.querySelector("form");
  const same = target.querySelector("dialog")?.dataset.view === fragment.querySelector("dialog")?.dataset.view;
  if (!before || !after || !same) return;
  for (const field of before.elements) {
    if (!field.name || field.type === "hidden" || field.matches("button, fieldset")) continue;
    for (const fresh of after.elements) {
      if (fresh.name !== field.name) continue;
      if (field.type === "radio" || field.type === "checkbox") {
        if (fresh.value === field.value && field.checked !== field.defaultChecked) fresh.checked = field.checked;
      } else if (field.matches("select")) {
        for (const option of fresh.options) option.selected = [...field.selectedOptions].some((o) => o.value === option.value);
      } else if (field.type === "file") fresh.files = field.files;
      else if (field.value !== field.defaultValue) fresh.value = field.value;
    }
  }
});

// A button with an address opens it, and the app is told too.
document.addEventListener("click", (event) => {
  const press = event.target.closest("a[data-press]");
  if (press) htmx.ajax("POST", press.dataset.press, { source: press, swap: "none", values: JSON.parse(press.dataset.vals) });
  if (event.target.closest("[data-shut]")) event.target.closest("aside").hidden = true;
  const command = event.target.closest("[data-command]");
  if (command) {
    const box = command.closest("form").querySelector("textarea");
    box.value = `${command.dataset.command} `;
    box.focus();
    suggest(box);
  }
});

// Commands that begin as the text does.
function suggest(box) {
  const list = box.form.querySelector(".commands");
  if (!list) return;
  const typing = /^\/\S*$/.test(box.value);
  for (const item of list.children) item.hidden = !typing || !item.firstElementChild.dataset.command.startsWith(box.value);
  list.hidden = [...list.children].every((item) => item.hidden);
}
document.addEventListener("input", (event) => {
  if (event.target.matches(".composer textarea")) suggest(event.target);
});
document.addEventListener("reset", (event) => {
  const list = event.target.querySelector(".commands");
  if (list) list.hidden = true;
});
document.addEventListener("keydown", (event) => {
  const list = document.querySelector(".commands:not([hidden])");
  if (!list || !["ArrowUp", "ArrowDown", "Tab"].includes(event.key)) return;
  const buttons = [...list.querySelectorAll("li:not([hidden]) button")];
  const at = buttons.indexOf(document.activeElement);
  if (event.key === "Tab") {
    if (at < 0 && event.target.matches("textarea")) buttons[0].click();
    else return;
  } else buttons.at((at + (event.key === "ArrowUp" ? -1 : 1)) % buttons.length).focus();
  event.preventDefault();
});

// Files that are dropped on a channel, or pasted, are sent there.
function send(files, where) {
  const input = where?.querySelector(".attach input");
  if (!files?.length || !input) return false;
  input.files = files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}
document.addEventListener("dragover", (event) => {
  if (event.target.closest?.("main, aside")) event.preventDefault();
});
document.addEventListener("drop", (event) => {
  if (send(event.dataTransfer.files, event.target.closest?.("main, aside"))) event.preventDefault();
});
document.addEventListener("paste", (event) => {
  if (event.target.matches?.(".composer textarea") && send(event.clipboardData.files, event.target.form)) event.preventDefault();
});

// A sheet that would end below the window opens upwards.
document.addEventListener("toggle", (event) => {
  const details = event.target;
  if (!details.open || !details.matches(".picker, #channel .blocks .overflow, #thread .blocks .overflow")) return;
  details.classList.toggle("up", details.getBoundingClientRect().bottom + 340 > innerHeight);
}, true);
