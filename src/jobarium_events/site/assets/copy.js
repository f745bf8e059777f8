// Copies what stands beside a button.
"use strict";

const said = document.getElementById("copied");

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function select(code) {
  const range = document.createRange();
  range.selectNodeContents(code);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}

for (const button of document.querySelectorAll("button.copy")) {
  const code = button.parentElement.querySelector("code");
  const word = button.firstChild;
  let later;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const done = await copied(code.textContent);
    if (!done) select(code);
    word.data = done ? "Copied" : "Selected";
    said.textContent = done ? "Copied." : "It cannot be copied from here; it is selected instead.";
    clearTimeout(later);
    later = setTimeout(() => {
      word.data = "Copy";
      said.textContent = "";
    }, 4000);
  });
}
