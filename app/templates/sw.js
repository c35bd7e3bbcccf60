"use strict";

// The site without a network. Pages come from the network, and the forecasts and reports that were read are kept, the
// last of them; the pages' own files come from the cache of this release. Errors and what is not asked for by GET are
// never kept.

const RELEASE = {{ release | tojson }};
const ASSETS = {{ assets | tojson }};
const OFFLINE = {{ url_for("installable.show_offline") | tojson }};
const KEPT = {{ kept | tojson }};
const PAGES = {{ pages | tojson }};
const MOST = {{ most | tojson }};

const FOLDERS = [...new Set(ASSETS.map((address) => address.slice(0, address.lastIndexOf("/") + 1)))];

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && request.destination === "document") {
    event.respondWith(answerPage(event));
  } else if (FOLDERS.some((folder) => url.pathname.startsWith(folder))) {
    event.respondWith(answerAsset(request, url));
  }
});

async function install() {
  const cache = await caches.open(RELEASE);
  // The page without a checksum in its address is asked for anew, so that none of an earlier release slips into this.
  await cache.addAll([...ASSETS, new Request(OFFLINE, { cache: "no-cache" })]);
  await self.skipWaiting();
}

async function activate() {
  const others = (await caches.keys()).filter((name) => name !== RELEASE && name !== PAGES);
  await Promise.all(others.map((name) => caches.delete(name)));
  await self.clients.claim();
  // The first page of a first visit was read before there was anybody to keep it.
  const open = await self.clients.matchAll({ type: "window" });
  await Promise.all(open.map(async ({ url }) => isKept(url) && keep(url, await fetch(url))));
}

async function answerPage(event) {
  const { request } = event;
  const response = await fetch(request).catch(() => null);
  if (response && response.status < 500) {
    if (isKept(request.url)) event.waitUntil(keep(request.url, response.clone()));
    return response;
  }
  const kept = await (await caches.open(PAGES)).match(request.url, { ignoreVary: true });
  // A server's own words about its fault say more than that it could not be reached.
  return kept ?? response ?? (await caches.open(RELEASE)).match(OFFLINE, { ignoreVary: true });
}

async function answerAsset(request, url) {
  const cache = await caches.open(RELEASE);
  const known = await cache.match(request, { ignoreVary: true });
  // An address that holds a checksum never means another file.
  if (known && url.searchParams.has("v")) return known;
  try {
    return await fetch(request);
  } catch (error) {
    // A page kept from an earlier release asks for files of that release; those of this one serve it.
    const similar = known ?? (await cache.match(request, { ignoreVary: true, ignoreSearch: true }));
    if (similar) return similar;
    throw error;
  }
}

function isKept(address) {
  const { pathname } = new URL(address);
  return KEPT.some((path) => (path.endsWith("/") ? pathname.startsWith(path) : pathname === path));
}

async function keep(address, response) {
  if (response.status !== 200 || !response.headers.get("Content-Type")?.startsWith("text/html")) return;
  const url = new URL(address);
  url.hash = "";
  const cache = await caches.open(PAGES);
  // A cache lists what was put last as its last, unless it was there before.
  await cache.delete(url.href, { ignoreVary: true });
  await cache.put(url.href, response);
  const all = await cache.keys();
  await Promise.all(all.slice(0, -MOST).map((oldest) => cache.delete(oldest, { ignoreVary: true })));
}
