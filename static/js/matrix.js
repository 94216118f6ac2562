/* The matrix: remarks of cells, jumps, two columns picked for comparison, and new windows only when something changed. */
"use strict";
(() => {
  const EVERY = 5000;
  const PATIENCE = 8000;
  const remarks = new Map();
  const box = () => document.getElementById("matrix");
  const grid = () => document.querySelector("#matrix table[role=grid]");
  const say = (text) => { const region = document.querySelector("[data-announcer]"); if (region) region.textContent = text; };

  /* The environment of a cell's column; nothing for a folded group. */
  function environmentOf(cell) {
    if (cell.dataset.env) return cell.dataset.env;
    const at = [...cell.parentElement.children].indexOf(cell) - 1;
    const name = grid().dataset.environments.split(" ")[at];
    return name === "-" ? "" : name || "";
  }

  /* Remarks: the first line is at hand, the others are fetched once and shown when they come. */
  function addressOf(cell) {
    const link = cell.querySelector("a");
    if (link) return `${link.getAttribute("href")}/remark`;
    const row = cell.parentElement.cells[0].querySelector("a").getAttribute("href").split("/");
    return `${grid().dataset.cells}${row.at(-1)}/${encodeURIComponent(environmentOf(cell))}/remark`;
  }
  function nameOf(cell) {
    const link = cell.querySelector("a");
    const revision = cell.parentElement.cells[0].querySelector("code");
    return link ? link.getAttribute("aria-label") : `${environmentOf(cell)}, revision ${revision.textContent}: ${cell.textContent}`;
  }
  async function remark(cell) {
    const address = addressOf(cell);
    if (!remarks.has(address)) remarks.set(address, fetch(address, { headers: { "X-Requested-With": "fetch" } }).then((answer) => (answer.ok ? answer.text() : "")));
    const lines = await remarks.get(address).catch(() => "");
    if (!lines) { remarks.delete(address); return; }
    const shown = cell.dataset.tip !== undefined ? cell : cell.querySelector("[data-tip]");
    if (!shown) return;
    shown.dataset.tip = lines;
    shown.dispatchEvent(new CustomEvent("lockstep:tip", { bubbles: true }));
  }
  let soon = 0;
  function pointed(event) {
    const cell = event.target instanceof Element && event.target.closest("#matrix tbody td");
    if (!cell || cell.classList.contains("roll") || cell.parentElement.classList.contains("fold")) return;
    const holder = cell.querySelector("a") || cell;
    if (holder.dataset.tip === undefined) holder.dataset.tip = nameOf(cell);
    clearTimeout(soon);
    soon = setTimeout(() => remark(cell), event.type === "focusin" ? 120 : 220);
  }
  document.addEventListener("pointerover", pointed, true);
  document.addEventListener("focusin", pointed, true);

  /* Jumps go through the rows as they are read, and begin again at the other end. */
  function jump(by) {
    const all = [...document.querySelectorAll("#matrix tbody td > a")].filter((link) => !link.closest(".fold, td.A"));
    if (!all.length) { say("Every cell shown is applied."); return; }
    const table = grid();
    const here = document.activeElement.closest && document.activeElement.closest("#matrix td, #matrix th");
    const from = here || (table.querySelector('[tabindex="0"]') || table).closest("td, th");
    let next = by > 0 ? all[0] : all[all.length - 1];
    if (from && from.closest("tbody")) {
      const after = Node.DOCUMENT_POSITION_FOLLOWING;
      const found = by > 0
        ? all.find((link) => !from.contains(link) && (from.compareDocumentPosition(link) & after))
        : all.findLast((link) => !from.contains(link) && (link.compareDocumentPosition(from) & after));
      /* The cell Tab would come to is the first stop, not the one that is passed. */
      if (!here && by > 0 && from.querySelector("a") && all.includes(from.querySelector("a"))) next = from.querySelector("a");
      else if (found) next = found;
    }
    document.dispatchEvent(new CustomEvent("lockstep:go", { detail: { cell: next.closest("td") } }));
  }

  /* Two columns picked lead to the page of their differences. */
  let picked = null;
  function pick(cell) {
    const name = cell && !cell.closest("tfoot") && environmentOf(cell);
    if (!name) { say("Put the focus into an environment's column first."); return; }
    if (picked && picked !== name) {
      const address = document.querySelector("#matrix .matrix").dataset.diff;
      location.assign(`${address}&a=${encodeURIComponent(picked)}&b=${encodeURIComponent(name)}`);
      return;
    }
    picked = picked ? null : name;
    mark();
    say(picked ? `${name} is picked. Pick another column to see what differs.` : `${name} is no longer picked.`);
  }
  function mark() {
    for (const head of document.querySelectorAll("#matrix th.env")) head.classList.toggle("picked", head.dataset.env === picked);
    const button = document.querySelector("[data-pick]");
    if (button) button.setAttribute("aria-pressed", String(Boolean(picked)));
  }
  const cellAt = (element) => element && element.closest && element.closest("#matrix td, #matrix th");
  document.addEventListener("click", (event) => {
    const jumper = event.target.closest("[data-jump]");
    if (jumper) { jump(Number(jumper.dataset.jump)); return; }
    if (event.target.closest("[data-pick]")) {
      pick(cellAt(document.activeElement) || cellAt(grid() && grid().querySelector('[tabindex="0"]')));
      return;
    }
    const cell = event.shiftKey && cellAt(event.target);
    if (cell && (cell.dataset.env || cell.matches("tbody td"))) { event.preventDefault(); pick(cell); }
  });
  document.addEventListener("mousedown", (event) => { if (event.shiftKey && cellAt(event.target)) event.preventDefault(); });

  /* Polling: 304 leaves the page as it is; a new window keeps the focus, the scroll position and the pick. */
  function put(text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    const fresh = page.getElementById("matrix");
    if (!fresh) throw new Error("no window");
    const old = box();
    const kept = keep(old);
    old.replaceWith(fresh);
    remarks.clear();
    document.dispatchEvent(new CustomEvent("lockstep:drawn"));
    restore(fresh, kept);
    mark();
    const heading = document.querySelector("[data-headline-here]");
    if (heading && heading.textContent !== fresh.dataset.headline) {
      heading.textContent = fresh.dataset.headline;
      say(fresh.dataset.headline);
    }
    document.dispatchEvent(new CustomEvent("htmx:afterSettle", { detail: {} }));
  }
  const rowName = (row) => { const code = row.querySelector("th code"); return code ? code.textContent : ""; };
  function keep(old) {
    const area = old.querySelector(".matrix");
    const cell = cellAt(document.activeElement);
    const top = area && area.getBoundingClientRect().top + (area.querySelector("thead") || area).offsetHeight;
    const first = area && [...area.querySelectorAll("tbody tr")].find((row) => row.getBoundingClientRect().bottom > top);
    return {
      left: area ? area.scrollLeft : 0,
      top: area ? area.scrollTop : 0,
      first: first ? [rowName(first), first.getBoundingClientRect().top] : null,
      focus: cell && cell.closest("tbody") ? [rowName(cell.parentElement), [...cell.parentElement.children].indexOf(cell)] : null,
    };
  }
  function restore(fresh, kept) {
    const area = fresh.querySelector(".matrix");
    if (!area) return;
    area.scrollTo(kept.left, kept.top);
    const rows = new Map([...area.querySelectorAll("tbody tr")].map((row) => [rowName(row), row]));
    const first = kept.first && kept.top > 0 && rows.get(kept.first[0]);
    if (first) area.scrollTop += first.getBoundingClientRect().top - kept.first[1];
    const row = kept.focus && rows.get(kept.focus[0]);
    const cell = row && row.children[kept.focus[1]];
    if (cell) document.dispatchEvent(new CustomEvent("lockstep:go", { detail: { cell } }));
  }
  /* poll.js says how fresh the page is, and rests in hidden tabs; it is told in htmx's words. */
  function tell(name, successful) {
    const detail = { elt: box(), successful, requestConfig: { path: "/matrix/window" } };
    return document.dispatchEvent(new CustomEvent(`htmx:${name}`, { cancelable: true, detail }));
  }
  let busy = false;
  async function poll() {
    if (busy || !box() || !tell("beforeRequest")) return;
    busy = true;
    try {
      const answer = await fetch(box().dataset.window, {
        headers: { "If-None-Match": `"${box().dataset.etag}"` }, cache: "no-store", redirect: "error", signal: AbortSignal.timeout(PATIENCE),
      });
      if (answer.status === 200) put(await answer.text());
      else if (answer.status !== 304) throw new Error(answer.status);
      tell("afterRequest", true);
    } catch {
      tell("afterRequest", false);
    } finally {
      busy = false;
    }
  }
  setInterval(poll, EVERY);
  document.addEventListener("wake", poll);

  for (const tools of document.querySelectorAll("[data-grid-tools]")) tools.hidden = !grid();
})();
