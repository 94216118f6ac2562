/* One remark for thousands of cells: [data-tip] holds its lines; it opens on focus and hover, and Escape closes it. */
"use strict";
(() => {
  if (!HTMLElement.prototype.showPopover) return;
  const WAIT = 180;
  const SOON = 30;
  let tip = null;
  let cell = null;
  let later = 0; /* what the pointer asked for */
  let soon = 0; /* what the focus asked for */

  function make() {
    tip = document.createElement("div");
    tip.className = "tip";
    tip.id = "tip";
    tip.popover = "manual";
    tip.setAttribute("role", "tooltip");
    tip.addEventListener("pointerenter", () => clearTimeout(later));
    tip.addEventListener("pointerleave", shutSoon);
    document.body.append(tip);
  }
  function place() {
    const at = cell.getBoundingClientRect();
    const size = tip.getBoundingClientRect();
    const below = at.bottom + 4 + size.height < innerHeight;
    /* Without the scrollbar, which the window's own width holds. */
    const wide = document.documentElement.clientWidth;
    tip.style.left = `${Math.max(8, Math.min(at.left, wide - size.width - 8))}px`;
    tip.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - size.height - 4)}px`;
  }
  function show(next) {
    clearTimeout(later);
    if (next === cell) return;
    shut();
    if (!tip) make();
    cell = next;
    fill();
    cell.setAttribute("aria-describedby", tip.id);
    tip.showPopover();
    place();
  }
  function fill() {
    tip.replaceChildren(...cell.dataset.tip.split("\n").map((line) => {
      const row = document.createElement("span");
      row.textContent = line;
      return row;
    }));
  }
  function shut() {
    clearTimeout(later);
    clearTimeout(soon);
    if (!cell) return;
    cell.removeAttribute("aria-describedby");
    tip.hidePopover();
    cell = null;
  }
  function shutSoon() {
    clearTimeout(later);
    later = setTimeout(() => { if (!cell || !cell.matches(":focus")) shut(); }, WAIT);
  }
  const cellOf = (event) => event.target instanceof Element && event.target.closest("[data-tip]");

  /* What is moved under a pointer at rest was not pointed at. */
  let rest = "";
  const moved = (event) => { const before = rest; rest = `${event.screenX} ${event.screenY}`; return rest !== before; };
  document.addEventListener("pointermove", moved, { passive: true });
  document.addEventListener("pointerover", (event) => {
    const found = cellOf(event);
    if (!found || !moved(event)) return;
    clearTimeout(later);
    later = setTimeout(() => show(found), cell ? 0 : WAIT);
  });
  document.addEventListener("pointerout", (event) => { if (cellOf(event)) shutSoon(); });
  /* After what was asked for is painted: the remark is not what one waits for. */
  document.addEventListener("focusin", (event) => {
    const found = cellOf(event);
    shut();
    if (found) soon = setTimeout(() => show(found), SOON);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { if (cell) event.preventDefault(); shut(); }
  });
  /* Lines that came later than the pointer. */
  document.addEventListener("lockstep:tip", (event) => { if (event.target === cell) { fill(); place(); } });
  document.addEventListener("scroll", () => { if (cell && !cell.matches(":focus")) shut(); else if (cell) place(); }, true);
})();
