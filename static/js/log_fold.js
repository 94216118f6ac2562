/* A heading of the log folds the lines of its step. It comes before log.js, which then knows how tall the log is. */
"use strict";
(() => {
  const log = document.querySelector("[data-log]");
  const sheet = log && log.closest("[data-log-of]");
  if (!sheet) return;
  const all = sheet.querySelector("[data-fold]");

  /* Lines that belong to the step above need no heading of their own. */
  function join() {
    let before = null;
    for (const part of [...log.querySelectorAll(".part")]) {
      if (before && before.dataset.part === part.dataset.part) part.remove();
      else before = part;
    }
  }

  /* It hides the lines of its step, never those of one that failed. */
  const linesOf = (part) => {
    const found = [];
    for (let row = part.nextElementSibling; row && !row.matches(".part, .more"); row = row.nextElementSibling) found.push(row);
    return found;
  };
  const mayFold = (part) => part.dataset.failed === undefined && !linesOf(part).some((row) => row.matches(".error"));
  function fold(part, shut) {
    const lines = linesOf(part);
    for (const row of lines) row.hidden = shut;
    const button = part.querySelector("button");
    if (!button) return;
    button.setAttribute("aria-expanded", String(!shut));
    button.querySelector("span").textContent = shut ? ` · ${lines.length} line${lines.length === 1 ? "" : "s"} folded` : "";
  }
  const folded = () => all.getAttribute("aria-pressed") === "true";
  function dress() {
    for (const part of log.querySelectorAll(".part")) {
      if (!part.querySelector("button")) {
        const button = document.createElement("button");
        button.type = "button";
        button.append(...part.firstElementChild.childNodes, document.createElement("span"));
        part.firstElementChild.append(button);
        if (folded()) part.dataset.shut = "";
      }
      fold(part, part.dataset.shut !== undefined && mayFold(part));
    }
  }
  function foldAll(shut) {
    all.setAttribute("aria-pressed", String(shut));
    for (const part of log.querySelectorAll(".part")) part.toggleAttribute("data-shut", shut);
    dress();
    const url = new URL(location);
    if (shut) url.searchParams.set("fold", "1"); else url.searchParams.delete("fold");
    history.replaceState(null, "", url);
  }

  log.addEventListener("click", (event) => {
    const button = event.target.closest(".part button");
    if (!button) return;
    button.closest(".part").toggleAttribute("data-shut");
    dress();
  });
  sheet.addEventListener("click", (event) => { if (event.target.closest("[data-fold]")) foldAll(!folded()); });
  document.addEventListener("htmx:afterSettle", () => { join(); dress(); });

  if (all) all.hidden = false;
  if (new URL(location).searchParams.get("fold")) foldAll(true);
  else dress();
})();
