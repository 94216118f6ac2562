/* A poll changes only the parts that differ: focus, opened details and a selection in the others stay as they are. */
"use strict";
(() => {
  function selecting(slot) {
    const selection = document.getSelection();
    return selection && !selection.isCollapsed && slot.contains(selection.anchorNode);
  }
  function replace(slot, part) {
    const held = slot.contains(document.activeElement) ? document.activeElement.id : "";
    const unfolded = new Map([...slot.querySelectorAll("details[id]")].map((element) => [element.id, element.open]));
    slot.replaceChildren(...part.childNodes);
    for (const element of slot.querySelectorAll("details[id]")) {
      if (unfolded.has(element.id)) element.open = unfolded.get(element.id);
    }
    const again = held && document.getElementById(held);
    if (again) again.focus({ preventScroll: true });
  }
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful || !event.detail.elt.matches("[data-patch=parts]")) return;
    const answer = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
    let changed = false;
    for (const part of answer.querySelectorAll("[data-patch-into]")) {
      const slot = document.getElementById(part.dataset.patchInto);
      if (!slot || slot.dataset.drawn === part.dataset.drawn || selecting(slot)) continue;
      slot.dataset.drawn = part.dataset.drawn;
      replace(slot, part);
      changed = true;
    }
    if (changed) document.dispatchEvent(new CustomEvent("htmx:afterSettle", { detail: {} }));
  });
})();
