"use strict";

// Conveniences of the form: find a location, choose a region at once, see what is chosen. Without this file the form
// works as it is; what needs this file is hidden until it runs.

const MOST_NAMED = 5;

function normalise(text) {
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, "").replace(/&/g, " and ").toLowerCase();
  const words = plain.replace(/[^\p{L}\p{N}]+/gu, " ").trim().split(" ");
  return words.map((word) => (word === "st" ? "saint" : word)).join(" ");
}

// Names with a word that begins like the query come first; only where there are none does any part of a name count.
function findMatches(items, wanted) {
  const starting = items.filter(({ dataset }) =>
    dataset.search.includes(`|${wanted}`) || dataset.search.includes(` ${wanted}`));
  return new Set(starting.length ? starting : items.filter(({ dataset }) => dataset.search.includes(wanted)));
}

function checkboxes(element, selector = "") {
  return [...element.querySelectorAll(`${selector} input[name=location]`)];
}

function enhance(form) {
  const groups = [...form.querySelectorAll("[data-group]")];
  const items = [...form.querySelectorAll("[data-search]")];
  const finder = form.querySelector("[data-finder]");
  const input = finder.querySelector("input");
  const clearAll = form.querySelector("[data-clear-all]");
  let openBefore = null;

  function showCounts() {
    for (const group of groups) {
      const boxes = checkboxes(group);
      const chosen = boxes.filter((box) => box.checked).length;
      const count = group.querySelector("[data-count]");
      count.textContent = chosen ? `${chosen} of ${boxes.length}` : boxes.length;
      count.toggleAttribute("data-some", chosen > 0);
    }
    const names = checkboxes(form).filter((box) => box.checked).map((box) => box.parentElement.textContent.trim());
    const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : "";
    form.querySelector("[data-tally]").textContent =
      names.length ? `${names.length} chosen: ${names.slice(0, MOST_NAMED).join(", ")}${more}` : "None chosen yet";
    clearAll.hidden = !names.length;
  }

  function filter() {
    const wanted = normalise(input.value);
    if (wanted && !openBefore) openBefore = groups.map((group) => group.open);
    const matches = wanted ? findMatches(items, wanted) : new Set(items);
    for (const item of items) item.hidden = !matches.has(item);
    groups.forEach((group, i) => {
      const some = group.querySelector("[data-search]:not([hidden])") !== null;
      group.hidden = !some;
      group.open = wanted ? some : (openBefore ? openBefore[i] : group.open);
      group.querySelector("[data-select]").firstChild.data = wanted ? "Select these" : "Select all";
    });
    if (!wanted) openBefore = null;
    form.querySelector("[data-found]").textContent =
      wanted ? `${matches.size || "No"} ${matches.size === 1 ? "location" : "locations"} found` : "";
    finder.toggleAttribute("data-none", matches.size === 0);
  }

  function set(boxes, checked) {
    for (const box of boxes) box.checked = checked;
    showCounts();
  }

  for (const group of groups) {
    group.querySelector("[data-tools]").hidden = false;
    group.querySelector("[data-select]").addEventListener("click", () =>
      set(checkboxes(group, "[data-search]:not([hidden])"), true));
    group.querySelector("[data-clear]").addEventListener("click", () =>
      set(checkboxes(group, "[data-search]:not([hidden])"), false));
  }
  clearAll.addEventListener("click", () => {
    set(checkboxes(form), false);
    input.focus();
  });
  input.addEventListener("input", filter);
  input.addEventListener("keydown", (event) => {
    // Enter would send the form; who types a name wants to tick it.
    if (event.key !== "Enter" && event.key !== "ArrowDown") return;
    event.preventDefault();
    if (input.value) form.querySelector("[data-search]:not([hidden]) input")?.focus();
  });
  form.addEventListener("change", showCounts);
  // A page that comes back from the history has its ticks restored after the scripts ran.
  window.addEventListener("pageshow", showCounts);
  finder.hidden = false;
  showCounts();
}

document.querySelectorAll("[data-query]").forEach(enhance);
document.querySelector("[role=alert]")?.focus();
