/* Opens dialogs and drawers from ordinary links; without it the same links lead to the same content as a page. */
"use strict";
(() => {
  const FIELD = "[autofocus], form input:not([type=hidden]), form textarea, form select";
  const openers = new WeakMap();

  function show(dialog, opener) {
    if (dialog.open) return;
    openers.set(dialog, opener);
    if (dialog.matches("[data-light]")) dialog.show();
    else dialog.showModal();
    toField(dialog);
  }
  function toField(dialog) {
    const field = dialog.querySelector(FIELD);
    if (field) field.focus();
  }
  function back(dialog) {
    const opener = openers.get(dialog);
    const there = opener && opener.isConnected ? opener : document.getElementById("main");
    if (there) there.focus({ preventScroll: true });
  }

  function element(name, classes, text) {
    const made = document.createElement(name);
    made.className = classes;
    if (text) made.textContent = text;
    return made;
  }
  /* A dialog for a page of its own: its heading, its content, and the way to the page itself. */
  function blank(link) {
    const dialog = element("dialog", link.dataset.open === "drawer" ? "sheet drawer" : "sheet wide");
    const header = element("header", "");
    const title = element("h2", "", link.textContent.trim());
    const page = element("a", "button slim", "Open as a page");
    const close = element("button", "button slim", "Close");
    title.id = "taken-title";
    dialog.setAttribute("aria-labelledby", title.id);
    page.href = link.href;
    close.type = "button";
    close.toggleAttribute("data-close", true);
    const body = element("div", "taken");
    const bones = element("div", "skeleton");
    bones.append(...[1, 2, 3, 4].map(() => element("i", "")));
    body.append(bones);
    body.setAttribute("aria-busy", "true");
    const buttons = element("div", "buttons");
    buttons.append(page, close);
    header.append(title, buttons);
    dialog.append(header, body);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    return { dialog, title, body };
  }
  async function take(link) {
    const { dialog, title, body } = blank(link);
    show(dialog, link);
    const first = document.activeElement;
    try {
      const answer = await window.lockstep.ask(link.href, { most: 0, headers: { "X-Requested-With": "fetch" } });
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const part = page.querySelector("[data-part]") || page.querySelector("main");
      const heading = page.querySelector("h1");
      if (heading) { title.textContent = heading.textContent.trim(); heading.remove(); }
      for (const gone of part.querySelectorAll("script, .crumb, [role=status]:empty")) gone.remove();
      body.replaceChildren(...part.childNodes);
      body.removeAttribute("aria-busy");
      /* Whoever has moved on while it was loading stays there. */
      if (document.activeElement === first) toField(dialog);
      if (window.htmx) window.htmx.process(body);
      document.dispatchEvent(new CustomEvent("htmx:afterSettle", { detail: {} }));
    } catch {
      location.assign(link.href);
    }
  }

  document.addEventListener("click", (event) => {
    const closer = event.target.closest("dialog[open] [data-close]");
    if (closer) { event.preventDefault(); closer.closest("dialog").close(); return; }
    if (event.target.matches("dialog[open]") && outside(event)) { event.target.close(); return; }
    const link = event.target.closest("a[data-open]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const place = link.getAttribute("href");
    if (!place.startsWith("#")) { event.preventDefault(); take(link); return; }
    const dialog = document.getElementById(place.slice(1));
    if (dialog) { event.preventDefault(); show(dialog, cameFrom(event, link)); }
  });
  /* A key that presses the link has its focus elsewhere, or nowhere, and that is where it goes back to. */
  const cameFrom = (event, link) => (event.isTrusted ? link : document.activeElement);
  function outside(event) {
    const box = event.target.getBoundingClientRect();
    return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
  }
  /* What changes nothing lies over the page without making it inert, which would style thousands of cells anew. It keeps
     the focus, and what is pressed outside of it closes it and does no more. */
  const light = () => document.querySelector("dialog[data-light][open]");
  document.addEventListener("keydown", (event) => {
    const dialog = event.key === "Escape" && light();
    if (dialog) { event.preventDefault(); dialog.close(); }
  });
  document.addEventListener("focusin", (event) => {
    const dialog = light();
    if (dialog && !dialog.contains(event.target)) dialog.querySelector("input, a").focus();
  });
  document.addEventListener("click", (event) => {
    const dialog = light();
    if (!dialog || dialog.contains(event.target)) return;
    event.preventDefault();
    event.stopPropagation();
    dialog.close();
  }, true);
  document.addEventListener("close", (event) => { if (event.target.matches("dialog")) back(event.target); }, true);

  const named = location.hash && document.getElementById(location.hash.slice(1));
  if (named && named.matches("dialog")) show(named, null);
})();
