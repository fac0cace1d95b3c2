"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const form = document.getElementById("choose");
const [earlier, later] = ["earlier", "later"].map((name) => document.getElementById(name));
const compared = document.getElementById("compared");

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => { made.setAttribute(key, value); });
  made.append(...children);
  return made;
}

// As `figure` of gristmill.reporting.wording writes a number.
function figure(value) {
  const size = Math.abs(value);
  let text;
  if (size >= 1000) text = Math.round(value).toLocaleString("en-US");
  else if (size >= 100) text = value.toFixed(1);
  else if (size >= 10) text = value.toFixed(2);
  else if (size > 0 && size < 0.001) text = value.toFixed(Math.min(8, 1 - Math.floor(Math.log10(size))));
  else text = value.toFixed(3);
  return text.replace("-", "\u2212");
}

const signed = (value) => (value > 0 ? "+" : "") + figure(value);

// The same reckoning as gristmill.reporting.builds.noise: the interval of a difference from those of the two values.
function change(before, after, more) {
  const [a, aLow, aHigh] = before;
  const [b, bLow, bHigh] = after;
  if ([aLow, aHigh, bLow, bHigh].some((end) => end === null)) return { value: b - a, interval: "", verdict: "not known" };
  const low = b - a - Math.hypot(b - bLow, aHigh - a);
  const high = b - a + Math.hypot(bHigh - b, a - aLow);
  const verdict = low <= 0 && high >= 0 ? "within noise" : (low > 0) === more ? "better" : "worse";
  return { value: b - a, interval: `${signed(low)} to ${signed(high)}`, verdict };
}

function head(titles, numbers) {
  const cells = titles.map((title, place) => element("th", { scope: "col", class: numbers.includes(place) ? "num" : "" }, title));
  return element("thead", {}, element("tr", {}, ...cells));
}

function box(label, ...children) {
  return element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": `${label}, scrolls sideways where it is wide` }, ...children);
}

function metricRow(metric, from, to) {
  const [before, after] = [metric.scores[from], metric.scores[to]];
  const found = change(before, after, metric.more);
  const difference = element("td", { class: "num" }, signed(found.value));
  if (found.interval) difference.append(element("small", {}, found.interval));
  const said = element("span", { class: `said ${found.verdict.replace(" ", "-")}` }, data.words[found.verdict]);
  return element("tr", {},
    element("th", { scope: "row" }, metric.name),
    element("td", { class: "num" }, before[3]), element("td", { class: "num" }, after[3]), difference, element("td", {}, said));
}

function metrics(table, place, from, to) {
  const both = table.rows.filter((metric) => metric.scores[from] && metric.scores[to]);
  const heading = `Metrics on the ${table.part} rows`;
  const titles = ["metric", "before", "after", "difference", "what can be said"];
  const rows = element("tbody", {}, ...both.map((metric) => metricRow(metric, from, to)));
  const made = element("details", { class: "section" }, element("summary", {}, element("h3", {}, heading)),
    box(heading, element("table", { class: "wide" }, head(titles, [1, 2, 3]), rows)));
  made.open = place === 0;
  return both.length ? [made] : [];
}

function section(part, from, to) {
  const moved = part.facts.filter(([, , places]) => places[from] !== places[to]);
  const differ = `${moved.length || "nothing"} differ${moved.length <= 1 ? "s" : ""}`;
  const made = element("details", { class: "section" },
    element("summary", {}, element("h3", {}, part.heading), " ", element("span", { class: "muted" }, differ)));
  made.open = moved.length > 0 && moved.length <= 12;
  if (!moved.length) return made;
  const rows = moved.map(([name, texts, places]) => element("tr", {}, element("th", { scope: "row" }, name),
    element("td", {}, texts[places[from]]), element("td", {}, texts[places[to]])));
  made.append(box(part.heading, element("table", { class: "wide" }, head(["what", "before", "after"], []), element("tbody", {}, ...rows))));
  return made;
}

function show() {
  const [from, to] = [Number(earlier.value), Number(later.value)];
  const same = data.testRows[from] !== "" && data.testRows[from] === data.testRows[to];
  const title = element("p", { class: "what" }, element("strong", {}, data.builds[from]), " \u2192 ", element("strong", {}, data.builds[to]));
  const rows = element("p", { class: "muted small" }, same ? data.sameRows : data.otherRows);
  const tables = data.metrics.flatMap((table, place) => metrics(table, place, from, to));
  compared.replaceChildren(title, rows, ...tables, ...data.sections.map((part) => section(part, from, to)));
}

function choose(from, to) {
  earlier.value = String(from);
  later.value = String(to);
  show();
}

// `#build-7` opens that build, `#compare-3-7` compares two.
function follow() {
  const name = decodeURIComponent(location.hash.slice(1));
  const asked = /^compare-(\d+)-(\d+)$/.exec(name);
  const places = asked ? asked.slice(1).map((number) => data.numbers.indexOf(Number(number))) : [];
  if (places.length && !places.includes(-1)) {
    choose(...places);
    document.getElementById("differences").scrollIntoView();
  }
  const target = name.startsWith("build-") ? document.getElementById(name) : null;
  if (target) {
    target.open = true;
    target.scrollIntoView();
  }
}

[earlier, later].forEach((list) => {
  data.builds.forEach((label, place) => { list.append(element("option", { value: String(place) }, label)); });
  list.addEventListener("change", show);
});
document.getElementById("swap").addEventListener("click", () => choose(later.value, earlier.value));
addEventListener("hashchange", follow);
earlier.value = String(data.builds.length - 2);
later.value = String(data.builds.length - 1);
form.hidden = false;
follow();
