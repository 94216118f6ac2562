/* The log follows only while its reader is at the bottom; scrolling up stops it, scrolling down starts it again. */
"use strict";
(() => {
  const AT_BOTTOM = 24;
  const atBottom = (log) => log.scrollHeight - log.scrollTop - log.clientHeight < AT_BOTTOM;
  const following = new WeakMap();
  const label = (log) => document.querySelector(`[data-following="${log.id}"]`);

  function tell(log) {
    const element = label(log);
    if (element) element.textContent = following.get(log) ? "following" : "scrolled up, not following";
  }
  function start(log) {
    if (following.has(log)) return;
    if (!location.hash) log.scrollTop = log.scrollHeight;
    following.set(log, atBottom(log));
    log.addEventListener("scroll", () => { following.set(log, atBottom(log)); tell(log); }, { passive: true });
    tell(log);
  }
  const every = () => document.querySelectorAll("[data-log]");
  document.addEventListener("htmx:afterSettle", () => {
    for (const log of every()) {
      start(log);
      if (following.get(log)) log.scrollTop = log.scrollHeight;
    }
  });
  every().forEach(start);
})();
