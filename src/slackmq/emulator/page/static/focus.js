// Where the keyboard is, when what it was on is drawn anew, closed or left: never at the top of the page.
"use strict";

const CONTROLS = "a[href], button, summary, input, select, textarea";
let lost = null;

// What is redrawn under the keyboard: back to the same control, or to the one that took its place.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target } = event.detail;
  const held = document.activeElement;
  if (!held || held === target || !target.contains(held) || held.matches("textarea")) return;
  const scope = held.closest(".message[id]") ?? target;
  const all = [...scope.querySelectorAll(CONTROLS)];
  lost = { target: target.id, scope: scope.id, id: held.id, label: held.getAttribute("aria-label"), at: all.indexOf(held) };
});
document.addEventListener("htmx:oobAfterSwap", (event) => {
  if (!lost || event.detail.target.id !== lost.target) return;
  const all = [...(document.getElementById(lost.scope)?.querySelectorAll(CONTROLS) ?? [])];
  const again = (lost.id && document.getElementById(lost.id))
    || (lost.label && all.find((one) => one.getAttribute("aria-label") === lost.label))
    || all[Math.min(lost.at, all.length - 1)]
    || document.querySelector("#faults summary");
  lost = null;
  again?.focus({ preventScroll: true });
});

// A sheet that closes gives the keyboard back to what opened it.
function fold(sheet) {
  const within = sheet.contains(document.activeElement);
  sheet.open = false;
  if (within) sheet.querySelector("summary").focus({ preventScroll: true });
}

// A thread that closes, to its message; a channel that opens, to its box, where no keyboard rises from below.
let parent = "";
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.matches("#thread .close")) parent = document.querySelector("#replies .message")?.id ?? "";
});
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt } = event.detail.requestConfig; // which the answer may have taken off the page
  if (elt.matches("a.close")) {
    const message = document.getElementById(parent.replace("r-", "m-"));
    const pins = elt.matches("[aria-label='Close the pins']") && document.querySelector("#channel .bar button");
    (pins || message?.querySelector("a.replies, [aria-label='Reply in a thread']") || box("composer"))?.focus({ preventScroll: true });
  }
  if (elt.matches(".edit, .edit .quiet")) document.querySelector(`${elt.getAttribute("hx-target")} [aria-label='Edit']`)?.focus({ preventScroll: true });
  if (elt.id.startsWith("nav-") && matchMedia("(hover: hover)").matches) box("composer")?.focus();
});

// The list of channels and the strip stay as far as they were scrolled; where one is now is in sight.
const scrolled = {};
document.addEventListener("htmx:oobBeforeSwap", ({ detail: { target } }) => {
  if (target.matches("#nav, #strip")) scrolled[target.id] = [target.scrollLeft, target.scrollTop, here()];
});
document.addEventListener("htmx:oobAfterSwap", ({ detail: { target } }) => {
  const [left, top, before] = scrolled[target.id] ?? [];
  const fresh = before !== undefined && document.getElementById(target.id);
  if (!fresh) return;
  [fresh.scrollLeft, fresh.scrollTop] = [left, top];
  if (target.id === "nav" && before !== here()) show();
});
const here = () => document.querySelector("#nav [aria-current]")?.id ?? "";
const show = () => document.querySelector("#nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
document.addEventListener("DOMContentLoaded", show);
