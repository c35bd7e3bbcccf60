/* What the page does beyond its widgets: its address follows the view, code can be copied, and a kernel that is gone is
   said. A page that is left ends its kernel. */
(() => {
  "use strict";

  const PAUSE = 4000;
  // Milliseconds after which a chart that has not come is waited for no more.
  const PATIENCE = 20000;
  // Voilà writes its settings once more when the kernel is there; what it does not find in the first, it asks of the body.
  const [, second] = document.querySelectorAll("#jupyter-config-data");
  const settings = JSON.parse(second?.textContent ?? "{}");
  if (!settings.kernelId) return;
  document.body.dataset.kernelId = settings.kernelId;
  second.remove();
  const kernel = `${settings.baseUrl}explorer/kernels/${settings.kernelId}`;

  const follow = () => {
    const link = document.querySelector("a.pf-address");
    if (link && link.getAttribute("href") !== (location.search || "?")) {
      history.replaceState(null, "", link.getAttribute("href"));
    }
  };

  const copy = async (button, code) => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      // Browsers let pages without https copy nothing.
      getSelection().selectAllChildren(code);
      button.textContent = "Selected: copy it with the keyboard";
    }
  };

  const addButtons = () => {
    for (const code of document.querySelectorAll("pre.pf-code:not([data-copied])")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet pf-copy";
      button.textContent = "Copy";
      button.addEventListener("click", () => copy(button, code));
      code.dataset.copied = "";
      code.after(button);
    }
  };

  const say = (text, isLost) => {
    let alert = document.getElementById("lost");
    if (!text) return alert?.remove();
    if (!alert) {
      alert = document.createElement("div");
      alert.id = "lost";
      alert.className = "alert";
      alert.setAttribute("role", "alert");
      document.querySelector(".masthead").after(alert);
    }
    if (alert.dataset.text === text) return;
    alert.dataset.text = text;
    alert.textContent = `${text} `;
    if (!isLost) return;
    const again = document.createElement("a");
    again.href = location.href;
    again.textContent = "Reload the page";
    alert.append(again);
  };

  const lose = () => {
    clearInterval(timer);
    // What is on show stays readable; nothing of it answers any more.
    for (const part of document.querySelectorAll(".pf-controls, .pf-tabs > .lm-TabBar")) part.inert = true;
    say("The session behind this page has ended. Your choices are saved in its URL.", true);
  };

  // What is said of a script that does not come; it stays, though the server answers.
  let missing = "";

  // The explorer takes its preview's place as soon as it has all of it, or, should its chart not come, all the rest.
  const settle = () => {
    const preview = document.querySelector(".pf-preview");
    if (!preview) return;
    const signs = [".figures", ".pf-source", ".alert"].filter((sign) => preview.querySelector(sign));
    const isPatient = !missing && performance.now() < PATIENCE;
    if (isPatient && preview.querySelector(".chart")) signs.push(".main-svg");
    const live = document.querySelector(".pf-preview ~ *");
    if (!live || !signs.every((sign) => live.querySelector(sign))) return;
    document.getElementById("loading")?.remove();
    replace(preview, live);
  };

  // Where the keyboard is: Voilà moves the cells into its shell, and what is moved loses the focus.
  let focused = document.activeElement;
  document.addEventListener("focusin", (event) => (focused = event.target));

  // Whoever reads already stays where they are in the page, and on the link that had the focus.
  const replace = (preview, live) => {
    const list = (part) => [...part.querySelectorAll("a, .sheet")];
    const position = list(preview).indexOf(focused);
    document.body.style.minHeight = `${document.documentElement.scrollHeight}px`;
    setTimeout(() => document.body.style.removeProperty("min-height"), 2000);
    preview.remove();
    if (document.activeElement === document.body) list(live)[position]?.focus({ preventScroll: true });
  };

  const miss = (event) => {
    if (event.target.tagName !== "SCRIPT") return;
    missing = "Part of this page could not be loaded and does not work.";
    say(missing, true);
    settle();
  };

  const check = async () => {
    settle();
    if (document.hidden) return;
    try {
      const answer = await fetch(kernel, { cache: "no-store" });
      if (answer.status === 410) lose();
      else if (answer.ok) say(missing, true);
    } catch {
      say("The server is not responding at the moment.", false);
    }
  };

  const timer = setInterval(check, PAUSE);
  document.addEventListener("visibilitychange", check);
  new MutationObserver(() => {
    settle();
    follow();
    addButtons();
  }).observe(document.body, { childList: true, subtree: true });
  addEventListener("error", miss, true);
  addEventListener("pagehide", () => navigator.sendBeacon(kernel));
  addEventListener("pageshow", (event) => event.persisted && location.reload());
})();
