/* Turns UTC times into relative or local ones, as the reader prefers; the page itself always holds UTC. */
"use strict";
(() => {
  const KEY = "lockstep-times";
  const MODES = ["relative", "utc", "local"];
  const STEPS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const stored = localStorage.getItem(KEY);
  let mode = MODES.includes(stored) ? stored : "relative";

  const utc = (iso) => iso.replace("T", " ").replace("Z", " UTC");
  const two = (n) => String(n).padStart(2, "0");
  const offset = (date) => {
    const east = -date.getTimezoneOffset();
    const [hours, minutes] = [Math.floor(Math.abs(east) / 60), Math.abs(east) % 60];
    return `UTC${east < 0 ? "−" : "+"}${two(hours)}:${two(minutes)}`;
  };
  const local = (date) => {
    const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${offset(date)}`;
  };
  const relative = (date) => {
    const seconds = Math.round((Date.now() - date.getTime()) / 1000);
    const away = Math.abs(seconds);
    if (away < 2) return "now";
    const [size, unit] = STEPS.find(([s]) => away >= s);
    const amount = `${Math.floor(away / size)} ${unit}`;
    return seconds < 0 ? `in ${amount}` : `${amount} ago`;
  };

  function draw(root) {
    for (const element of root.querySelectorAll("time[data-when]")) {
      const iso = element.dateTime;
      const date = new Date(iso);
      element.title = `${utc(iso)} · ${local(date)} here`;
      const text = mode === "utc" ? utc(iso) : mode === "local" ? local(date) : relative(date);
      if (element.textContent !== text) element.textContent = text;
    }
  }

  function press() {
    for (const button of document.querySelectorAll("[data-times] button")) {
      button.setAttribute("aria-pressed", String(button.value === mode));
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-times] button");
    if (!button) return;
    mode = button.value;
    localStorage.setItem(KEY, mode);
    press();
    draw(document);
  });
  for (const control of document.querySelectorAll("[data-times]")) control.hidden = false;
  press();
  draw(document);
  /* Before anybody measures what was put in, and again for what else says that it has drawn. */
  for (const drawn of ["htmx:afterSwap", "htmx:afterSettle"]) document.addEventListener(drawn, () => draw(document));
  setInterval(() => { if (!document.hidden && mode === "relative") draw(document); }, 5000);
})();
