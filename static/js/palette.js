/* Ctrl-K: pages and commands of this page, and what the server finds, in one list that the arrow keys walk. */
"use strict";
(() => {
  const PAUSE = 120;
  const MOST_OWN = 6;
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const ask = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  const told = dialog.querySelector("[data-palette-told]");
  let options = [];
  let here = -1;
  let walked = false; /* by the arrow keys */
  let later = 0;
  let asking = null;

  /* What this page itself offers: its navigation, and every control that names itself as a command. */
  function own(query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const pages = [...document.querySelectorAll(".frame > .nav a")].map((link) => ({
      name: `Go to ${link.firstChild.textContent.trim()}`,
      kind: link.dataset.go ? `page · g ${link.dataset.go}` : "page",
      url: link.href,
    }));
    const commands = [...document.querySelectorAll("[data-command]")].filter((control) => !control.closest("[hidden]"))
      .map((control) => ({ name: control.dataset.command, kind: "command", press: () => control.click() }));
    const fitting = [...pages, ...commands].filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
    return query ? fitting.slice(0, MOST_OWN) : fitting;
  }
  function marked(name, query) {
    const at = query ? name.toLowerCase().indexOf(query.toLowerCase()) : -1;
    if (at < 0) return [name];
    const mark = document.createElement("mark");
    mark.textContent = name.slice(at, at + query.length);
    return [name.slice(0, at), mark, name.slice(at + query.length)];
  }
  /* What was walked to stays chosen when more is found. */
  function draw(found, query) {
    const held = walked ? options[here] : null;
    options = found;
    list.replaceChildren(...options.map(({ name, kind }, index) => {
      const row = document.createElement("li");
      row.id = `palette-${index}`;
      row.setAttribute("role", "option");
      const title = document.createElement("span");
      title.append(...marked(name, query));
      const what = document.createElement("span");
      what.className = "kind";
      what.textContent = kind;
      row.append(title, what);
      return row;
    }));
    ask.setAttribute("aria-expanded", String(options.length > 0));
    const again = held ? options.findIndex(({ name, url }) => name === held.name && url === held.url) : 0;
    choose(options.length ? Math.max(again, 0) : -1);
  }
  function choose(index) {
    here = index;
    [...list.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === index)));
    if (index < 0) { ask.removeAttribute("aria-activedescendant"); return; }
    ask.setAttribute("aria-activedescendant", list.children[index].id);
    list.children[index].scrollIntoView({ block: "nearest" });
  }
  function take(option) {
    dialog.close();
    if (option.url) location.assign(option.url);
    else option.press();
  }

  async function find(query) {
    asking = new AbortController();
    try {
      const url = `${dialog.dataset.palette}?q=${encodeURIComponent(query)}`;
      const answer = await window.lockstep.ask(url, { most: 0, signal: asking.signal, headers: { Accept: "application/json" } });
      if (answer.redirected) throw new Error("signed out");
      const { hits } = await answer.json();
      const places = hits.map(({ name, kind, service, url: to }) => ({
        name: kind === "run" ? `Run ${name}` : name,
        kind: service && service !== name ? `${kind} · ${service}` : kind,
        url: to,
      }));
      draw([...places, ...own(query)], query);
      told.textContent = options.length ? `${options.length} found` : "Nothing has this in its name.";
    } catch (problem) {
      if (problem.name !== "AbortError") told.textContent = "Not answered; Enter asks on the search page.";
    }
  }
  function typed() {
    const query = ask.value.trim();
    clearTimeout(later);
    if (asking) asking.abort();
    told.textContent = "";
    walked = false;
    draw(own(query), query);
    if (query) later = setTimeout(() => find(query), PAUSE);
  }
  function open() {
    if (dialog.open) return;
    const opener = document.activeElement;
    for (const other of document.querySelectorAll("dialog[data-light][open]")) other.close();
    dialog.show();
    ask.value = "";
    typed();
    ask.focus();
    dialog.addEventListener("close", () => { if (opener && opener.isConnected) opener.focus({ preventScroll: true }); }, { once: true });
  }

  const KEYS = {
    ArrowDown: () => choose((here + 1) % options.length),
    ArrowUp: () => choose((here - 1 + options.length) % options.length),
    PageDown: () => choose(Math.min(here + 8, options.length - 1)),
    PageUp: () => choose(Math.max(here - 8, 0)),
  };
  ask.addEventListener("input", typed);
  ask.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      if (options[here]) take(options[here]);
      else location.assign(`${dialog.dataset.palettePage}?q=${encodeURIComponent(ask.value.trim())}`);
    } else if (KEYS[event.key] && options.length) {
      event.preventDefault();
      walked = true;
      KEYS[event.key]();
    }
  });
  list.addEventListener("click", (event) => {
    const row = event.target.closest("[role=option]");
    if (row) take(options[[...list.children].indexOf(row)]);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest("[data-palette-open]") || event.button) return;
    event.preventDefault();
    open();
  });
})();
