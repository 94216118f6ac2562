/* Whose session ended under a polling page is told so, with the way back; the page stays as it is and asks no more. */
"use strict";
(() => {
  const note = document.querySelector("[data-signed-out]");
  if (!note) return;
  const link = note.querySelector("a");

  /* Not a lost connection: the answer came, from the page that signs in. window.js names its address as htmx does. */
  const ledToSignIn = ({ url, xhr }) => {
    const from = url || (xhr && xhr.responseURL);
    return Boolean(from) && new URL(from).pathname === link.pathname;
  };
  function tell() {
    const { pathname, search, hash } = location;
    link.search = `?next=${encodeURIComponent(pathname + search + hash)}`;
    document.documentElement.classList.add("signed-out");
    note.hidden = false;
    for (const who of document.querySelectorAll(".bar .who")) who.hidden = true;
    document.querySelector("[data-announcer]").textContent = note.firstChild.textContent.trim();
  }
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!note.hidden && event.detail.elt.closest("[data-poll]")) event.preventDefault();
  });
  /* The page that signs in is no part of this one, whatever asked. */
  document.addEventListener("htmx:beforeSwap", ({ detail }) => { if (ledToSignIn(detail)) detail.shouldSwap = false; });
  /* In poll.js's words the page is then out of date, and it does not say that it tries on. */
  document.addEventListener("htmx:afterRequest", ({ detail }) => { if (note.hidden && ledToSignIn(detail)) tell(); });
})();
