/* Polling rests in hidden tabs and while the server wants to be left alone, and a page whose polling fails says since
   when its figures are old. */
"use strict";
(() => {
  const note = () => document.querySelector("[data-live-note]");
  const part = (event) => event.detail.requestConfig.path.split("?")[0];
  /* By address, for an answer that replaces its element is told of on another one. */
  const polled = new Set();
  const failing = new Set();
  const { reply, heard, tries, due } = window.lockstep;
  let lastGood = new Date();

  /* What has not answered by then counts as lost, so that a page beside a server that hangs does not look fresh. */
  const PATIENCE = 4000;
  document.addEventListener("htmx:configRequest", (event) => {
    if (!event.detail.elt.closest("[data-poll]")) return;
    event.detail.timeout = PATIENCE;
    const again = tries(event.detail.path.split("?")[0]);
    if (again) event.detail.headers["X-Retry-Attempt"] = String(again);
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!event.detail.elt.closest("[data-poll]")) return;
    polled.add(part(event));
    if (document.hidden || due(part(event)) > Date.now()) event.preventDefault();
  });
  const clock = (date) => date.toISOString().slice(11, 19);
  /* The line in the bar says how old the figures are, in words and not by colour alone. */
  function tellAge(failed) {
    const line = document.querySelector("[data-asof]");
    if (!line) return;
    const time = line.querySelector("time");
    const live = !failed && document.querySelector("[data-poll]") !== null;
    line.toggleAttribute("data-live", failed || live);
    line.querySelector("[data-asof-words]").textContent = failed ? "stale since" : "as of";
    line.querySelector("[data-asof-live]").textContent = live ? "· live" : "";
    time.dateTime = lastGood.toISOString();
    time.textContent = clock(lastGood);
    if (failed) tellWait();
  }
  /* How long the next attempt is away; gone once it is due. */
  function tellWait() {
    const words = document.querySelector("[data-asof-live]");
    if (!words || !failing.size) return;
    const left = Math.ceil((Math.min(...[...failing].map(due)) - Date.now()) / 1000);
    const asks = left > 0 && !document.documentElement.classList.contains("signed-out");
    const text = asks ? `· again in ${left} s` : "";
    if (words.textContent !== text) words.textContent = text;
  }
  setInterval(tellWait, 1000);

  /* Whoever was signed out is led to another address, whose page is no answer to a poll. */
  const ledAway = ({ detail }) => {
    const told = detail.xhr && detail.xhr.responseURL;
    return Boolean(told) && new URL(told).pathname !== part({ detail });
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (polled.has(part(event)) && ledAway(event)) event.detail.shouldSwap = false;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const place = part(event);
    if (!polled.has(place)) return;
    /* Several parts of a page may poll: it is fresh only while none of them fails. */
    const { successful, xhr, reply: told = reply(xhr ? xhr.status : 0, (name) => xhr && xhr.getResponseHeader(name)) } = event.detail;
    heard(place, told);
    if (successful && !ledAway(event)) failing.delete(place);
    else failing.add(place);
    const failed = failing.size > 0;
    document.documentElement.classList.toggle("stale", failed);
    if (!failed) lastGood = new Date();
    tellAge(failed);
    const trying = document.documentElement.classList.contains("signed-out") ? "" : "; still trying";
    const text = failed ? `Not updating since ${clock(lastGood)} UTC${trying}.` : "";
    if (note() && note().textContent !== text) note().textContent = text;
  });
  /* The rows above every page, the verdict in the bar and the count of open runs: each poll names them, and only when
     they are others than those shown are they asked for. */
  const sentences = (box) => [...box.querySelectorAll("p")].map((line) => line.textContent);
  async function freshen(told) {
    const box = document.getElementById("banners");
    if (!box || !told || box.dataset.told === told) return;
    box.dataset.told = told;
    try {
      const answer = await window.lockstep.ask(box.dataset.url, { redirect: "error", most: 0 });
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      put(box, page.getElementById("banners"));
      putChip(page.getElementById("chip"));
      for (const place of document.querySelectorAll("[data-open-runs]")) fill(place, page.querySelector("[data-open-runs]"));
    } catch {
      box.dataset.told = "";
    }
  }
  function fill(place, fresh) {
    const held = place.contains(document.activeElement);
    place.replaceChildren(...fresh.cloneNode(true).childNodes);
    if (held) (place.querySelector("a") || document.getElementById("main")).focus({ preventScroll: true });
  }
  /* The front page's polls draw the verdict themselves: they alone know what could not be read there. */
  function putChip(fresh) {
    const chip = document.getElementById("chip");
    if (!chip || chip.dataset.drawn === fresh.dataset.drawn || document.querySelector("[data-patch=parts]")) return;
    chip.dataset.drawn = fresh.dataset.drawn;
    fill(chip, fresh);
  }
  function put(box, fresh) {
    /* Said aloud when it is news, and not because a duration grew. */
    const known = new Set(sentences(box).map((line) => line.replace(/\d+/g, "")));
    const news = sentences(fresh).filter((line) => !known.has(line.replace(/\d+/g, "")));
    box.hidden = fresh.hidden;
    box.dataset.told = fresh.dataset.told;
    fill(box, fresh);
    const region = document.querySelector("[data-announcer]");
    if (region && news.length) region.textContent = news.join(" ");
  }
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    freshen(detail.banners || (detail.xhr && detail.xhr.getResponseHeader("X-Lockstep-Banners")));
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !window.htmx) return;
    for (const element of document.querySelectorAll("[data-poll]")) window.htmx.trigger(element, "wake");
  });

  /* The verdict is announced when the state changes, not at every poll. */
  const first = document.querySelector("[data-announce]");
  if (first) document.querySelector("[data-announcer]").dataset.state = first.dataset.announce;
  document.addEventListener("htmx:afterSettle", () => {
    const source = document.querySelector("[data-announce]");
    const region = document.querySelector("[data-announcer]");
    if (!source || !region || region.dataset.state === source.dataset.announce) return;
    if (region.dataset.state) region.textContent = source.textContent.trim();
    region.dataset.state = source.dataset.announce;
    if (source.dataset.title) document.title = source.dataset.title;
  });
})();
