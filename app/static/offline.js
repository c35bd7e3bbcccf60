"use strict";

// Lists the pages that this device has kept, the last read first.

async function describe(cache, request) {
  const response = await cache.match(request);
  const text = await response.text();
  const head = text.slice(0, text.indexOf("</title>") + "</title>".length);
  const title = new DOMParser().parseFromString(head, "text/html").title.replace(/ · popforecast$/, "");
  const { pathname, search, searchParams } = new URL(request.url);
  const facts = [searchParams.get("model"), searchParams.get("revision"), describeDay(response.headers.get("Date"))];
  return { address: pathname + search, title: title || pathname, facts: facts.filter(Boolean).join(", ") };
}

function describeDay(date) {
  return date ? `opened ${new Date(date).toLocaleDateString(document.documentElement.lang, { dateStyle: "long" })}` : "";
}

function write({ address, title, facts }) {
  const item = document.createElement("li");
  const link = item.appendChild(document.createElement("a"));
  link.href = address;
  link.textContent = title;
  const small = document.createElement("small");
  small.className = "muted";
  small.textContent = facts;
  item.append(small);
  return item;
}

async function list(element) {
  const cache = await caches.open(element.dataset.kept);
  const requests = (await cache.keys()).reverse();
  const pages = await Promise.all(requests.map((request) => describe(cache, request)));
  element.replaceChildren(...pages.map(write));
  document.querySelector("[data-none]").hidden = pages.length > 0;
}

list(document.querySelector("[data-kept]"));
