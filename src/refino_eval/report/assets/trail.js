/* The trail of a number: every number that has one becomes a button that opens it in a dialog.
   In each table Tab reaches one number, and the arrow keys move on from there. */
"use strict";

(() => {
  const { data, word, make } = Report;
  const { sections, numbers } = data.trails;
  if (!numbers.length) return;

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

  function show(index, from) {
    const [what, address, value, parts] = numbers[index];
    title.textContent = what;
    const text = value.replace(".", data.marks.decimal).replace("-", data.marks.minus);
    body.replaceChildren(
      make("p", { class: "value" }, text),
      make("p", { class: "address" }, make("code", {}, `refino-eval trace ${address}`)),
      ...parts.map((part) => section(...sections[part])),
    );
    opener = from;
    dialog.showModal();
    title.focus();
    dialog.scrollTop = 0;
  }

  function section(heading, facts) {
    const list = make("dl", {});
    for (const [label, text] of facts) list.append(make("dt", {}, label), make("dd", {}, text));
    return make("section", {}, make("h3", {}, heading), list);
  }

  function press(cell, first) {
    const button = make(
      "button",
      { type: "button", class: "number", tabindex: first ? "0" : "-1", "aria-haspopup": "dialog", title: word("open_trail") },
      ...cell.childNodes,
    );
    button.addEventListener("click", () => show(Number(cell.dataset.trail), button));
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
    const cells = [...table.querySelectorAll("td[data-trail]")];
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
