/* The window of the matrix, asked for again: 304 leaves the page as it is; a new one keeps focus and scroll position. */
"use strict";
(() => {
  const EVERY = 5000;
  const PATIENCE = 4000;
  const box = () => document.getElementById("matrix");
  const cellAt = (element) => element && element.closest && element.closest("#matrix td, #matrix th");
  const say = (text) => { const region = document.querySelector("[data-announcer]"); if (region) region.textContent = text; };

  /* The sentence and the tabs around the window come with it; each is left as it is while it says the same. */
  const BESIDE = ["matrix-said", "matrix-modes"];
  function putBeside(page) {
    for (const id of BESIDE) {
      const [old, fresh] = [document.getElementById(id), page.getElementById(id)];
      if (!old || !fresh || old.isEqualNode(fresh)) continue;
      const held = old.contains(document.activeElement) ? document.activeElement.id : "";
      old.replaceChildren(...fresh.childNodes);
      const again = held && document.getElementById(held);
      if (again) again.focus({ preventScroll: true });
    }
  }
  function put(text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    const fresh = page.getElementById("matrix");
    if (!fresh) throw new Error("no window");
    const old = box();
    const kept = keep(old);
    old.replaceWith(fresh);
    document.dispatchEvent(new CustomEvent("lockstep:drawn"));
    restore(fresh, kept);
    putBeside(page);
    document.title = fresh.dataset.title;
    const heading = document.querySelector("[data-headline-here]");
    if (heading && heading.textContent !== fresh.dataset.headline) {
      heading.textContent = fresh.dataset.headline;
      say(fresh.dataset.headline);
    }
    document.dispatchEvent(new CustomEvent("htmx:afterSettle", { detail: {} }));
  }
  const rowName = (row) => { const code = row.querySelector("th code"); return code ? code.textContent : ""; };
  function keep(old) {
    const area = old.querySelector(".matrix");
    const cell = cellAt(document.activeElement);
    const top = area && area.getBoundingClientRect().top + (area.querySelector("thead") || area).offsetHeight;
    const first = area && [...area.querySelectorAll("tbody tr")].find((row) => row.getBoundingClientRect().bottom > top);
    return {
      left: area ? area.scrollLeft : 0,
      top: area ? area.scrollTop : 0,
      first: first ? [rowName(first), first.getBoundingClientRect().top] : null,
      focus: cell && cell.closest("tbody") ? [rowName(cell.parentElement), [...cell.parentElement.children].indexOf(cell)] : null,
    };
  }
  function restore(fresh, kept) {
    const area = fresh.querySelector(".matrix");
    if (!area) return;
    area.scrollTo(kept.left, kept.top);
    const rows = new Map([...area.querySelectorAll("tbody tr")].map((row) => [rowName(row), row]));
    const first = kept.first && kept.top > 0 && rows.get(kept.first[0]);
    if (first) area.scrollTop += first.getBoundingClientRect().top - kept.first[1];
    const row = kept.focus && rows.get(kept.focus[0]);
    const cell = row && row.children[kept.focus[1]];
    if (cell) document.dispatchEvent(new CustomEvent("lockstep:go", { detail: { cell } }));
  }
  /* poll.js says how fresh the page is, and rests in hidden tabs; it is told in htmx's words. */
  const { ask, replyOf, tries } = window.lockstep;
  const PLACE = "/matrix/window";
  function tell(name, successful, answer, reply) {
    const banners = answer && answer.headers.get("X-Lockstep-Banners");
    const detail = { elt: box(), successful, banners, reply, url: answer && answer.url, requestConfig: { path: PLACE } };
    return document.dispatchEvent(new CustomEvent(`htmx:${name}`, { cancelable: true, detail }));
  }
  let busy = false;
  async function poll() {
    if (busy || !box() || !tell("beforeRequest")) return;
    busy = true;
    let answer = null;
    try {
      const headers = { "If-None-Match": `"${box().dataset.etag}"`, ...(tries(PLACE) && { "X-Retry-Attempt": tries(PLACE) }) };
      answer = await ask(box().dataset.window, { headers, cache: "no-store", patience: PATIENCE, most: 0 });
      if (answer.redirected) throw new Error(answer.url);
      if (answer.status === 200) put(await answer.text());
      else if (answer.status !== 304) throw new Error(answer.status);
      tell("afterRequest", true, answer, await replyOf(answer));
    } catch {
      tell("afterRequest", false, answer, await replyOf(answer));
    } finally {
      busy = false;
    }
  }
  setInterval(poll, EVERY);
  document.addEventListener("wake", poll);
})();
