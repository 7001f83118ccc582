/* Search within the page: chapters, exhibits, outcomes, definitions, explanations and published numbers, numbers by name, and on
   other pages whatever names its kind (data-find). The results take the place of the contents while something is searched for. */
"use strict";

(() => {
  const { word, make, fixed } = Report;
  const nav = document.getElementById("contents") ?? document.getElementById("finder");
  const MOST = 40;

  /** Return a text as it is compared: small letters, without accents, with single spaces. */
  const folded = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").replace(/\s+/g, " ").trim();

  const textOf = (element) => (element.querySelector(":scope > button.sort") ?? element).textContent.trim();

  let entries = null;
  /** List what can be found, once, when the first letter is typed; a part of the page without an id gets one. */
  function gather() {
    const found = [];
    const add = (kind, text, target, within = "", more = "") => {
      if (!text || !target) return;
      if (!target.id) target.id = `found-${found.length}`;
      found.push({ kind, text, within, id: target.id, plain: folded(text), all: folded(`${text} ${within} ${more}`) });
    };
    for (const link of nav.querySelectorAll("ol a[href^='#']")) {
      const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
      if (target && !target.hidden && !target.dataset.find) add(target.matches(".chapter") ? "chapter" : "exhibit", link.textContent, target);
    }
    for (const head of document.querySelectorAll("#definitions tbody th[scope='row']")) {
      const table = head.closest("table");
      add("definition", textOf(head), head, table.caption?.textContent ?? "", head.parentElement.textContent);
    }
    for (const part of document.querySelectorAll("details.explained")) add("explanation", part.firstElementChild.textContent, part, "", part.textContent);
    for (const exhibit of document.querySelectorAll("section.one")) {
      const title = exhibit.querySelector("h3").firstChild.textContent.trim();
      const heads = new Set();
      for (const head of exhibit.querySelectorAll("thead th, tbody th[scope='row']")) {
        const text = textOf(head);
        if (text.length < 3 || heads.has(text)) continue;
        heads.add(text);
        add("within", text, head, title);
      }
      for (const panel of exhibit.querySelectorAll(".panel > .name > strong")) add("within", panel.textContent, panel, title);
    }
    for (const block of document.querySelectorAll("details.compared")) add("published", block.querySelector("summary strong").textContent, block);
    for (const part of document.querySelectorAll("[data-find]")) {
      const head = (part.matches("tr") && part.querySelector("a")) || part.querySelector("h2, h3, h4, th") || part;
      const whole = part.dataset.find === "document" ? "" : part.textContent;
      add(part.dataset.find, head.textContent.trim(), part, part.dataset.within ?? "", whole);
    }
    return found;
  }

  const ORDER = ["chapter", "study", "document", "exhibit", "definition", "explanation", "within", "published", "finding"];

  /** Return what fits all words of a question, the closest first: the whole text, its beginning, a word of it, the rest. */
  function search(question) {
    const whole = folded(question);
    const words = whole.split(" ");
    const rank = (entry) => {
      if (entry.plain === whole) return 0;
      if (entry.plain.startsWith(whole)) return 1;
      return words.every((part) => entry.plain.includes(part)) ? 2 : 3;
    };
    return entries.filter((entry) => words.every((part) => entry.all.includes(part)))
      .map((entry) => ({ entry, by: rank(entry) * ORDER.length + ORDER.indexOf(entry.kind) }))
      .sort((a, b) => a.by - b.by).map(({ entry }) => entry);
  }

  /** Return the number that a question names as the command line does, or as a pasted address of the page. */
  function number(question) {
    const name = question.trim().replace(/^.*#/, "").replace(/^refino-eval trace\s+/, "").replace(/^"|"$/g, "");
    const cell = name.includes(":") ? Report.links.named(`#${name}`) : null;
    return cell ? [{ kind: "number", text: name, within: cell.closest("section.one")?.querySelector("h3").firstChild.textContent ?? "", id: cell.id || name }] : [];
  }

  const box = make("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false", "aria-controls": "found", "aria-keyshortcuts": "/" });
  const status = make("p", { role: "status", class: "count" });
  const list = make("ol", { id: "found", class: "found" });
  const area = make("div", { role: "search", "aria-label": word("search") },
    make("label", { for: "search" }, word("search"), " ", make("kbd", { "aria-hidden": "true" }, "/")), box, status, list);
  nav.prepend(area);

  function show() {
    const question = box.value.trim();
    entries ??= gather();
    const results = question.length > 1 ? [...number(question), ...search(question)] : [];
    nav.classList.toggle("searching", question.length > 1);
    status.textContent = question.length > 1
      ? (results.length ? word("results") : word("no_results")).replace("{n}", fixed(results.length, 0)) : "";
    list.replaceChildren(...results.slice(0, MOST).map(({ kind, text, within, id }) => make("li", {},
      make("a", { href: `#${id}` }, text, make("span", { class: "kind" }, [word(`kind_${kind}`), within].filter(Boolean).join(": "))))));
    if (results.length > MOST) list.append(make("li", { class: "kind" }, word("more_results").replace("{n}", fixed(results.length - MOST, 0))));
  }

  let from = null;
  box.addEventListener("focus", (event) => { from = event.relatedTarget ?? from; });
  box.addEventListener("input", show);
  area.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      (at + step < 0 ? box : links[Math.min(at + step, links.length - 1)])?.focus();
    } else if (event.key === "Enter" && at < 0 && links.length) {
      event.preventDefault();
      links[0].click();
    } else if (event.key === "Escape" && (box.value || at >= 0)) {
      // The first Escape ends the search; the next one goes back to where the reader was.
      event.stopPropagation();
      box.value = "";
      show();
      box.focus();
    } else if (event.key === "Escape" && from?.isConnected) {
      event.stopPropagation();
      Report.showContents?.(false);
      from.focus();
    }
  });
  list.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    const target = Report.links.named(link.hash);
    history.pushState(null, "", link.hash);
    Report.links.reveal(target, { focus: true });
    if (!target.contains(document.activeElement)) {
      if (target.tabIndex < 0) target.setAttribute("tabindex", "-1");
      target.focus({ preventScroll: true });
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.("input, select, textarea")) return;
    event.preventDefault();
    from = document.activeElement;
    Report.showContents?.(true);
    box.focus();
    box.select();
  });
})();
