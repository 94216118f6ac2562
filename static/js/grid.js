/* A table that is walked with arrow keys: one stop for Tab, the rest by keys (APG grid). Not for this page alone. */
"use strict";
(() => {
  const PAGE = 10;
  const maps = new WeakMap();
  const gridOf = (element) => element.closest && element.closest("table[role=grid]");
  const whenIdle = window.requestIdleCallback || setTimeout;
  const focusable = (cell) => cell.querySelector("a, button") || cell;

  /* Every place of the table, also where a cell spans several. */
  function mapOf(grid) {
    if (maps.has(grid)) return maps.get(grid);
    const map = [];
    [...grid.rows].forEach((row, r) => {
      map[r] ||= [];
      let c = 0;
      for (const cell of row.cells) {
        while (map[r][c]) c += 1;
        for (let down = 0; down < cell.rowSpan; down += 1) {
          map[r + down] ||= [];
          for (let right = 0; right < cell.colSpan; right += 1) map[r + down][c + right] = cell;
        }
        c += cell.colSpan;
      }
    });
    maps.set(grid, map);
    return map;
  }
  function placeOf(grid, cell) {
    const map = mapOf(grid);
    const r = cell.parentElement.rowIndex;
    return [r, map[r].indexOf(cell)];
  }
  function enter(cell) {
    const grid = gridOf(cell);
    const next = focusable(cell);
    const old = grid.querySelector('[tabindex="0"]');
    if (old && old !== next) old.tabIndex = -1;
    next.tabIndex = 0;
    return next;
  }
  function go(grid, r, c) {
    const cell = mapOf(grid)[r] && mapOf(grid)[r][c];
    if (!cell) return false;
    const target = enter(cell);
    target.focus({ preventScroll: true });
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
    return true;
  }
  /* The next cell in a direction that is another cell than this one. */
  function step(grid, r, c, down, right) {
    const map = mapOf(grid);
    const from = map[r][c];
    do { r += down; c += right; } while (map[r] && map[r][c] === from);
    return map[r] && map[r][c] ? [r, c] : null;
  }
  function target(grid, r, c, event) {
    const map = mapOf(grid);
    const [body, end] = [grid.tHead ? grid.tHead.rows.length : 0, map.length - 1];
    const right = map[r].length - 1;
    switch (event.key) {
      case "ArrowUp": return step(grid, r, c, -1, 0);
      case "ArrowDown": return step(grid, r, c, 1, 0);
      case "ArrowLeft": return step(grid, r, c, 0, -1);
      case "ArrowRight": return step(grid, r, c, 0, 1);
      case "Home": return event.ctrlKey ? [body, 0] : [r, 0];
      case "End": return event.ctrlKey ? [end, right] : [r, right];
      case "PageUp": return [Math.max(r - PAGE, Math.min(r, body)), c];
      case "PageDown": return [Math.min(r + PAGE, end), c];
      default: return null;
    }
  }

  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.metaKey || event.shiftKey) return;
    const grid = gridOf(event.target);
    const cell = grid && event.target.closest("td, th");
    if (!cell) return;
    const [r, c] = placeOf(grid, cell);
    const next = target(grid, r, c, event);
    if (next && go(grid, next[0], next[1])) event.preventDefault();
    else if (/^(Arrow|Home|End|Page)/.test(event.key)) event.preventDefault();
  });
  document.addEventListener("focusin", (event) => {
    const grid = gridOf(event.target);
    const cell = grid && event.target.closest("td, th");
    if (cell) enter(cell);
  });
  /* A cell without a link takes the focus when it is pointed at. */
  document.addEventListener("pointerdown", (event) => {
    const grid = gridOf(event.target);
    const cell = grid && event.target.closest("td, th");
    if (!cell || cell.querySelector("a, button")) return;
    cell.tabIndex = -1;
    enter(cell);
  });
  function prepare() {
    for (const grid of document.querySelectorAll("table[role=grid]:not([data-walked])")) {
      grid.toggleAttribute("data-walked", true);
      for (const link of grid.querySelectorAll("a, button")) link.tabIndex = -1;
      const first = grid.querySelector("tbody td a, tbody th a");
      if (first) first.tabIndex = 0;
      whenIdle(() => mapOf(grid));
    }
  }
  document.addEventListener("lockstep:drawn", prepare);
  document.addEventListener("lockstep:go", (event) => { const cell = event.detail.cell; const grid = gridOf(cell); go(grid, ...placeOf(grid, cell)); });
  prepare();
})();
