"use strict";

// The age pyramid's other years: chosen with a slider, or with the links above the drawing. The figures stand on the
// figure (write_data in popforecast/charts/svg/pyramid.py). Without this file the links open the page of the year.

const GROUPS = 21;

function drawSide(svg, name, persons, sign) {
  const { x0, x1, y0, y1, most } = Object.fromEntries(
    Object.entries(svg.dataset).map(([key, value]) => [key, Number(value)]));
  const step = (y1 - y0) / GROUPS;
  const high = 0.88 * step;
  const bars = persons.map((count, k) => `M${x0} ${(y1 - k * step - (step + high) / 2).toFixed(1)}` +
    `h${(sign * count * (x1 - x0) / most).toFixed(1)}v${high.toFixed(1)}H${x0}z`);
  svg.querySelector(`.${name}`).setAttribute("d", bars.join(""));
}

function enhanceAges(figure) {
  const { name, compared } = figure.dataset;
  const size = Number(figure.dataset.size);
  const years = figure.dataset.years.split(" ").map(Number);
  const old = figure.dataset.old.split(" ");
  const persons = figure.dataset.persons.split(";").map((row) => row.split(" ").map((count) => Number(count) * size));
  const links = [...figure.querySelectorAll("[data-year]")];
  const slider = figure.querySelector("input");
  const summary = document.querySelector("[data-old]:not(figure)");
  const rows = [...figure.querySelectorAll("tbody tr")].reverse();
  const origin = Number(compared);
  const kind = (year) => (year > origin ? "forecast" : "estimate");

  function show(at) {
    const year = years[at];
    const [men, women] = [persons[at].slice(0, GROUPS), persons[at].slice(GROUPS)];
    for (const svg of figure.querySelectorAll("svg")) {
      drawSide(svg, "men", men, -1);
      drawSide(svg, "women", women, 1);
      svg.querySelector(".shown").textContent = `bars: ${year}`;
      svg.setAttribute("aria-label", `${name}, age pyramid of ${year} (${kind(year)}) and ${compared} (estimate): ` +
        `${old[at]}% are 65 or older in ${year}, ${old[years.indexOf(origin)]}% in ${compared}.`);
    }
    for (const link of links) {
      if (Number(link.dataset.year) === year) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    for (const cell of figure.querySelectorAll("[data-shown]")) cell.textContent = year;
    rows.forEach((row, k) => {
      row.cells[3].textContent = men[k].toLocaleString("en");
      row.cells[4].textContent = women[k].toLocaleString("en");
    });
    if (summary) summary.textContent = `${old[at]}% in ${year}`;
    slider.value = at;
    slider.setAttribute("aria-valuetext", `${year}, ${kind(year)}: ${old[at]}% are 65 or older`);
  }

  slider.max = years.length - 1;
  slider.value = years.indexOf(Number(figure.querySelector("[data-shown]").textContent));
  slider.setAttribute("aria-valuetext", figure.querySelector("[data-shown]").textContent);
  slider.addEventListener("input", () => show(Number(slider.value)));
  for (const link of links) {
    link.addEventListener("click", (event) => {
      const at = years.indexOf(Number(link.dataset.year));
      if (at < 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      show(at);
    });
  }
}

document.querySelectorAll("[data-ages]").forEach(enhanceAges);
