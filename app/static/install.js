"use strict";

// Makes the site an app that can be installed and opens offline, and says when it is offline. Browsers that forbid
// this, as some do in private windows, show the site as usual.

if ("serviceWorker" in navigator) {
  window.addEventListener("load", () => {
    navigator.serviceWorker.register("/sw.js").catch((error) => console.info(`No offline pages: ${error.message}`));
  });

  const note = document.createElement("p");
  note.className = "network";
  note.setAttribute("role", "status");
  document.querySelector("main")?.prepend(note);
  const showNetwork = () => {
    const isCopy = !navigator.onLine && !document.querySelector("[data-kept]");
    note.textContent = isCopy ? "You are offline: this is the page as you last opened it." : "";
  };
  window.addEventListener("online", showNetwork);
  window.addEventListener("offline", showNetwork);
  showNetwork();
}
