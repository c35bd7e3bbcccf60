// The index of a series: a field that leaves only the locations whose name or code holds what was typed.
"use strict";

(() => {
  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const field = document.querySelector("#find");
  const count = document.querySelector("output[for=find]");
  const groups = [...document.querySelectorAll(".every")].map((section) => ({
    section,
    items: [...section.querySelectorAll("li")].map((item) => ({
      item,
      text: fold(`${item.dataset.code} ${item.textContent}`),
    })),
  }));

  const filter = () => {
    const words = fold(field.value).split(/\s+/).filter(Boolean);
    let found = 0;
    for (const { section, items } of groups) {
      let some = 0;
      for (const { item, text } of items) {
        const fits = words.every((word) => text.includes(word));
        item.hidden = !fits;
        some += fits;
      }
      section.hidden = !some;
      found += some;
    }
    count.textContent = words.length ? `${found} found` : "";
  };

  field.addEventListener("input", filter);
  field.addEventListener("keydown", (event) => {
    const shown = document.querySelectorAll(".every li:not([hidden]) > a");
    if (event.key === "Enter" && field.value.trim() && shown.length === 1) {
      shown[0].click();
    }
  });
  field.closest(".find").hidden = false;
  // A browser may keep what was typed when one comes back.
  filter();
})();
