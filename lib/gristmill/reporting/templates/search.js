"use strict";
const MOST_SHOWN = 50;
const [field, list, status, all] = ["q", "found", "status", "all"].map((name) => document.getElementById(name));
const only = document.getElementById("case");
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

const sections = JSON.parse(document.getElementById("data").textContent).flatMap((index) =>
  index.pages.flatMap((page) => page.sections.map(([heading, anchor, text]) => ({
    where: `${index.case} › ${page.title}`, heading: heading || page.title, text, in: index.case,
    href: page.href + (anchor ? `#${encodeURIComponent(anchor)}` : ""),
    titles: plain(`${index.case} ${page.title}`), head: plain(heading), body: plain(text),
  }))));

function score(section, words) {
  let total = 0;
  for (const word of words) {
    const points = (section.head.includes(word) ? 20 : 0) + (section.titles.includes(word) ? 5 : 0)
      + Math.min(section.body.split(word).length - 1, 8);
    if (!points) return 0;
    total += points;
  }
  const phrase = words.join(" ");
  return words.length > 1 && (section.body.includes(phrase) || section.head.includes(phrase)) ? total + 15 : total;
}

// The words of a text that are looked for, marked; a text whose letters change in number when plain is shown as it is.
function marked(text, words) {
  const lower = plain(text);
  const made = document.createElement("span");
  if (lower.length !== text.length) return Object.assign(made, { textContent: text });
  let place = 0;
  while (place < text.length) {
    const hits = words.map((word) => [lower.indexOf(word, place), word.length]).filter(([at]) => at >= 0);
    if (!hits.length) break;
    const [at, length] = hits.reduce((best, hit) => (hit[0] < best[0] || (hit[0] === best[0] && hit[1] > best[1]) ? hit : best));
    made.append(text.slice(place, at), Object.assign(document.createElement("mark"), { textContent: text.slice(at, at + length) }));
    place = at + length;
  }
  made.append(text.slice(place));
  return made;
}

function placesOf(word, text) {
  const places = [];
  for (let at = text.indexOf(word); at >= 0 && places.length < 30; at = text.indexOf(word, at + 1)) places.push(at);
  return places;
}

// The part of a section's text in which most of the words stand, from the beginning of a word on.
function snippet(section, words) {
  const hits = words.flatMap((word) => placesOf(word, section.body));
  const inside = (at) => words.filter((word) => section.body.slice(at, at + 200).includes(word)).length;
  const best = hits.reduce((chosen, at) => (chosen < 0 || inside(at) > inside(chosen) || (inside(at) === inside(chosen) && at < chosen) ? at : chosen), -1);
  const start = best > 60 ? section.text.indexOf(" ", best - 60) + 1 : 0;
  const end = start + 260 < section.text.length ? section.text.lastIndexOf(" ", start + 260) : section.text.length;
  return `${start ? "… " : ""}${section.text.slice(start, end)}${end < section.text.length ? " …" : ""}`;
}

function result(section, words) {
  const link = document.createElement("a");
  link.href = section.href;
  const parts = { where: document.createTextNode(section.where), heading: marked(section.heading, words), text: marked(snippet(section, words), words) };
  Object.entries(parts).forEach(([name, content]) => {
    const part = Object.assign(document.createElement("span"), { className: name });
    part.append(content);
    link.append(part);
  });
  const item = document.createElement("li");
  item.append(link);
  return item;
}

function said(words, count) {
  if (!words.length) return "";
  if (!count) return `Nothing was found for “${field.value.trim()}”. Try fewer words, or the beginning of one.`;
  const shown = count > MOST_SHOWN ? `, the best ${MOST_SHOWN} are shown` : "";
  return `${count} section${count === 1 ? "" : "s"} found${shown}.`;
}

function search() {
  const words = plain(field.value).split(/\s+/).filter(Boolean);
  const wanted = only ? only.value : "";
  const found = !words.length ? [] : sections.filter((section) => !wanted || section.in === wanted)
    .map((section, place) => ({ section, place, points: score(section, words) })).filter(({ points }) => points)
    .sort((one, other) => other.points - one.points || one.place - other.place);
  list.replaceChildren(...found.slice(0, MOST_SHOWN).map(({ section }) => result(section, words)));
  status.textContent = said(words, found.length);
  all.hidden = words.length > 0;
}

function move(step) {
  const stops = [field, ...list.querySelectorAll("a")];
  const next = stops.indexOf(document.activeElement) + step;
  stops[Math.max(0, Math.min(next, stops.length - 1))].focus();
}

document.addEventListener("keydown", (event) => {
  const typing = document.activeElement === field;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (!typing && !list.contains(document.activeElement)) return;
    move(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Escape") {
    field.value = "";
    search();
    field.focus();
  } else if (event.key === "/" && !typing) {
    field.focus();
    field.select();
  } else return;
  event.preventDefault();
});
document.getElementById("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const first = list.querySelector("a");
  if (first) first.click();
});
field.addEventListener("input", search);
if (only) only.addEventListener("change", search);
field.value = new URLSearchParams(location.search).get("q") || "";
search();
