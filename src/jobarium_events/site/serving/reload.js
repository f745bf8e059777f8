// Added by `site serve` alone: reloads the page once there is another site, and shows what is wrong meanwhile.
"use strict";

(() => {
  const EVERY = 500; // milliseconds
  const build = document.currentScript.dataset.build;
  let banner = null;

  function show(problem) {
    if (!problem) {
      if (banner) banner.remove();
      banner = null;
      return;
    }
    if (!banner) {
      banner = document.createElement("div");
      banner.className = "serve-problem";
      banner.setAttribute("role", "alert");
      banner.append(document.createElement("strong"), document.createElement("pre"));
      banner.firstChild.textContent = "There is a mistake. This page is from before it.";
      banner.lastChild.tabIndex = 0;
      document.body.prepend(banner);
    }
    // What is said already is not said again: a screen reader would read it out each time.
    if (banner.lastChild.textContent !== problem) banner.lastChild.textContent = problem;
  }

  async function look() {
    if (document.hidden) return;
    try {
      const answer = await fetch("/-/state", { cache: "no-store" });
      const now = await answer.json();
      if (now.build === build) {
        show(now.problem);
      } else {
        clearInterval(timer);
        location.reload();
      }
    } catch {
      // The server is away; it is asked again.
    }
  }

  const timer = setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
  look();
})();
