/* Figures over event time, drawn from the page's numbers: values on hover, by touch and by the arrow keys.
   The released figure stays beneath, for print and for readers without scripts. */
"use strict";

(() => {
  const { data, word, make, fixed, decimalsFor } = Report;
  const WIDTH = 420, HEIGHT = 250, LEFT = 52, RIGHT = 12, TOP = 14, BOTTOM = 34;

  const svg = (name, attributes, ...children) => make(`svg:${name}`, attributes, ...children);

  /** Return round values that span a range in some four steps. */
  function ticks(low, high) {
    const rough = (high - low) / 4 || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((k) => k * power).find((k) => k >= rough * 0.999);
    const values = [];
    for (let k = Math.ceil(low / step - 1e-9); k <= high / step + 1e-9; k += 1) values.push(k * step);
    return { values, decimals: Math.max(0, Math.ceil(-Math.log10(step) - 1e-9) + (step / power === 2.5 ? 1 : 0)) };
  }

  function path(series, values, x, y) {
    let text = "";
    series.x.forEach((time, k) => {
      if (values[k] !== null) text += `${text ? "L" : "M"}${x(time).toFixed(1)},${y(values[k]).toFixed(1)}`;
    });
    return text;
  }

  function area(series, low, high, x, y) {
    const points = series.x.map((time, k) => [time, low[k], high[k]]).filter(([, a, b]) => a !== null && b !== null);
    const upper = points.map(([time, , b]) => `${x(time).toFixed(1)},${y(b).toFixed(1)}`);
    const lower = points.map(([time, a]) => `${x(time).toFixed(1)},${y(a).toFixed(1)}`).reverse();
    return points.length > 1 ? `M${[...upper, ...lower].join("L")}Z` : "";
  }

  function drawSeries(series, x, y, many) {
    const group = svg("g", { class: `series ${series.form}` });
    if (series.bandLow) group.append(svg("path", { class: "band", d: area(series, series.bandLow, series.bandHigh, x, y) }));
    if (series.form !== "effect" || many) {
      if (series.low) group.append(svg("path", { class: "area", d: area(series, series.low, series.high, x, y) }));
      group.append(svg("path", { class: "line", d: path(series, series.y, x, y) }));
      return group;
    }
    series.x.forEach((time, k) => {
      if (series.low?.[k] !== undefined && series.low[k] !== null) {
        group.append(svg("line", { class: "whisker", x1: x(time), x2: x(time), y1: y(series.low[k]), y2: y(series.high[k]) }));
      }
      // Points before random assignment are hollow: there can be no effect yet.
      group.append(svg("circle", { class: time < 0 ? "dot before" : "dot", cx: x(time), cy: y(series.y[k]), r: 2.6 }));
    });
    return group;
  }

  function axes(times, [low, high], x, y, label) {
    const group = svg("g", { class: "axes" });
    const vertical = ticks(low, high);
    for (const value of vertical.values) {
      group.append(
        svg("line", { class: Math.abs(value) < 1e-12 ? "zero" : "rule", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
        svg("text", { class: "left", x: LEFT - 6, y: y(value) + 4 }, fixed(value, vertical.decimals)),
      );
    }
    const span = times.at(-1) - times[0];
    const step = [1, 2, 3, 6, 12, 24, 26, 52, 104].find((k) => span / k <= 8) ?? 208;
    for (let time = Math.ceil(times[0] / step) * step; time <= times.at(-1); time += step) {
      group.append(
        svg("line", { class: "tick", x1: x(time), x2: x(time), y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM + 4 }),
        svg("text", { x: x(time), y: HEIGHT - BOTTOM + 16 }, fixed(time, 0)),
      );
    }
    if (times[0] < 0) group.append(svg("line", { class: "draw", x1: x(0), x2: x(0), y1: TOP, y2: HEIGHT - BOTTOM }));
    group.append(svg("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 4 }, label));
    return group;
  }

  /** Say the values at one time: each series with its interval, and its band where there is one. */
  function valuesText(panel, time, period) {
    const reach = panel.limits[1];
    const decimals = Math.min(decimalsFor(reach, 1) + 2, 6);
    const parts = panel.series.map((series) => {
      const k = series.x.indexOf(time);
      if (k < 0) return null;
      const write = (value) => fixed(value, decimals);
      const name = panel.series.length > 1 ? `${series.name} ` : "";
      const limits = series.low && series.low[k] !== null ? ` [${write(series.low[k])}; ${write(series.high[k])}]` : "";
      const band = series.bandLow && series.bandLow[k] !== null && series.bandLow[k] !== undefined
        ? `, ${word("band")} [${write(series.bandLow[k])}; ${write(series.bandHigh[k])}]` : "";
      return `${name}${write(series.y[k])}${limits}${band}`;
    });
    return `${period} ${fixed(time, 0)}: ${parts.filter(Boolean).join(" · ")}`;
  }

  const points = new Map();

  function drawPanel(panel, chart, exhibit) {
    const times = [...new Set(panel.series.flatMap((series) => series.x))].sort((a, b) => a - b);
    const [low, high] = panel.limits;
    const x = (time) => LEFT + 8 + ((time - times[0]) / (times.at(-1) - times[0] || 1)) * (WIDTH - RIGHT - LEFT - 16);
    const y = (value) => TOP + ((high - value) / (high - low || 1)) * (HEIGHT - BOTTOM - TOP);
    const cursor = svg("line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden" });
    const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true", focusable: "false" },
      axes(times, [low, high], x, y, chart.axis), ...panel.series.map((s) => drawSeries(s, x, y, times.length > 60)), cursor);
    const readout = make("p", { class: "readout", "aria-live": "polite" }, word("hint"));
    const legend = panel.series.length > 1
      ? make("p", { class: "legend" }, ...panel.series.map((s) => make("span", { class: s.form }, s.name))) : null;
    const plot = make("div", { class: "plot", tabindex: "0", role: "group", "aria-label": `${panel.title}. ${word("chart")}` }, picture);
    let at = null, kept = null;
    const show = (time) => {
      at = time;
      cursor.setAttribute("visibility", time === null ? "hidden" : "visible");
      if (time !== null) {
        cursor.setAttribute("x1", x(time));
        cursor.setAttribute("x2", x(time));
      }
      readout.textContent = time === null ? word("hint") : valuesText(panel, time, chart.period);
    };
    /** Keep showing a time, and make it the address of the page: `figure:panel:time`. */
    const keep = (time) => {
      kept = time;
      show(time);
      if (exhibit && time !== null) history.replaceState(null, "", `#${exhibit}:${panel.state}:${time}`);
    };
    const pointed = (event) => {
      const box = picture.getBoundingClientRect();
      const place = ((event.clientX - box.left) / box.width) * WIDTH;
      return times.reduce((best, time) => (Math.abs(x(time) - place) < Math.abs(x(best) - place) ? time : best));
    };
    if (exhibit) points.set(`${exhibit}:${panel.state}`, (time) => (times.includes(time) ? (keep(time), plot) : null));
    plot.addEventListener("pointermove", (event) => show(pointed(event)));
    plot.addEventListener("pointerleave", () => show(kept));
    plot.addEventListener("click", (event) => keep(pointed(event)));
    plot.addEventListener("keydown", (event) => {
      const from = at === null ? times.indexOf(times.includes(0) ? 0 : times[0]) : times.indexOf(at);
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const to = { Home: 0, End: times.length - 1 }[event.key] ?? (step === undefined ? null : at === null ? from : from + step);
      if (event.key === "Escape") keep(null);
      if (to === null || to === undefined || to < 0 || to >= times.length) return;
      event.preventDefault();
      keep(times[to]);
    });
    const unit = panel.unit ? make("span", { class: "unit" }, panel.unit) : null;
    return make("div", { class: "panel" }, make("p", { class: "name" }, make("strong", {}, panel.title), " ", unit), legend, plot, readout);
  }

  function draw(host, chart) {
    host.replaceChildren(...chart.panels.map((panel) => drawPanel(panel, chart, host.dataset.chart)));
    host.hidden = false;
  }

  for (const host of document.querySelectorAll("[data-chart]")) {
    const chart = data.charts[host.dataset.chart];
    if (!chart) continue;
    draw(host, chart);
    host.parentElement.classList.add("drawn");
    host.parentElement.querySelector(".drawing").removeAttribute("tabindex");
  }
  Report.draw = draw;
  /** Show a point of a figure, and return its plot; null where the figure has no such point. */
  Report.showPoint = (exhibit, panel, time) => points.get(`${exhibit}:${panel}`)?.(time) ?? null;
})();
