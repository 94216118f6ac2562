/* A list that stays still: a poll changes cells of the rows that are there, and newer rows wait behind a pill. */
"use strict";
(() => {
  const picks = () => [...document.querySelectorAll("[data-pick]")];

  /* What was last put into an element; the same again is not drawn again. */
  const drawn = new WeakMap();
  function draw(old, fresh) {
    if (drawn.has(old) && drawn.get(old).isEqualNode(fresh)) return;
    drawn.set(old, fresh.cloneNode(true));
    old.replaceChildren(...fresh.childNodes);
  }
  /* A cell is left alone while the focus is in it, and so is the box that selects its row. */
  function patchRow(fresh) {
    const row = document.getElementById(fresh.id);
    if (!row) return;
    row.toggleAttribute("data-problem", fresh.hasAttribute("data-problem"));
    for (const cell of fresh.querySelectorAll("[data-label]")) {
      const old = row.querySelector(`[data-label="${cell.dataset.label}"]`);
      if (old && !old.contains(document.activeElement)) draw(old, cell);
    }
    if (!fresh.querySelector("[data-pick]")) for (const box of row.querySelectorAll(".box")) box.remove();
  }
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful || !event.detail.elt.matches("[data-patch=rows]")) return;
    const answer = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
    for (const row of answer.querySelectorAll("[data-patch-rows] > tr")) patchRow(row);
    for (const part of answer.querySelectorAll("[data-patch-into]")) {
      const slot = document.getElementById(part.dataset.patchInto);
      if (slot) draw(slot, part);
    }
    tell();
    document.dispatchEvent(new CustomEvent("htmx:afterSettle", { detail: {} }));
  });

  function tell() {
    const words = document.querySelector("[data-picked]");
    const count = picks().filter((box) => box.checked).length;
    const text = count ? `${count} selected.` : "Tick queued runs to cancel them together.";
    if (words && words.textContent !== text) words.textContent = text;
  }
  document.addEventListener("change", (event) => { if (event.target.matches("[data-pick]")) tell(); });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-pick-row]")) return;
    const row = document.activeElement.closest("tr") || document.querySelector("tr[data-here]");
    const box = row && row.querySelector("[data-pick]");
    if (box) { box.checked = !box.checked; tell(); }
  });
  window.addEventListener("pageshow", tell);
})();
