/* What the other scripts share: the page's data, its words, numbers written as the page writes them, and copying. */
"use strict";

const Report = (() => {
  const data = JSON.parse(document.getElementById("page-data").textContent);
  document.documentElement.classList.add("scripted");

  const word = (key) => data.words[key] ?? key;

  /** Write a number with so many decimals, in the language's marks; never a negative zero. */
  function fixed(value, decimals) {
    if (value === null || value === undefined || !Number.isFinite(value)) return "";
    const text = Math.abs(value).toFixed(decimals);
    const [whole, fraction] = text.split(".");
    const groups = whole.replace(/\B(?=(\d{3})+(?!\d))/g, data.marks.thousands);
    const sign = value < 0 && Number(text) !== 0 ? data.marks.minus : "";
    return sign + groups + (fraction ? data.marks.decimal + fraction : "");
  }

  /** Return how many decimals show so many significant digits of a number. */
  function decimalsFor(value, digits, most = 12) {
    if (!value || !Number.isFinite(value)) return Math.min(digits, most);
    const exponent = Number(Math.abs(value).toExponential(digits - 1).split("e")[1]);
    return Math.min(Math.max(digits - 1 - exponent, 0), most);
  }

  /** Write a p-value: three decimals, and less than 0.001 below that. */
  function pValue(value) {
    return value < 0.001 ? "<" + fixed(0.001, 3) : fixed(value, 3);
  }

  /** Read a number as the page writes it, or NaN: parentheses, brackets and per cent signs are left aside. */
  function read(text) {
    const { decimal, minus } = data.marks;
    let plain = text.trim().replace(/[()[\]<%]/g, "").replace(/[\s\u00a0\u202f]/g, "").replaceAll(minus, "-");
    plain = decimal === "," ? plain.replace(",", ".") : plain.replace(/,(?=\d{3}(\D|$))/g, "");
    return /^-?\d+(\.\d+)?(e-?\d+)?$/i.test(plain) ? Number(plain) : NaN;
  }

  /** Make an element with attributes and children; text never becomes markup. */
  function make(name, attributes = {}, ...children) {
    const element = name.startsWith("svg:")
      ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4))
      : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  /* A page opened from a file may be refused the clipboard: then the older way, and at last the text to copy by hand. */
  async function copy(text, host) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = make("textarea", { readonly: true, rows: 6, class: "copied", "aria-label": word("copy_failed") });
      area.value = text;
      host.append(area);
      area.select();
      const done = document.execCommand("copy");
      if (done) area.remove();
      return done;
    }
  }

  return { data, copy, word, fixed, decimalsFor, pValue, read, make };
})();
