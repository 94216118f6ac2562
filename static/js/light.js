/* The row and the column of the cell in hand, lit by strips that are moved: no cell is styled or painted anew. */
"use strict";
(() => {
  const CELL = "table[role=grid] > tbody > tr > *";
  const cellOf = (target) => target instanceof Element && target.closest(CELL);

  /* One pair for the pointer and one for the focus; what is drawn anew takes them away. */
  function stripsOf(room, whose) {
    let strips = [...room.querySelectorAll(`:scope > .light.${whose}`)];
    if (!strips.length) {
      strips = ["row", "column"].map((name) => {
        const strip = document.createElement("div");
        strip.className = `light ${whose} ${name} unlit`;
        room.append(strip);
        return strip;
      });
    }
    return strips;
  }
  function light(cell, whose) {
    const row = cell.parentElement;
    const table = cell.closest("table");
    const [across, down] = stripsOf(table.parentElement, whose);
    const [top, height] = [table.offsetTop + row.offsetTop, row.offsetHeight];
    const [left, width] = [table.offsetLeft + cell.offsetLeft, cell.offsetWidth];
    down.lit = { table, left, width };
    const hidden = behindHeadings(down.lit);
    across.style.transform = `translateY(${top}px) scaleY(${height})`;
    down.style.transform = `translateX(${left}px) scaleX(${width})`;
    down.style.clipPath = hidden;
    across.classList.remove("unlit");
    /* A heading stays in sight when its table is moved, so it has no place in a column. */
    down.classList.toggle("unlit", cell.localName === "th");
  }
  /* What of a column lies behind the headings is not lit. */
  function behindHeadings({ table, left, width }) {
    const heading = table.querySelector("tbody th");
    const hidden = heading ? (table.closest(".matrix").scrollLeft + heading.offsetWidth - left) / width : 0;
    return `inset(0 0 0 ${Math.round(100 * Math.min(Math.max(hidden, 0), 1))}%)`;
  }
  function cover(strip) {
    if (!strip.classList.contains("unlit")) strip.style.clipPath = behindHeadings(strip.lit);
  }
  function dark(whose) {
    for (const strip of document.querySelectorAll(`.light.${whose}`)) strip.classList.add("unlit");
  }
  function follow(whose) {
    return (event) => {
      const cell = cellOf(event.target);
      if (cell) light(cell, whose);
      else dark(whose);
    };
  }
  document.addEventListener("scroll", () => document.querySelectorAll(".light.column").forEach(cover), { capture: true, passive: true });
  document.addEventListener("pointerover", follow("pointed"));
  document.addEventListener("focusin", follow("focused"));
  document.addEventListener("focusout", () => dark("focused"));
  document.documentElement.addEventListener("pointerleave", () => dark("pointed"));
})();
