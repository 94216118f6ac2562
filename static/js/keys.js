/* Single keys: / search, j k rows, Enter open, g then a letter goes to a page, ? shows them. One switch turns them off. */
"use strict";
(() => {
  const KEY = "lockstep-keys";
  const PAGES = { o: "Home", h: "History", m: "Matrix", r: "Runs", u: "Audit" };
  let waitingForPage = 0;
  const off = () => localStorage.getItem(KEY) === "off";
  const typing = (element) => element.closest("input, select, textarea, [contenteditable]");
  const rows = () => [...document.querySelectorAll("[data-rows] > tr, [data-rows] > li")];

  function move(by) {
    const all = rows();
    if (!all.length) return;
    const here = all.findIndex((row) => row.hasAttribute("data-here"));
    const next = all[Math.min(Math.max(here + by, 0), all.length - 1)];
    all.forEach((row) => row.toggleAttribute("data-here", row === next));
    const link = next.querySelector("a");
    if (link) link.focus();
  }
  function go(letter) {
    const word = PAGES[letter];
    const link = [...document.querySelectorAll(".nav a")].find((a) => a.dataset.page === word);
    if (link) location.assign(link.href);
  }
  function help(open) {
    const dialog = document.getElementById("keys");
    if (dialog && open) dialog.showModal();
  }

  document.addEventListener("keydown", (event) => {
    const find = document.getElementById("find");
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && find) {
      event.preventDefault();
      find.focus();
      return;
    }
    if (off() || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (Date.now() - waitingForPage < 1500) { waitingForPage = 0; go(event.key); return; }
    if (event.key === "/") {
      const field = document.querySelector("[data-filter] input, [data-filter] select") || find;
      if (field) { event.preventDefault(); field.focus(); }
    } else if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "g") waitingForPage = Date.now();
    else if (event.key === "?") help(true);
  });

  const toggle = document.querySelector("[data-keys-switch]");
  if (toggle) {
    toggle.checked = !off();
    toggle.addEventListener("change", () => localStorage.setItem(KEY, toggle.checked ? "on" : "off"));
  }
  for (const opener of document.querySelectorAll("[data-keys-open]")) {
    opener.hidden = false;
    opener.addEventListener("click", () => help(true));
  }
})();
