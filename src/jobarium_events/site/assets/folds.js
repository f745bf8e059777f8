// Opens the part of a page to which a link leads.
"use strict";

function unfold() {
  const part = document.getElementById(location.hash.slice(1))?.closest(".folded")?.querySelector("details");
  if (part) part.open = true;
}

addEventListener("hashchange", unfold);
unfold();
