/* A form that was sent shows that it is pending and cannot be sent twice by a second click. */
"use strict";
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || !event.submitter) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  event.submitter.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", (event) => {
  /* A list that Back brings shows the filter it was drawn for, not the one that led away from it. */
  if (event.persisted) for (const form of document.querySelectorAll("form[autocomplete=off]")) form.reset();
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const control of form.elements) control.removeAttribute("aria-busy");
  }
});
