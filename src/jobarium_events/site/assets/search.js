// The search on the list of events. It hides rows and shows them again, those found by their name before the others,
// and says of the others why they are found.
"use strict";

const list = document.getElementById("events");
const rows = Array.from(list.querySelectorAll("li:has(a)"));
const field = document.getElementById("q");
const filters = ["owner", "consumer", "state"].map((id) => document.getElementById(id));
const count = document.getElementById("count");
const none = document.getElementById("none");

// Lists of numbers, each with how many there are before it. A digit up to "[" ends a number, one behind it goes on.
function lists(text) {
  const found = [];
  let high = 0;
  let left = 0;
  for (const digit of text) {
    const code = digit.charCodeAt(0);
    if (code > 92) {
      high = high * 34 + code - 92;
      continue;
    }
    const number = high * 57 + code - 35;
    high = 0;
    if (left > 0) {
      found.at(-1).push(number);
      left -= 1;
    } else {
      found.push([]);
      left = number;
    }
  }
  return found;
}

// Once, so that a keystroke only compares: what each row says, and what each filter asks of it.
const small = (text) => text.toLowerCase();
const served = lists(searched.served).map((places) => places.map((place) => searched.services[place]));
const versions = rows.map((row) => Array.from(row.querySelectorAll("i"), (each) => each.textContent));
const values = [
  served.map((names) => names.slice(0, 1)),
  served.map((names) => names.slice(1)),
  versions.map((all) => all.map((each) => each.split(" ").pop())),
];
const titles = rows.map((row) => small(`${row.querySelector("a").textContent}\n${row.querySelector("div")?.textContent ?? ""}`));
const services = served.map((names) => names.map(small));
const names = lists(searched.names).map((places) => places.map((place) => searched.parts[place]).join(""));
const smallNames = names.map(small);
const fields = lists(searched.fields).map((steps) => {
  let place = 0;
  return steps.map((step) => (place += step));
});

// In a long list the names of the readers stand only here.
rows.forEach((row, i) => {
  const readers = row.lastElementChild;
  const said = values[1][i].join(", ");
  if (readers.textContent !== said) readers.textContent = said;
});

// Where a row has a word that its name and its title do not have; undefined if nowhere.
function elsewhere(i, asked) {
  const { word } = asked;
  const version = versions[i].find((each) => each.includes(word));
  if (version) return `version: ${version}`;
  const service = services[i].findIndex((each) => each.includes(word));
  if (service >= 0) return `service: ${served[i][service]}`;
  // Of each name of a field whether it has the word, or is the word; only once a row needs to know.
  const hits = (asked.hits ??= smallNames.map((name) => name.includes(word) + (name === word)));
  let best;
  for (const place of fields[i]) if (hits[place] > (hits[best] ?? 0)) best = place;
  return best === undefined ? undefined : `field: ${names[best]}`;
}

// Why a row is found: "" by its name and its title alone, undefined if it is not.
function reason(i, words) {
  let found = "";
  for (const each of words) {
    if (titles[i].includes(each.word)) continue;
    const place = elsewhere(i, each);
    if (place === undefined) return undefined;
    if (!found) found = place;
    else if (!found.split(", ").includes(place)) found += `, ${place}`;
  }
  return found;
}

// What each row says of why it is found. One that says something stands behind all that do not, and among them as
// among the others in the order of the names.
const said = rows.map(() => "");

// The next row from a place on that says something, or that says nothing; undefined if there is none.
function next(i, speaks) {
  while (i < rows.length && (said[i] !== "") !== speaks) i += 1;
  return rows[i];
}

function say(i, why) {
  const row = rows[i];
  if (said[i] === why) return;
  const speaks = why !== "";
  const moves = speaks !== (said[i] !== "");
  said[i] = why;
  if (moves) list.insertBefore(row, next(i + 1, speaks) ?? (speaks ? null : next(0, true)) ?? null);
  const mark = row.querySelector("em");
  if (!speaks) mark?.remove();
  else (mark ?? row.appendChild(document.createElement("em"))).textContent = why;
}

// More rows than any window has room for. So many come back at once, and the others in the frames after that: a
// thousand together would take longer than a frame.
const AT_ONCE = 100;
let frame;
function bring(back, most) {
  for (const [i, why] of back.splice(0, most)) {
    say(i, why);
    rows[i].hidden = false;
  }
  if (back.length) frame = requestAnimationFrame(() => bring(back, most));
}

function fill(select, place) {
  const known = [...new Set(values[place].flat())].sort();
  select.append(...known.map((name) => new Option(name, name)));
}

let first;
function show(most = AT_ONCE) {
  cancelAnimationFrame(frame);
  const typed = small(field.value).split(/\s+/).filter(Boolean);
  const words = typed.map((word) => ({ word }));
  const asked = filters.map((select) => select.value);
  const byName = [];
  const others = [];
  rows.forEach((row, i) => {
    const why = asked.every((value, place) => value === "" || values[place][i].includes(value)) ? reason(i, words) : undefined;
    if (why !== undefined) (why ? others : byName).push([i, why]);
    // A row that is to stand elsewhere is hidden until it does.
    if (!row.hidden && (why === undefined || (why === "") !== (said[i] === ""))) row.hidden = true;
  });
  const found = [...byName, ...others];
  first = rows[found[0]?.[0]];
  bring(found.filter(([i, why]) => rows[i].hidden || said[i] !== why), most);
  const all = rows.length.toLocaleString("en");
  const events = rows.length === 1 ? "event" : "events";
  count.textContent = found.length === rows.length ? `${all} ${events}` : `${found.length.toLocaleString("en")} of ${all} ${events}`;
  none.hidden = found.length > 0 || rows.length === 0;
}

// What is asked for stands behind the # of the address, so that it can be linked. Not at each key: there are browsers
// that refuse an address which changes so often.
let later;
function remember() {
  clearTimeout(later);
  const asked = new URLSearchParams();
  for (const each of [field, ...filters]) if (each.value) asked.set(each.id, each.value);
  const hash = asked.toString();
  history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
}

function recall() {
  const hash = location.hash.slice(1);
  if (hash && !hash.includes("=")) {
    // It leads to a place on the page, and is there by now: what is asked for takes its place in the address.
    show(rows.length);
    if ([field, ...filters].some((each) => each.value)) remember();
    return;
  }
  const asked = new URLSearchParams(hash);
  for (const each of [field, ...filters]) each.value = asked.get(each.id) ?? "";
  for (const select of filters) if (select.selectedIndex < 0) select.value = "";
  show(rows.length); // all of them, so that the browser finds the place to which it scrolls
}

function ask() {
  show();
  clearTimeout(later);
  later = setTimeout(remember, 150);
}

function clear() {
  for (const each of [field, ...filters]) each.value = "";
  ask();
  field.focus();
}

filters.forEach(fill);
for (const each of [field, ...filters]) each.addEventListener("input", ask);
document.getElementById("clear").addEventListener("click", clear);
list.addEventListener("click", remember);
window.addEventListener("hashchange", recall);
document.addEventListener("keydown", (event) => {
  const elsewhere = !event.target.closest("input, select, textarea, button") && !event.target.isContentEditable;
  if (event.key === "/" && elsewhere && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    field.focus();
    field.select();
  } else if (event.key === "Escape" && event.target === field && field.value) {
    event.preventDefault();
    field.value = "";
    ask();
  } else if (event.key === "Enter" && event.target === field && field.value.trim() && !event.isComposing) {
    first?.querySelector("a").click();
  }
});
document.getElementById("search").hidden = false;
recall();
