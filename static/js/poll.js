/* Polling rests in hidden tabs, and a page whose polling fails says since when its figures are old. */
"use strict";
(() => {
  const note = () => document.querySelector("[data-live-note]");
  const polled = (event) => event.detail.elt.closest("[data-poll]");
  let lastGood = new Date();

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (polled(event) && document.hidden) event.preventDefault();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!polled(event)) return;
    const failed = !event.detail.successful;
    document.documentElement.classList.toggle("stale", failed);
    if (!failed) lastGood = new Date();
    const text = failed ? `Not updating since ${lastGood.toISOString().slice(11, 19)} UTC; still trying.` : "";
    if (note() && note().textContent !== text) note().textContent = text;
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !window.htmx) return;
    for (const element of document.querySelectorAll("[data-poll]")) window.htmx.trigger(element, "wake");
  });

  /* The verdict is announced when the state changes, not at every poll. */
  document.addEventListener("htmx:afterSettle", () => {
    const source = document.querySelector("[data-announce]");
    const region = document.querySelector("[data-announcer]");
    if (!source || !region || region.dataset.state === source.dataset.announce) return;
    if (region.dataset.state) region.textContent = source.textContent.trim();
    region.dataset.state = source.dataset.announce;
    if (source.dataset.title) document.title = source.dataset.title;
  });
})();
