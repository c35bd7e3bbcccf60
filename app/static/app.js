"use strict";

// Conveniences of the form and of the forecast page. Without this file both work as they are: the form's buttons go to
// the server, and what only this file can do is hidden until it runs.

const MOST_CHIPS = 30;

function normalise(text) {
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, "").replace(/&/g, " and ").toLowerCase();
  const words = plain.replace(/[^\p{L}\p{N}]+/gu, " ").trim().split(" ");
  if (words[0] === "the" && words.length > 1) words.shift();
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

function nameOf(box) {
  return box.parentElement.textContent.trim();
}

// How a group's text names a location: by its ISO3 code, which follows the name in what finds it, else by its number.
function shortNameOf(box) {
  const [, , second] = box.closest("[data-search]").dataset.search.split("|");
  return /^[a-z]{3}$/.test(second) ? second.toUpperCase() : box.value;
}

function enhance(form) {
  const groups = [...form.querySelectorAll("[data-group]")];
  const items = [...form.querySelectorAll("[data-search]")];
  const finder = form.querySelector("[data-finder]");
  const input = finder.querySelector("input");
  const chips = form.querySelector("[data-chips]");
  const gather = form.querySelector("[data-gather]");
  const clearAll = form.querySelector("[data-clear-all]");
  let openBefore = null;

  function makeChip(box) {
    const chip = document.createElement("button");
    chip.type = "button";
    chip.className = "chip";
    chip.textContent = nameOf(box);
    chip.setAttribute("aria-label", `Remove ${nameOf(box)}`);
    chip.addEventListener("click", () => {
      const place = [...chips.querySelectorAll("button")].indexOf(chip);
      box.checked = false;
      showChosen();
      const left = chips.querySelectorAll("button");
      (left[Math.min(place, left.length - 1)] ?? input).focus();
    });
    const item = document.createElement("li");
    item.append(chip);
    return item;
  }

  function showChosen() {
    for (const group of groups) {
      const boxes = checkboxes(group);
      const chosen = boxes.filter((box) => box.checked).length;
      const count = group.querySelector("[data-count]");
      count.textContent = chosen ? `${chosen} of ${boxes.length}` : boxes.length;
      count.toggleAttribute("data-some", chosen > 0);
    }
    const boxes = checkboxes(form).filter((box) => box.checked);
    const shown = boxes.slice(0, MOST_CHIPS).map(makeChip);
    if (boxes.length > MOST_CHIPS) {
      const more = document.createElement("li");
      more.textContent = `and ${boxes.length - MOST_CHIPS} more`;
      shown.push(more);
    }
    chips.replaceChildren(...shown);
    chips.hidden = !boxes.length;
    form.querySelector("[data-tally]").textContent = boxes.length ? `${boxes.length} selected` : "None selected";
    clearAll.hidden = !boxes.length;
    gather.hidden = boxes.length < 2;
    // On a narrow screen the other button is far below the list.
    form.querySelector("[data-go]").hidden = !boxes.length;
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
      group.querySelector("[data-select]").firstChild.data = wanted ? "Select matches" : "Select all";
    });
    if (!wanted) openBefore = null;
    form.querySelector("[data-found]").textContent =
      wanted ? `${matches.size || "No"} ${matches.size === 1 ? "location" : "locations"} found` : "";
    finder.toggleAttribute("data-none", matches.size === 0);
  }

  function press(button, boxes, checked) {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      for (const box of boxes()) box.checked = checked;
      showChosen();
    });
  }

  for (const group of groups) {
    const shown = () => checkboxes(group, "[data-search]:not([hidden])");
    press(group.querySelector("[data-select]"), shown, true);
    press(group.querySelector("[data-clear]"), shown, false);
  }
  press(clearAll, () => checkboxes(form), false);
  clearAll.addEventListener("click", () => input.focus());

  gather.addEventListener("click", () => {
    const boxes = checkboxes(form).filter((box) => box.checked);
    const fields = [...form.querySelectorAll("[data-groups] input")];
    const field = fields.find(({ value }) => !value.trim()) ?? fields.at(-1);
    const name = "My group";
    field.value = `${name}: ${boxes.map(shortNameOf).join(", ")}`;
    for (const box of boxes) box.checked = false;
    showChosen();
    field.focus();
    field.setSelectionRange(0, name.length);
  });

  input.addEventListener("input", filter);
  input.addEventListener("keydown", (event) => {
    // Enter would send the form; who types a name wants to tick it.
    if (event.key !== "Enter" && event.key !== "ArrowDown") return;
    event.preventDefault();
    if (input.value) form.querySelector("[data-search]:not([hidden]) input")?.focus();
  });
  form.querySelector("[data-find]").hidden = true;
  form.addEventListener("change", showChosen);
  // Fields left empty ask for nothing, and stay out of the address.
  form.addEventListener("formdata", ({ formData }) => {
    const groupTexts = formData.getAll("group").filter((text) => text.trim());
    formData.delete("group");
    for (const text of groupTexts) formData.append("group", text);
    formData.delete("find");
  });
  // A page that comes back from the history has its ticks restored after the scripts ran.
  window.addEventListener("pageshow", showChosen);
  filter();
  showChosen();
}

// A copy button next to each text that people are likely to copy.
function offerCopy(text) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = text.dataset.copy;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent.trim());
      button.textContent = "Copied";
    } catch {
      // Without leave to write to the clipboard, the text is marked for the person to copy.
      getSelection().selectAllChildren(text);
      button.textContent = "Text selected: copy it now";
    }
  });
  text.after(button);
}

document.querySelectorAll("[data-query]").forEach(enhance);
document.querySelectorAll("[data-copy]").forEach(offerCopy);
document.querySelector("[role=alert]")?.focus();
