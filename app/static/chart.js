"use strict";

// The chart's read-out: a year is chosen with the pointer or with the slider below it, and the figures of all lines in
// that year are said. The numbers stand on the drawing (popforecast/svg/drawing.py says how). Without this file the chart, its
// highlight and its scales work as they are.

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = 8;

function numbers(text) {
  return (text ?? "").split(" ").filter(Boolean).map((word) => (word === "-" ? null : Number(word)));
}

function readSeries(group) {
  const levels = Object.keys(group.dataset)
    .map((name) => /^lower-?(.+)$/.exec(name)?.[1].toLowerCase()).filter(Boolean)
    .map((level) => ({
      level,
      lower: numbers(group.getAttribute(`data-lower-${level}`)),
      upper: numbers(group.getAttribute(`data-upper-${level}`)),
    }));
  return {
    index: Number(group.dataset.index),
    label: group.dataset.label,
    values: numbers(group.dataset.values),
    medium: numbers(group.dataset.medium),
    levels,
  };
}

// The rule by which popforecast/text.py rounds the page's words, so that both say the same of a year (round_in_words):
// all figures of a line in the unit and with the decimals of its median, more where a bound would lose its meaning.
const UNITS = [[1e9, "billion"], [1e6, "million"]];
const DIGITS = 4;
const WHOLE_BELOW = 10000;
const INDEXED = { size: 1, unit: "", decimals: 1 };

function isNone(figure) {
  return figure === null || figure === undefined;
}

function chooseRounding(persons) {
  const sizes = persons.filter((figure) => !isNone(figure)).map(Math.abs).filter((size) => size > 0);
  const least = sizes.length ? Math.min(...sizes) : 0;
  const median = Math.abs(persons[0] ?? 0);
  const [size, unit] = UNITS.find(([each]) => each <= median && median < each * 1e6) ?? [1, ""];
  if (size === 1) return { size, unit, decimals: least > 0 && least < WHOLE_BELOW ? 0 : -3 };
  let decimals = Math.max(DIGITS - (median / size).toFixed(0).length, 0);
  while (size >= 10 ** (4 + decimals) && least / size * 10 ** decimals < 10) decimals += 1;
  return { size, unit, decimals };
}

function write({ size, decimals }, figure) {
  if (isNone(figure)) return "–";
  const steps = Math.floor(Math.abs(figure) / size * 10 ** decimals + 0.5);
  const digits = Math.max(decimals, 0);
  const text = (steps / 10 ** decimals).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return figure < 0 && steps > 0 ? `−${text}` : text;
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function draw(svg, year) {
  const { x0, x1, y0, y1, first, last } = svg.dataset;
  let guide = svg.querySelector(".guide");
  if (!guide) {
    guide = svg.appendChild(document.createElementNS(SVG, "line"));
    guide.setAttribute("class", "guide");
    guide.setAttribute("y1", y0);
    guide.setAttribute("y2", y1);
  }
  const share = (year - first) / Math.max(last - first, 1);
  const x = Number(x0) + share * (x1 - x0);
  guide.setAttribute("x1", x);
  guide.setAttribute("x2", x);
}

function enhance(plot) {
  const drawings = [...plot.querySelectorAll("svg.chart")];
  const wide = drawings.find((svg) => svg.classList.contains("wide"));
  const readout = plot.querySelector("[data-readout]");
  const series = [...(wide?.querySelectorAll(".series[data-values]") ?? [])].map(readSeries);
  if (!readout || !series.length) return;
  const [first, last, step, origin] = ["first", "last", "step", "origin"].map((name) => Number(wide.dataset[name]));
  const { unit, scale } = wide.dataset;
  const divisor = Number(wide.dataset.divisor);
  const slider = readout.querySelector("input");
  const shownYear = readout.querySelector("[data-year]");
  const rows = readout.querySelector("tbody");
  Object.assign(slider, { min: first, max: last, step });

  function describe(line, year) {
    const ahead = (year - origin) / step - 1;
    // As many digits as the drawing has: the multiplication may add some.
    const count = (figure) => isNone(figure) ? null : Number((figure * divisor).toPrecision(7));
    const value = count(line.values[(year - first) / step]);
    const bounds = line.levels
      .filter(({ lower }) => ahead >= 0 && lower[ahead] !== undefined)
      .map(({ level, lower, upper }) => ({ level, lower: count(lower[ahead]), upper: count(upper[ahead]) }));
    const sides = bounds.flatMap(({ lower, upper }) => [lower, upper]);
    const rounding = scale === "indexed" ? INDEXED : chooseRounding([value, ...sides]);
    const say = (figure) => isNone(figure) ? "–" : [write(rounding, figure), rounding.unit].filter(Boolean).join("\u00a0");
    return {
      value: say(value),
      intervals: bounds.map(({ level, lower, upper }) => `${level}%: ${write(rounding, lower)} – ${write(rounding, upper)}`),
      medium: ahead >= 0 && line.medium.length ? say(count(line.medium[ahead])) : "",
    };
  }

  function show(year) {
    slider.value = year;
    const kind = year <= origin ? "estimate" : "forecast";
    shownYear.textContent = `${year}, ${kind} (${scale === "indexed" ? unit : "persons"})`;
    const said = series.map((line) => ({ line, ...describe(line, year) }));
    rows.replaceChildren(...said.map(({ line, value, intervals, medium }) => {
      const row = element("tr");
      const name = element("th", line.label, `line-${line.index % COLOURS}`);
      name.scope = "row";
      const rest = element("td");
      for (const text of [...intervals, ...(medium ? [`UN medium projection: ${medium}`] : [])]) rest.append(element("small", text), " ");
      row.append(name, element("td", value), rest);
      return row;
    }));
    slider.setAttribute("aria-valuetext", `${year}: ${said.map(({ line, value, intervals }) =>
      `${line.label} ${[value, ...intervals].join(", ")}`).join("; ")}`);
    for (const svg of drawings) draw(svg, year);
  }

  function follow(event) {
    const svg = event.currentTarget;
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
    const share = (x - svg.dataset.x0) / (svg.dataset.x1 - svg.dataset.x0);
    const steps = Math.round(share * (last - first) / step);
    show(Math.min(Math.max(first + steps * step, first), last));
  }

  for (const svg of drawings) {
    svg.addEventListener("pointermove", follow);
    svg.addEventListener("pointerdown", follow);
  }
  slider.addEventListener("input", () => show(Number(slider.value)));
  readout.hidden = false;
  // The last year requested, which may be before the end of the drawing.
  show(Number(readout.dataset.readout));
}

document.querySelectorAll("[data-plot]").forEach(enhance);
