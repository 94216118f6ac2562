/* What may be tried again only later stays off and counts down to that moment. */
"use strict";
(() => {
  const waiting = () => document.querySelectorAll("[data-retry-after]");

  function start(control) {
    const until = Date.now() + Number(control.dataset.retryAfter) * 1000;
    const words = control.parentElement.querySelector("[data-countdown]");
    const tick = () => {
      const left = Math.ceil((until - Date.now()) / 1000);
      control.setAttribute("aria-disabled", String(left > 0));
      if (words) words.textContent = left > 0 ? `in ${left} s` : "";
      if (left > 0) setTimeout(tick, 1000);
    };
    control.removeAttribute("data-retry-after");
    tick();
  }
  const all = () => { for (const control of waiting()) start(control); };
  document.addEventListener("click", (event) => {
    if (event.target.closest("[aria-disabled=true]")) event.preventDefault();
  });
  document.addEventListener("htmx:afterSettle", all);
  all();
})();
