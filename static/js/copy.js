/* Copy buttons: shown only where the clipboard works, and they answer in words. */
"use strict";
(() => {
  if (!navigator.clipboard) return;
  const show = () => { for (const b of document.querySelectorAll("[data-copy][hidden]")) b.hidden = false; };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const word = button.querySelector("span");
    const before = word.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      word.textContent = "Copied";
    } catch {
      word.textContent = "Not copied";
    }
    const region = document.querySelector("[data-announcer]");
    if (region) region.textContent = word.textContent;
    setTimeout(() => { word.textContent = before; }, 2000);
  });
  document.addEventListener("htmx:afterSettle", show);
  show();
})();
