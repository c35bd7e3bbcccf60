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

const UNITS = [[1e9, "billion"], [1e6, "million"], [1, ""]];

// Each line is told in the unit that people say it in, its bounds in the same one: Niue beside the world.
function chooseUnit(persons) {
  return UNITS.find(([size]) => Math.abs(persons) >= size) ?? [1, ""];
}

function writeIn(size, persons) {
  if (persons === null || persons === undefined) return "–";
  const format = size > 1 ? { minimumSignificantDigits: 4, maximumSignificantDigits: 4 } : { maximumFractionDigits: 0 };
  return (persons / size).toLocaleString("en", format);
}

function writePercent(value) {
  return value === null || value === undefined ? "–" : value.toLocaleString("en", { maximumFractionDigits: 1 });
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
    const value = line.values[(year - first) / step];
    const [size] = chooseUnit((value ?? 0) * divisor);
    const isIndexed = scale === "indexed";
    // The UN's figure may be of another size than ours.
    const say = (figure) => {
      if (isIndexed || figure === null || figure === undefined) return writePercent(figure);
      const [own, word] = chooseUnit(figure * divisor);
      return [writeIn(own, figure * divisor), word].filter(Boolean).join("\u00a0");
    };
    const write = (figure) => isIndexed ? writePercent(figure) : writeIn(size, figure && figure * divisor);
    const intervals = line.levels
      .filter(({ lower }) => ahead >= 0 && lower[ahead] !== undefined)
      .map(({ level, lower, upper }) => `${level}%: ${write(lower[ahead])} – ${write(upper[ahead])}`);
    return {
      value: say(value),
      intervals,
      medium: ahead >= 0 && line.medium.length ? say(line.medium[ahead]) : "",
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
      for (const text of [...intervals, ...(medium ? [`UN’s medium: ${medium}`] : [])]) rest.append(element("small", text), " ");
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
  // The last year that was asked for: it may lie before the drawing's end.
  show(Number(readout.dataset.readout));
}

document.querySelectorAll("[data-plot]").forEach(enhance);
