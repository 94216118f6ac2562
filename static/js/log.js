/* The log follows only while its reader is at the bottom. Who scrolled up is told how many lines came, and not moved. */
"use strict";
(() => {
  const AT_BOTTOM = 24;
  const RANGE = /^#L(\d+)(?:-L(\d+))?$/;
  const sheet = document.querySelector("[data-log-of]");
  const log = sheet && sheet.querySelector("[data-log]");
  /* First and last line that the address names. */
  function named() {
    const found = RANGE.exec(location.hash);
    return found && [Number(found[1]), Number(found[2] || found[1])].sort((a, b) => a - b);
  }
  /* The whole log is asked for a line that is not here. */
  function ask([first, end]) {
    const url = new URL(sheet.dataset.logOf, location);
    if (new URL(location).searchParams.get("lines") === `${first}-${end}`) return;
    url.search = `?lines=${first}-${end}`;
    url.hash = location.hash;
    location.replace(url);
  }
  if (sheet && !log && named()) ask(named());
  if (!log) return;
  const find = (name) => sheet.querySelector(`[${name}]`);
  const most = Number(log.dataset.most);
  /* A tall log scrolls with the page, a short one by itself. */
  const box = log.classList.contains("tall") ? document.scrollingElement : log;
  const rows = () => log.querySelectorAll("li[id]");
  const tail = () => log.querySelector("[data-tail]");
  const atBottom = () => (box === log
    ? box.scrollHeight - box.scrollTop - box.clientHeight < AT_BOTTOM
    : log.getBoundingClientRect().bottom <= innerHeight + AT_BOTTOM);
  let following = false;
  let seen = 0;
  let at = 0;

  const last = () => { const all = rows(); return all.length ? Number(all[all.length - 1].id.slice(1)) : 0; };
  function toEnd() {
    if (box === log) box.scrollTop = box.scrollHeight;
    else log.lastElementChild.scrollIntoView({ block: "end" });
    at = box.scrollTop;
  }
  /* What is told above the lines does not move them under a reader who scrolled up. */
  function tell() {
    const before = log.getBoundingClientRect().top;
    say();
    const moved = log.getBoundingClientRect().top - before;
    if (!following && moved) scrollBy({ top: moved, behavior: "instant" });
  }
  function say() {
    const label = find(`data-following="${log.id}"`);
    if (label) label.textContent = tail() ? (following ? "following · " : "scrolled up, not following · ") : "";
    const pill = find("data-newlines");
    const count = following ? 0 : [...rows()].filter((row) => Number(row.id.slice(1)) > seen).length;
    pill.hidden = !count;
    pill.textContent = `${count} new line${count === 1 ? "" : "s"}`;
    find("data-follow").hidden = following || !tail();
    const here = document.querySelector("[data-lines-here]");
    const first = log.querySelector("li[id]");
    if (here && first) here.textContent = `, ${first.id.slice(1)} to ${last()} here`;
  }
  function follow() { trim(); toEnd(); following = true; seen = last(); tell(); }

  /* What is far above the end leaves the page while it is followed; the whole log still has it. */
  function trim() {
    const all = rows();
    for (let i = 0; i < all.length - most; i += 1) all[i].remove();
    for (const part of log.querySelectorAll(".part")) {
      const next = part.nextElementSibling;
      if (!next || next.matches(".part")) part.remove();
    }
  }
  function pick(jump) {
    const range = named();
    if (!range) return;
    const [first, end] = range;
    const there = document.getElementById(`L${first}`);
    if (!there) { ask(range); return; }
    for (const row of rows()) { const n = Number(row.id.slice(1)); row.classList.toggle("picked", n >= first && n <= end); }
    if (jump) { there.hidden = false; there.scrollIntoView({ block: "center" }); following = atBottom(); }
  }

  log.addEventListener("click", (event) => {
    const link = event.target.closest("li[id] > a");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const n = Number(link.parentElement.id.slice(1));
    const from = RANGE.exec(location.hash);
    const range = event.shiftKey && from ? [Number(from[1]), n].sort((a, b) => a - b) : [n];
    history.replaceState(null, "", `#${range.map((one) => `L${one}`).join("-")}`);
    pick(false);
  });
  sheet.addEventListener("click", (event) => {
    if (event.target.closest("[data-newlines], [data-follow]")) follow();
    const aloud = event.target.closest("[data-aloud]");
    if (!aloud) return;
    const on = aloud.getAttribute("aria-pressed") !== "true";
    aloud.setAttribute("aria-pressed", String(on));
    sheet.querySelector("[role=log]").setAttribute("aria-live", on ? "polite" : "off");
  });
  (box === log ? log : window).addEventListener("scroll", () => {
    /* Lines that came since the end was scrolled to are no reader's scrolling up. */
    following = atBottom() || (following && box.scrollTop >= at);
    at = box.scrollTop;
    if (following) seen = last();
    tell();
  }, { passive: true });

  /* A full page is not filled further under a reader who scrolled up; its head is asked for until the run is over. */
  const full = ({ elt }) => elt.matches("[data-tail]") && !following && rows().length >= most;
  document.addEventListener("htmx:configRequest", ({ detail }) => { if (full(detail)) detail.parameters.rest = "1"; });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (full(event.detail) && !document.querySelector("#log-head:not([data-over])")) event.preventDefault();
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (log.querySelector("[data-nothing]") && rows().length) log.querySelector("[data-nothing]").remove();
    if (following) { trim(); toEnd(); seen = last(); }
    tell();
  });
  /* What grows or goes above a log does not move the lines under a reader who scrolled up. */
  let top = 0;
  document.addEventListener("htmx:beforeSwap", () => { top = log.getBoundingClientRect().top; });
  document.addEventListener("htmx:afterSwap", () => {
    const moved = log.getBoundingClientRect().top - top;
    if (!following && moved) scrollBy({ top: moved, behavior: "instant" });
  });
  /* Part of a page may go on while the log cannot: then the log says itself since when it is old. By address, for an
     answer that brings lines replaces the element which asked. */
  const part = (event) => event.detail.requestConfig.path.split("?")[0];
  let asked = "";
  let good = new Date();
  document.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.elt.matches("[data-tail]")) asked = part(event); });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (part(event) !== asked) return;
    const lost = find("data-log-lost");
    if (event.detail.successful) good = new Date();
    const text = event.detail.successful ? "" : `Connection lost: lines as of ${good.toISOString().slice(11, 19)} UTC. Trying again.`;
    lost.hidden = !text;
    if (lost.textContent !== text) lost.textContent = text;
  });
  window.addEventListener("hashchange", () => pick(true));

  if (find("data-aloud")) find("data-aloud").hidden = false;
  if (RANGE.test(location.hash)) pick(true);
  else if (box === log) toEnd();
  following = atBottom();
  at = box.scrollTop;
  seen = last();
  say();
})();
