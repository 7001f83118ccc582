/* The trail of a number: every number becomes a button that opens it in a dialog, with its address and what is known of it.
   In each table Tab reaches one number, and the arrow keys move on from there. */
"use strict";

(() => {
  const { data, word, make } = Report;
  const { sections, numbers, texts } = data.trails;
  const shown = [...document.querySelectorAll("main td[id], main td[data-trail]")];
  if (!shown.length) return;

  const title = make("h2", { id: "trail-title", tabindex: "-1" });
  const body = make("div", { class: "trail" });
  const close = make("button", { type: "button", class: "tool" }, word("close"));
  const dialog = make("dialog", { id: "trail", "aria-labelledby": "trail-title" }, make("div", { class: "head" }, title, close), body);
  document.body.append(dialog);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });

  let opener = null;
  dialog.addEventListener("close", () => opener?.focus());

  /** Return the name of a cell's number: its id, or that of the first cell that shows the same number. */
  const idOf = (cell) => cell.id || document.querySelector(`td[id][data-trail="${cell.dataset.trail}"]`)?.id || "";

  function show(cell, from) {
    const [what, parts] = numbers[cell.dataset.trail] ?? [[], []];
    const id = idOf(cell);
    const address = decodeURIComponent(id);
    title.textContent = what.map((part) => texts[part]).join(" \u00b7 ") || cell.closest("section.one")?.querySelector("h3").textContent || address;
    const value = cell.dataset.value?.replace(".", data.marks.decimal).replace("-", data.marks.minus) ?? from.textContent;
    body.replaceChildren(
      make("p", { class: "value" }, value),
      make("p", { class: "address" }, make("code", {}, `refino-eval trace ${/[^\w:.,=/-]/.test(address) ? `"${address}"` : address}`)),
      id ? Report.links.copier(id, address, word("copy_link")) : "",
      ...parts.map((part) => section(...sections[part])),
    );
    const compared = document.getElementById(`published:${id}`);
    if (compared) {
      const link = make("a", { href: `#published:${id}` }, word("to_published"));
      // The dialog would give the focus back to the number.
      link.addEventListener("click", () => { opener = null; dialog.close(); });
      body.append(make("p", {}, link));
    }
    // The address of the page is now that of the number, so that it can be copied from there too.
    if (id) history.replaceState(null, "", `#${id}`);
    opener = from;
    dialog.showModal();
    title.focus();
    dialog.scrollTop = 0;
  }

  function section(heading, facts) {
    const list = make("dl", {});
    for (const [label, text, entry] of facts) {
      const content = texts[text];
      const linked = entry !== undefined && data.catalogue ? make("a", { href: `${data.catalogue}#${texts[entry]}` }, content) : content;
      list.append(make("dt", {}, texts[label]), make("dd", {}, linked));
    }
    return make("section", {}, make("h3", {}, texts[heading]), list);
  }

  function press(cell, first) {
    const button = make(
      "button",
      { type: "button", class: "number", tabindex: first ? "0" : "-1", "aria-haspopup": "dialog", title: word("open_trail") },
      ...cell.childNodes,
    );
    button.addEventListener("click", () => show(cell, button));
    cell.append(button);
  }

  /** Return the next number in the direction of an arrow key. */
  function neighbour(button, key) {
    const cell = button.closest("td");
    const row = cell.parentElement;
    if (key === "ArrowLeft" || key === "ArrowRight") {
      const all = [...row.querySelectorAll("button.number")];
      return all[all.indexOf(button) + (key === "ArrowRight" ? 1 : -1)];
    }
    const right = row.cells.length - cell.cellIndex;
    for (let other = row; ;) {
      other = key === "ArrowDown" ? other.nextElementSibling : other.previousElementSibling;
      if (!other) return undefined;
      // Counted from the right: a heading over two rows is in the upper one only.
      const number = other.cells[other.cells.length - right]?.querySelector("button.number");
      if (number) return number;
    }
  }

  for (const table of document.querySelectorAll("main table")) {
    const cells = [...table.querySelectorAll("td[id], td[data-trail]")];
    cells.forEach((cell, index) => press(cell, index === 0));
    table.addEventListener("keydown", (event) => {
      const button = event.target.closest("button.number");
      if (!button || !event.key.startsWith("Arrow")) return;
      const next = neighbour(button, event.key);
      if (!next) return;
      event.preventDefault();
      button.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    });
  }
})();
