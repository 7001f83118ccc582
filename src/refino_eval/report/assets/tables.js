/* Tables: sorted by a column from its heading, and copied with their full numbers for a spreadsheet. */
"use strict";

(() => {
  const { word, read, make, data, copy } = Report;

  /** Return the cells of a row by the column in which each begins. */
  function byColumn(row) {
    const cells = new Map();
    let column = 0;
    for (const cell of row.cells) {
      cells.set(column, cell);
      column += cell.colSpan;
    }
    return cells;
  }

  /** Return what a cell sorts by: its full number, else the number or the text that it shows. */
  function valueOf(cell) {
    if (!cell) return "";
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    const number = read(cell.textContent);
    return Number.isNaN(number) ? cell.textContent.trim() : number;
  }

  /* Rows that move together: a row with those beneath it. Headings of blocks and rows below the rule stay where they are. */
  function segmentsOf(body) {
    const segments = [[]];
    for (const row of body.rows) {
      if (row.matches(".block, .foot, .total, .out")) segments.push([]);
      else if (row.matches(".beneath") && segments.at(-1).length) segments.at(-1).at(-1).push(row);
      else segments.at(-1).push([row]);
    }
    return segments.filter((units) => units.length > 1);
  }

  function compare(a, b) {
    const numbers = typeof a === "number" && typeof b === "number";
    if (numbers) return a - b;
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return a.localeCompare(b, data.language);
  }

  function sortable(table) {
    const body = table.tBodies[0];
    const head = table.tHead?.rows[table.tHead.rows.length - 1];
    // Rows in different units have no order by number.
    if (!body || !head || table.matches(".units")) return;
    const segments = segmentsOf(body).map((units) => ({ units, before: units[0][0].previousElementSibling }));
    if (!segments.some(({ units }) => units.length > 2)) return;
    for (const [column, cell] of byColumn(head)) {
      const text = cell.textContent.trim();
      if (cell.tagName !== "TH" || !text || cell.colSpan > 1) continue;
      const button = make("button", { type: "button", class: "sort", title: `${word("sort")} ${text}` }, ...cell.childNodes);
      cell.append(button);
      cell.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" }[cell.getAttribute("aria-sort")];
        for (const other of head.querySelectorAll("[aria-sort]")) other.setAttribute("aria-sort", "none");
        cell.setAttribute("aria-sort", next);
        for (const { units, before } of segments) {
          const order = [...units];
          const sign = next === "descending" ? -1 : 1;
          if (next !== "none") order.sort((a, b) => sign * compare(valueOf(byColumn(a[0]).get(column)), valueOf(byColumn(b[0]).get(column))));
          const rows = order.flat();
          if (before) before.after(...rows);
          else body.prepend(...rows);
        }
      });
    }
  }

  /** Return a table as tab-separated lines; full numbers where the page rounds, in the language's decimal mark. */
  function asText(table) {
    const covered = [];
    return [...table.rows].map((row) => {
      const line = [];
      const cells = [...row.cells];
      for (let column = 0; cells.length || (covered[column] ?? 0) > 0; column += 1) {
        if ((covered[column] ?? 0) > 0) {
          covered[column] -= 1;
          line.push("");
          continue;
        }
        const cell = cells.shift();
        const value = cell.dataset.value;
        line.push(value === undefined ? cell.textContent.trim().replace(/\s+/g, " ") : value.replace(".", data.marks.decimal));
        covered[column] = cell.rowSpan - 1;
        for (let extra = 1; extra < cell.colSpan; extra += 1) {
          column += 1;
          line.push("");
        }
      }
      return line.join("\t");
    }).join("\n");
  }

  function copyable(frame, tables) {
    const status = make("span", { role: "status" });
    const button = make("button", { type: "button", class: "tool copy" }, word("copy"));
    const bar = make("div", { class: "tools" }, button, status);
    frame.before(bar);
    button.addEventListener("click", async () => {
      bar.querySelector("textarea")?.remove();
      const done = await copy(tables.map(asText).join("\n\n"), bar);
      status.textContent = done ? word("copied") : word("copy_failed");
      if (done) setTimeout(() => (status.textContent = ""), 2500);
      if (done) button.focus();
    });
  }

  /* What is wider than its frame says so: not every browser shows a scroll bar, and a cut table looks whole. */
  const watch = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const frame = target.closest(".scroll");
      // A frame of one pixel is a figure that readers of a screen do not see.
      const wide = frame.clientWidth > 1 && frame.scrollWidth > frame.clientWidth + 1;
      const hint = frame.previousElementSibling?.matches(".hint") ? frame.previousElementSibling : null;
      if (wide && !hint) frame.before(make("p", { class: "hint" }, `\u2194 ${word("wide")}`));
      if (!wide) hint?.remove();
    }
  });
  for (const frame of document.querySelectorAll(".scroll")) {
    watch.observe(frame);
    if (frame.firstElementChild) watch.observe(frame.firstElementChild);
  }

  for (const table of document.querySelectorAll("main table:not(.forest)")) {
    sortable(table);
    if (table.closest(".scroll")) copyable(table.closest(".scroll"), [table]);
  }
  Report.asText = asText;
})();
