/* Remarks open by the style sheet alone; this lets Escape close them and keeps them inside the window. */
"use strict";
(() => {
  const open = () => [...document.querySelectorAll(".pop:hover:not([data-shut]), .pop:focus-within:not([data-shut])")];
  const popOf = (event) => event.target instanceof Element && event.target.closest(".pop");

  function fit(event) {
    const pop = popOf(event);
    if (!pop) return;
    const body = pop.querySelector(".pop-body");
    if (body.getBoundingClientRect().right > document.documentElement.clientWidth - 8) pop.classList.add("end");
  }
  function forget(event) {
    const pop = popOf(event);
    if (pop && !pop.contains(event.relatedTarget)) pop.removeAttribute("data-shut");
  }
  document.addEventListener("pointerover", fit);
  document.addEventListener("focusin", fit);
  document.addEventListener("pointerout", forget);
  document.addEventListener("focusout", forget);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const pops = open();
    for (const pop of pops) pop.setAttribute("data-shut", "");
    if (pops.length) event.preventDefault();
  });
})();
