// What the markup alone cannot say: Enter sends, the list stays where the reader left it, nothing half-typed is lost.
"use strict";

const NEAR = 60; // pixels from the end that still count as "at the end"
const atEnd = new WeakMap();

const toEnd = (scroll) => { scroll.scrollTop = scroll.scrollHeight; };
const latest = (scroll) => scroll.parentElement.querySelector(".latest");

function watch(scroll) {
  if (atEnd.has(scroll)) return;
  const aim = location.hash && scroll.querySelector(`#${CSS.escape(location.hash.slice(1))}`);
  atEnd.set(scroll, !aim);
  if (aim) aim.scrollIntoView({ block: "center" });
  else toEnd(scroll);
  scroll.addEventListener("scroll", () => {
    const near = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR;
    atEnd.set(scroll, near);
    if (near && latest(scroll)) latest(scroll).hidden = true;
  }, { passive: true });
  new MutationObserver((records) => {
    if (atEnd.get(scroll)) return toEnd(scroll);
    const list = scroll.querySelector(".messages");
    const grew = records.some((r) => r.target === list && [...r.addedNodes].includes(list.lastElementChild));
    if (grew && latest(scroll)) latest(scroll).hidden = false;
  }).observe(scroll, { childList: true, subtree: true });
  new ResizeObserver(() => { if (atEnd.get(scroll)) toEnd(scroll); }).observe(scroll); // the strip below grew
}

const watchAll = () => document.querySelectorAll("[data-stick]").forEach(watch);
const box = (place) => document.getElementById(`${place}-text`);

document.addEventListener("DOMContentLoaded", () => { watchAll(); box("composer")?.focus(); });
document.addEventListener("htmx:afterSettle", (event) => {
  watchAll();
  event.detail.elt.querySelector?.("form.edit textarea")?.focus();
});

document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && field.matches(".composer textarea, .edit textarea")) {
    event.preventDefault();
    if (field.value.trim()) field.form.requestSubmit();
  }
  if (event.key === "Escape") {
    const open = document.querySelector(".picker[open], .overflow[open]");
    if (open) fold(open);
    else if (field.closest?.(".edit")) field.closest(".edit").querySelector(".quiet").click();
    else if (!document.querySelector("dialog[open]")) document.querySelector("#thread .close")?.click();
  }
});

document.addEventListener("click", (event) => {
  document.querySelectorAll(".picker[open], .overflow[open]").forEach((picker) => {
    if (!picker.contains(event.target)) picker.open = false;
  });
  if (event.target.closest(".latest")) toEnd(event.target.closest("main").querySelector(".scroll"));
});

document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, xhr } = event.detail;
  if (xhr.status === 204 && elt.matches(".composer, .composer .attach input")) {
    const form = elt.closest("form");
    form.reset();
    toEnd(form.parentElement.querySelector(".scroll"));
  }
  if (xhr.status === 204) document.querySelector("#notice").replaceChildren();
  if (event.detail.requestConfig.verb === "post" && elt.closest?.(".picker, .overflow")) fold(elt.closest(".picker, .overflow"));
  if (elt.matches("[hx-get*='/thread?ts=']")) box("reply")?.focus();
});

for (const name of ["htmx:sendError", "htmx:responseError"]) {
  document.addEventListener(name, (event) => {
    const line = document.createElement("p");
    line.textContent = event.detail.xhr?.responseText || "The workspace does not answer. Is the emulator still running?";
    document.querySelector("#notice").replaceChildren(line);
  });
}

// A message that is redrawn keeps what its reader opened, and waits while it is being edited.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  if (target.matches(".message") && target.querySelector("form.edit")) event.detail.shouldSwap = false;
  target.querySelectorAll?.("details[open][id]").forEach((open) => {
    const fresh = fragment.querySelector(`#${CSS.escape(open.id)}`);
    if (fresh) fresh.open = true;
  });
});
