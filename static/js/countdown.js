/* Counts down to a moment that the page names, and says so once when half an hour, ten, five and one minute are left. */
"use strict";
(() => {
  const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const SAID = [60, 300, 600, 1800];
  const heard = new WeakMap();

  function words(seconds) {
    if (seconds <= 0) return "over";
    const at = UNITS.findIndex(([size]) => seconds >= size);
    const [size, unit] = UNITS[at];
    const [small, name] = UNITS[at + 1] || [Infinity, ""];
    const rest = Math.floor((seconds % size) / small);
    return `${Math.floor(seconds / size)} ${unit}${rest ? ` ${rest} ${name}` : ""} left`;
  }
  function say(timer, seconds) {
    const due = SAID.find((limit) => seconds <= limit);
    const news = heard.has(timer) && heard.get(timer) !== due;
    heard.set(timer, due);
    if (!news || due === undefined || seconds <= 0) return;
    const region = document.querySelector("[data-announcer]");
    if (region) region.textContent = `${words(seconds)} to start ${timer.dataset.what}`;
  }
  function tick() {
    if (document.hidden) return;
    for (const timer of document.querySelectorAll("[data-until]")) {
      const seconds = Math.ceil((Date.parse(timer.dataset.until) - Date.now()) / 1000);
      const text = words(seconds);
      if (timer.textContent !== text) timer.textContent = text;
      say(timer, seconds);
    }
  }
  setInterval(tick, 1000);
  tick();
})();
