"use strict";

// Makes the site an app that installs and opens without a network, and says when there is none. A browser that forbids
// it, as some do in private windows, shows the site as it is.

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
