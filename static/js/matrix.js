/* The matrix: remarks beside cells, jumps to what is not applied, and two columns picked for comparison. */
"use strict";
(() => {
  const remarks = new Map();
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
    if (!remarks.has(address)) remarks.set(address, window.lockstep.ask(address, { headers: { "X-Requested-With": "fetch" } }).then((answer) => (answer.ok ? answer.text() : "")));
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
  let stops = null;
  const stopsOf = () => (stops ||= [...document.querySelectorAll("#matrix tbody tr:not(.fold) > td:not(.A) > a")]);
  function jump(by) {
    const all = stopsOf();
    if (!all.length) { say("Every cell shown is applied."); return; }
    const table = grid();
    const here = document.activeElement.closest && document.activeElement.closest("#matrix td, #matrix th");
    const from = here || (table.querySelector('[tabindex="0"]') || table).closest("td, th");
    let next = by > 0 ? all[0] : all[all.length - 1];
    if (from && from.closest("tbody")) {
      const after = Node.DOCUMENT_POSITION_FOLLOWING;
      const at = all.indexOf(from.querySelector("a"));
      /* The cell Tab would come to is the first stop, not the one that is passed. */
      if (at >= 0) next = all[!here && by > 0 ? at : at + by] || next;
      else next = (by > 0 ? all.find((link) => from.compareDocumentPosition(link) & after) : all.findLast((link) => link.compareDocumentPosition(from) & after)) || next;
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
    const button = document.querySelector("[data-pick-column]");
    if (button) button.setAttribute("aria-pressed", String(Boolean(picked)));
  }
  const cellAt = (element) => element && element.closest && element.closest("#matrix td, #matrix th");
  document.addEventListener("click", (event) => {
    const jumper = event.target.closest("[data-jump]");
    if (jumper) { jump(Number(jumper.dataset.jump)); return; }
    if (event.target.closest("[data-pick-column]")) {
      pick(cellAt(document.activeElement) || cellAt(grid() && grid().querySelector('[tabindex="0"]')));
      return;
    }
    const cell = event.shiftKey && cellAt(event.target);
    if (cell && (cell.dataset.env || cell.matches("tbody td"))) { event.preventDefault(); pick(cell); }
  });
  document.addEventListener("mousedown", (event) => { if (event.shiftKey && cellAt(event.target)) event.preventDefault(); });

  document.addEventListener("lockstep:drawn", () => { remarks.clear(); stops = null; mark(); });
  for (const tools of document.querySelectorAll("[data-grid-tools]")) tools.hidden = !grid();
})();
