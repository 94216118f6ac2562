/* Single keys, as listed in dashboard/keys.py. One switch turns them off, and a cookie remembers it. */
"use strict";
(() => {
  const COOKIE = "lockstep_keys";
  const A_YEAR = 365 * 24 * 3600;
  const PATIENCE = 1500;
  let went = 0;

  const off = () => document.cookie.split("; ").includes(`${COOKIE}=off`);
  const typing = (element) => element.closest("input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]");
  const rows = () => [...document.querySelectorAll("[data-rows] > tr, [data-rows] > li")];
  const focusable = (element) => (element.matches("a, button, [tabindex]") ? element : element.querySelector("a, button, summary"));

  function say(text) {
    const region = document.querySelector("[data-announcer]");
    if (region) region.textContent = text;
  }
  function move(by) {
    const all = rows();
    if (!all.length) return;
    const focused = all.findIndex((row) => row.contains(document.activeElement));
    const here = focused < 0 ? all.findIndex((row) => row.hasAttribute("data-here")) : focused;
    const next = all[Math.min(Math.max(here + by, 0), all.length - 1)];
    all.forEach((row) => row.toggleAttribute("data-here", row === next));
    const link = focusable(next);
    if (link) link.focus();
  }
  function problem(by) {
    const marked = [...document.querySelectorAll("[data-problems]")].flatMap((box) => [...box.querySelectorAll(box.dataset.problems)]);
    const all = [...document.querySelectorAll("[data-problem]"), ...marked].filter((element) => element.checkVisibility());
    all.sort((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
    if (!all.length) { say("Nothing on this page is marked as a problem."); return; }
    const here = all.findIndex((element) => element.contains(document.activeElement));
    const next = all[here < 0 ? (by > 0 ? 0 : all.length - 1) : (here + by + all.length) % all.length];
    const target = focusable(next) || next;
    if (target === next && !next.matches("a, button")) next.tabIndex = -1;
    target.focus();
    target.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  function go(letter) {
    const link = document.querySelector(`.frame > .nav a[data-go="${CSS.escape(letter)}"]`);
    if (link) location.assign(link.href);
  }
  function filter() {
    const field = document.querySelector("[data-filter] input:not([type=hidden]), [data-filter] select") || document.getElementById("find");
    if (field) field.focus();
    return Boolean(field);
  }
  /* A control of the page that has its own key. */
  function own(key) {
    const control = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!control) return false;
    if (control.matches("a, button, summary")) control.click();
    else control.focus();
    return true;
  }
  function help() {
    const link = document.querySelector('a[href="#keys"][data-open]');
    const here = document.querySelector("[data-keys-here]");
    const list = here && here.querySelector("dl");
    if (!link || !list) return;
    list.replaceChildren(...[...document.querySelectorAll("[data-key]")].flatMap((control) => {
      const term = document.createElement("dt");
      const cap = document.createElement("kbd");
      const does = document.createElement("dd");
      cap.textContent = control.dataset.key === " " ? "Space" : control.dataset.key;
      term.append(cap);
      does.textContent = control.dataset.keyDoes || control.textContent.trim();
      return [term, does];
    }));
    here.hidden = !list.childElementCount;
    link.click();
  }

  const KEYS = { j: () => move(1), k: () => move(-1), "]": () => problem(1), "[": () => problem(-1), "?": help };
  document.addEventListener("keydown", (event) => {
    if (off() || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    /* Space belongs to the control that has the focus, and one long press is one press. */
    if (event.key === " " && (event.repeat || event.target.closest("a, button, summary, input"))) return;
    if (Date.now() - went < PATIENCE) { went = 0; go(event.key); return; }
    if (event.key === "g") went = Date.now();
    else if (event.key === "/") { if (filter()) event.preventDefault(); }
    else if (own(event.key)) event.preventDefault();
    else if (KEYS[event.key]) KEYS[event.key]();
  });

  const toggle = document.querySelector("[data-keys-switch]");
  if (toggle) {
    toggle.checked = !off();
    toggle.addEventListener("change", () => {
      const secure = location.protocol === "https:" ? "; secure" : "";
      document.cookie = `${COOKIE}=${toggle.checked ? "on" : "off"}; path=/; max-age=${A_YEAR}; samesite=lax${secure}`;
    });
  }
})();
