/* The stopwatch of a drill. The server's clock decides; a press that cannot be saved is kept here and sent later with
   how long it was held back. Without this script the same buttons are ordinary forms. */
"use strict";
(() => {
  const watch = document.querySelector("[data-stopwatch]");
  if (!watch) return;
  const KEY = `lockstep-laps-${watch.dataset.stopwatch}`;
  const [AGAIN, FOLLOW, PATIENCE, PROMPT, TWICE] = [3000, 3000, 10000, 2000, 600];
  const opened = performance.now();
  const { ask, replyOf, heard, tries, due } = window.lockstep;
  const notice = watch.querySelector("[data-unsaved]");
  let sending = false;
  let pressed = -Infinity;
  let leaving = false;
  let resting = false;

  function read() {
    try { return JSON.parse(localStorage.getItem(KEY)) || []; } catch { return []; }
  }
  function keep(presses) {
    try {
      if (presses.length) localStorage.setItem(KEY, JSON.stringify(presses));
      else localStorage.removeItem(KEY);
    } catch { /* A browser that keeps nothing: the press is held in this page alone. */ }
    return presses;
  }
  let presses = read();

  function face(milliseconds) {
    const seconds = Math.max(Math.floor(milliseconds / 1000), 0);
    const two = (number) => String(number).padStart(2, "0");
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  }
  function tick() {
    for (const clock of watch.querySelectorAll("[data-elapsed]")) {
      const text = face(Number(clock.dataset.elapsed) + performance.now() - opened);
      if (clock.textContent !== text) clock.textContent = text;
    }
  }
  function say(text) {
    const region = document.querySelector("[data-announcer]");
    if (region) region.textContent = text;
  }
  function drawUnsaved(why = "") {
    const times = presses.map((press) => new Date(press.at).toLocaleTimeString()).join(", ");
    const one = presses.length === 1;
    const words = `${one ? "The press" : `${presses.length} presses`} of ${times} by this browser's clock ${one ? "is" : "are"} kept here and sent again every 3 s. ${why}`;
    notice.hidden = !presses.length;
    const place = notice.querySelector("[data-unsaved-words]");
    if (presses.length && place.textContent !== words) place.textContent = words;
  }
  function anew() {
    leaving = true;
    location.reload();
  }
  function refuse(sentence) {
    presses = keep([]);
    pressed = -Infinity;
    drawUnsaved();
    document.dispatchEvent(new CustomEvent("lockstep:tell", { detail: { text: sentence, tone: "bad" } }));
    say(sentence);
  }

  /* What was refused is told and forgotten; anything else that is no answer of the stopwatch keeps the press. */
  async function send(press) {
    const late = Date.now() - press.at;
    const held = press.tries || press.behind || late > PROMPT;
    const body = new URLSearchParams({ ...press.fields, held_ms: String(held ? Math.max(late, 0) : 0) });
    press.tries = (press.tries || 0) + 1;
    keep(presses);
    /* The server takes each lap once, so that a press may be sent again. */
    const again = press.tries > 1 && { "X-Retry-Attempt": press.tries - 1 };
    const answer = await ask(press.url, {
      method: "POST", body, redirect: "manual", patience: PATIENCE,
      headers: { "X-Requested-With": "fetch", "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value, ...again },
    });
    heard(press.url, await replyOf(answer));
    const json = (answer.headers.get("Content-Type") || "").startsWith("application/json");
    /* Asking again changes no refusal, and each is kept in the audit log; a signed-out reader is led elsewhere. */
    resting = !json && answer.status >= 400 && answer.status < 500;
    if (!json) throw new Error(resting ? "Lockstep did not take it: reload the page, or ask who may." : answer.type === "opaqueredirect" ? "You may have to sign in again." : "Lockstep did not answer.");
    return answer.json();
  }
  async function flush() {
    if (sending || leaving || resting || !presses.length || due(presses[0].url) > Date.now()) return;
    sending = true;
    try {
      while (presses.length) {
        const told = await send(presses[0]);
        if (told.refused) { refuse(told.refused); return; }
        presses = keep(presses.slice(1));
      }
      anew();
    } catch (problem) {
      drawUnsaved(problem instanceof TypeError || problem.name === "TimeoutError" ? "Lockstep cannot be reached." : problem.message);
      if (presses[0] && presses[0].tries === 1) say("Unsaved: the press is kept in this browser.");
    } finally {
      sending = false;
    }
  }

  watch.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    /* A second press is a second lap only where the first is known to be unsaved, and never within the same moment. */
    if (leaving || (sending && notice.hidden) || performance.now() - pressed < TWICE) return;
    pressed = performance.now();
    const fields = Object.fromEntries(new FormData(form));
    delete fields.csrfmiddlewaretoken;
    fields.lap = String(Number(watch.dataset.lap) + presses.length);
    presses = keep([...presses, { at: Date.now(), url: form.action, fields, behind: presses.length > 0 }]);
    say("Pressed.");
    flush();
  });
  watch.querySelector("[data-retry]").addEventListener("click", () => {
    resting = false;
    const left = presses.length ? Math.ceil((due(presses[0].url) - Date.now()) / 1000) : 0;
    if (left > 0) drawUnsaved(`Lockstep asks to wait another ${left} s.`);
    else flush();
  });
  window.addEventListener("online", flush);
  setInterval(flush, AGAIN);
  setInterval(tick, 200);

  /* A second stopwatch follows the first, unless somebody is writing in it. */
  const busy = () => presses.length || [...document.querySelectorAll("main input:not([type=hidden]), main textarea")].some((field) => field.value !== field.defaultValue);
  setInterval(async () => {
    const place = watch.dataset.state;
    if (document.hidden || leaving || sending || busy() || due(place) > Date.now() || !["ready", "running"].includes(watch.dataset.status)) return;
    try {
      const again = tries(place) && { "X-Retry-Attempt": tries(place) };
      const answer = await ask(place, { headers: { Accept: "application/json", ...again }, patience: PATIENCE, most: 0 });
      heard(place, await replyOf(answer));
      const told = await answer.json();
      if (!sending && !busy() && (String(told.lap) !== watch.dataset.lap || told.status !== watch.dataset.status)) anew();
    } catch { /* The next look may be answered; an unsaved press has a notice of its own. */ }
  }, FOLLOW);

  const told = document.querySelector("main .notice p");
  if (told && !told.closest("[data-unsaved]")) setTimeout(() => say(told.textContent), 300);
  if (presses.length) { drawUnsaved(); flush(); }
  tick();
})();
