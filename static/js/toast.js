/* Short answers in a corner: dispatch "lockstep:tell" with {text, tone}; what went wrong stays until it is dismissed. */
"use strict";
(() => {
  const LASTS = 8000;
  const region = document.querySelector("[data-toasts]");
  if (!region) return;

  function leave(toast) {
    if (toast.matches(":hover, :focus-within")) setTimeout(() => leave(toast), LASTS / 2);
    else toast.remove();
  }
  document.addEventListener("lockstep:tell", (event) => {
    const { text, tone = "ok" } = event.detail;
    const pattern = document.querySelector(`template[data-toast="${tone}"]`) || document.querySelector("template[data-toast]");
    const toast = pattern.content.firstElementChild.cloneNode(true);
    toast.querySelector("p").textContent = text;
    region.append(toast);
    if (tone !== "bad") setTimeout(() => leave(toast), LASTS);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".toast > button");
    if (button) button.parentElement.remove();
  });
})();
