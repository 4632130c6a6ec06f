// The script of the report. It adds to what stands in the page already: a filter, a box for questions, and pictures whose lines lead to
// the packets behind them. It loads nothing, sends nothing and keeps nothing. What it shows are texts and copies of elements of the page:
// a name of the input never becomes markup.
"use strict";
{
const one = (selector, at = document) => at.querySelector(selector);
const all = (selector, at = document) => [...at.querySelectorAll(selector)];

// element makes an element; its children are elements or texts.
function element(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  e.append(...children);
  return e;
}

// copy is a copy of a part of the page that can stand beside it.
function copy(part) {
  const c = part.cloneNode(true);
  for (const e of [c, ...all("[id]", c)]) e.removeAttribute("id");
  for (const e of [c, ...all(".off", c)]) e.classList.remove("off");
  return c;
}

// tablePart is some rows of a table with its heading.
function tablePart(body) {
  const table = body.closest("table");
  const t = table.cloneNode(false);
  t.append(copy(one("thead", table)), copy(body));
  return element("div", {class: "wide", tabindex: "0", role: "group", "aria-label": "Rows"}, t);
}

// ---- Details: one dialog shows whatever is asked for.

const detail = one("#detail");

function show(title, ...parts) {
  one("#detail-title").textContent = title;
  one("#detail-body").replaceChildren(...parts);
  if (!detail.open) detail.showModal();
  detail.scrollTop = 0;
}

one("button", detail).addEventListener("click", () => detail.close());
detail.addEventListener("click", (event) => { if (event.target === detail) detail.close(); });

const ends = (rows) => [...rows.rows[0].cells].map((c) => c.textContent);

// Links to a flow, to a packet on its way and to what stands between zones open where they are.
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const name = link.getAttribute("href").slice(1);
  const target = document.getElementById(name);
  if (target && name.startsWith("course-")) {
    show("A packet on its way", copy(target));
  } else if (target && name.startsWith("wall-")) {
    const [from, to] = ends(target);
    show(`No path from ${from} to ${to}`, tablePart(target));
  } else if (target && name.startsWith("flow-") && link.closest(".matrix")) {
    const rows = target.closest("tbody");
    const [, from, to] = ends(rows);
    const course = one('a[href^="#course-"]', rows);
    show(`${from} to ${to}`, tablePart(rows), ...(course ? [copy(document.getElementById(course.getAttribute("href").slice(1)))] : []));
  } else {
    if (link.closest("dialog")) detail.close();
    return;
  }
  event.preventDefault();
});

// ---- The filter.

const filter = one("#filter");
const filtered = {
  assertion: all("article.fail[data-verdict],article.unknown[data-verdict],tr[data-verdict]").filter((e) => !e.classList.contains("item")),
  item: all("article.item"),
  flow: all("tbody[data-verdict]"),
  finding: all("#findings-list tbody tr"),
};
const spoken = new Map(); // what a part says, once it was asked for
function wordsOf(e) {
  if (!spoken.has(e)) spoken.set(e, e.textContent.toLowerCase());
  return spoken.get(e);
}

function matches(e, kind, {words, requirement, zone, verdict}) {
  const known = {assertion: ["fail", "unknown", "pass"], item: ["fail", "unknown", "pass"], flow: ["reachable", "unknown"], finding: []}[kind];
  return words.every((w) => wordsOf(e).includes(w)) &&
    (!requirement || kind === "flow" || kind === "finding" || (e.dataset.requirements || "").includes(` ${requirement} `)) &&
    (!zone || kind === "finding" || e.dataset.zones.includes(` ${zone} `)) &&
    (!verdict || !known.includes(verdict) || e.dataset.verdict === verdict);
}

function applyFilter() {
  const field = (name) => (filter.elements[name] ? filter.elements[name].value : "");
  const wanted = {
    words: field("words").toLowerCase().split(/\s+/).filter(Boolean), requirement: field("requirement"), zone: field("zone"), verdict: field("verdict"),
  };
  const counts = [];
  for (const [kind, list] of Object.entries(filtered)) {
    let shown = 0;
    for (const e of list) {
      const ok = matches(e, kind, wanted);
      e.classList.toggle("off", !ok);
      if (ok) shown++;
    }
    if (list.length > 0) counts.push(`${shown} of ${list.length} ${kind}${list.length > 1 ? "s" : ""}`);
  }
  for (const h of all('h3[id^="requirement-"]')) { // a heading goes with its last item
    let e = h.nextElementSibling, any = false;
    for (; e && e.tagName === "ARTICLE"; e = e.nextElementSibling) any ||= !e.classList.contains("off");
    h.classList.toggle("off", !any);
  }
  const open = wanted.words.length > 0 || wanted.requirement || wanted.zone || wanted.verdict;
  one("output", filter).textContent = open ? "Shown: " + counts.join(", ") : "";
}

filter.hidden = false;
filter.addEventListener("input", applyFilter);
filter.addEventListener("submit", (event) => event.preventDefault());
filter.addEventListener("reset", () => setTimeout(applyFilter));

// ---- Questions. The data holds what the solver answered; nothing is concluded beyond it.

const data = one("#data") ? JSON.parse(one("#data").textContent) : null;
const portless = ["icmp", "icmpv6", "esp", "ah"];

// parseService reads a service as ringfence does: null where it is none.
function parseService(text) {
  const [protocol, range, source, ...more] = text.trim().toLowerCase().split("/");
  if (protocol === "" || protocol === "any") return range === undefined ? {any: true, text: "any"} : null;
  if (!["tcp", "udp", "sctp", ...portless].includes(protocol) || more.length > 0 || range !== undefined && portless.includes(protocol)) return null;
  const s = {protocol, first: 0, last: 65535, source: source !== undefined, text: text.trim().toLowerCase()};
  if (range !== undefined) {
    const ports = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range);
    if (!ports) return null;
    s.first = Number(ports[1]);
    s.last = Number(ports[2] ?? ports[1]);
    if (s.first > s.last || s.last > 65535) return null;
  }
  return s;
}

// common lists what a service shares with protocols and ports of the data, in words.
function common(service, list) {
  const found = new Set();
  for (const {protocol, dport} of list) {
    const has = protocol.split(",");
    for (const p of protocol === "any" ? ["any"] : has) {
      const alike = service.any || p === "any" || p === service.protocol || service.protocol === "icmp" && p === "icmpv6";
      if (!alike) continue;
      const name = p === "any" && !service.any ? service.protocol : p;
      if (portless.includes(name)) found.add(name);
      else for (const range of dport) {
        const [first, last = first] = range.split("-").map(Number);
        const lo = Math.max(first, service.any ? 0 : service.first), hi = Math.min(last, service.any ? 65535 : service.last);
        if (lo > hi) continue;
        if (lo === 0 && hi === 65535) found.add(name === "any" ? "any" : name + "/*");
        else found.add(`${name}/${lo}${hi > lo ? "-" + hi : ""}`);
      }
    }
  }
  return [...found];
}

// endOf finds what a reader means by a text: its place among the ends, or a sentence that says why it is none.
function endOf(text) {
  const wanted = text.trim();
  if (wanted === "") return "Say from where and to where.";
  let at = data.ends.indexOf(wanted);
  if (at < 0) at = data.ends.indexOf("zone:" + wanted);
  if (at >= 0) return at;
  const bare = (end) => end.slice(end.indexOf(":") + 1).toLowerCase();
  const found = data.ends.filter((end) => bare(end) === wanted.toLowerCase() || bare(end).endsWith("/" + wanted.toLowerCase()));
  if (found.length === 1) return data.ends.indexOf(found[0]);
  if (found.length > 1) return `${wanted} may be ${found.slice(0, 6).join(", ")}: say which.`;
  const near = data.ends.filter((end) => end.toLowerCase().includes(wanted.toLowerCase())).slice(0, 6);
  return `This report holds no answers about ${wanted}` + (near.length > 0 ? `. Near: ${near.join(", ")}.` : ". It may be finer than what is in this file: an address, a name, one machine among several that are treated alike.");
}

const pairs = new Map(data ? data.pairs.map(([from, to, ...ways]) => [from + " " + to, ways.map((w) => data.ways[w])]) : []);

// decide answers a question: reachable, unreachable (proved), unknown, or "" where the data does not say.
function decide(from, to, service) {
  if (from === to) return {verdict: "", why: "An end is not asked about itself here."};
  if (!data.whole && from >= data.zones && to >= data.zones) return {verdict: "", why: "One end must be a zone: pairs of two other ends are left out of this file."};
  if (service.source) return {verdict: "", why: "Source ports are finer than what is in this file."};
  const ways = pairs.get(from + " " + to) || [];
  const asked = (s) => ways.map((w) => ({...w, services: common(s, data.services[w.services])}));
  const hit = asked(service).filter((w) => w.services.length > 0), others = [];
  const sure = hit.filter((w) => w.verdict === "reachable");
  if (sure.length > 0) return {verdict: "reachable", ways: [...sure, ...hit.filter((w) => w.verdict !== "reachable")], others};
  if (ways.some((w) => w.more)) return {verdict: "", why: "The services of this pair are too many for this file."};
  if (hit.length > 0) return {verdict: "unknown", ways: hit, others};
  return {verdict: "unreachable", ways: [], others: asked({any: true})};
}

// wayText says what a way lets through; possibly, where the answer as a whole is certain.
function wayText(way, verdict) {
  const most = 12, more = way.services.length - most;
  return (way.verdict === "unknown" && verdict !== "unknown" ? "possibly " : "") + way.services.slice(0, most).join(", ") + (more > 0 ? ` and ${more} more` : "") +
    ", " + way.kind + (way.via.length > 0 ? " via " + way.via.join(" › ") : "");
}

const quoted = (text) => (/^[\w:.,/-]+$/.test(text) ? text : "'" + text.replaceAll("'", "'\\''") + "'");

// proofs are the packets and walls that the page has of an answer.
function proofs(from, to, service, answer) {
  const [a, b] = [data.ends[from], data.ends[to]];
  if (answer.verdict === "unreachable") {
    const wall = data.walls.findIndex((w) => w[0] === a && w[1] === b);
    return wall < 0 ? [] : [element("p", {}, "What stands in the way:"), tablePart(document.getElementById("wall-" + (wall + 1)))];
  }
  const shown = [], alike = [];
  data.courses.forEach((c, i) => {
    const here = c.from === a && c.to === b && answer.ways.some((w) => w.kind === c.kind && w.verdict === c.verdict && w.via.join() === c.via.join());
    const shows = service.any || c.protocol === service.protocol && (portless.includes(c.protocol) || service.first <= c.port && c.port <= service.last);
    const course = document.getElementById("course-" + (i + 1));
    if (here && course) (shows ? shown : alike).push(copy(course));
  });
  if (shown.length > 0 || alike.length === 0) return shown;
  return [element("p", {class: "soft"}, "The packet in this file takes the same way, but is of another service:"), ...alike];
}

function ask(form, out) {
  const service = parseService(form.elements.service.value);
  const [from, to] = ["from", "to"].map((name) => endOf(form.elements[name].value));
  const wrong = [from, to].filter((x) => typeof x === "string");
  if (!service) wrong.push("A service is tcp/443, udp/53, tcp/8000-8100, icmp or any.");
  const answer = wrong.length > 0 ? {verdict: "", why: wrong.join(" ")} : decide(from, to, service);
  const command = wrong.length > 0 ? null : `ringfence reach --from ${quoted(data.ends[from])} --to ${quoted(data.ends[to])} --service ${quoted(service.text)} PROJECT`;
  const parts = [];
  if (answer.verdict === "") {
    parts.push(element("p", {}, element("span", {class: "verdict note"}, "not answered here"), " " + answer.why));
  } else {
    const says = {
      reachable: "Yes: packets can be delivered.", unreachable: "No: it is proved that no packet can be delivered.",
      unknown: "Not known: packets may be delivered; the input does not decide it.",
    }[answer.verdict];
    parts.push(element("p", {}, element("span", {class: "verdict " + answer.verdict}, answer.verdict), ` ${data.ends[from]} to ${data.ends[to]}, ${service.text}. `, element("strong", {}, says)));
    const list = (ways) => element("ul", {class: "plain"}, ...ways.map((w) => element("li", {}, wayText(w, answer.verdict))));
    if (answer.ways.length > 0) parts.push(list(answer.ways));
    if (answer.others.length > 0) parts.push(element("p", {}, "Other services of this pair:"), list(answer.others));
    parts.push(...proofs(from, to, service, answer));
  }
  if (command) parts.push(element("p", {class: "soft"}, answer.verdict === "" ? "Ask: " : "Each flow and every rule: ", element("code", {}, command)));
  out.dataset.verdict = answer.verdict;
  out.replaceChildren(...parts);
}

if (data) {
  const form = one("#question"), out = one("#answer");
  form.hidden = false;
  one("#scriptless").hidden = true;
  one("#ends").append(...data.ends.map((end) => element("option", {value: end})));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form, out);
  });
}

// ---- Pictures: zoom, move, search, and lines that lead to their packets.

function explorePicture(figure) {
  const svg = one("svg", figure);
  const lines = all("g.flow", svg), words = all('g[class^="pill-"]', svg);
  const pills = words.length === lines.length ? words : []; // the words of each line, in the same order
  const pillOf = (line) => pills[lines.indexOf(line)];
  const boxes = all("g.zone[aria-label],g.node[aria-label],g.held[aria-label],g.inner[aria-label]", svg);
  const items = [...boxes, ...lines];
  const says = (g) => g.getAttribute("aria-label");
  const more = (g) => (one(":scope > desc", g) ? one(":scope > desc", g).textContent : "");
  const info = element("p", {class: "info soft"}, "Point at a box or a line; click it for its packets. Arrow keys go from one to the next, + and - zoom, dragging moves the picture.");
  const find = element("input", {type: "search", autocomplete: "off", spellcheck: "false"}), found = element("output");
  const button = (label, name, act) => {
    const b = element("button", {type: "button", "aria-label": name, title: name}, label);
    b.addEventListener("click", act);
    return b;
  };

  let zoom = 1;
  function zoomTo(k, x = figure.clientWidth / 2, y = figure.clientHeight / 2) {
    k = Math.min(8, Math.max(0.25, k));
    const [left, top] = [(figure.scrollLeft + x) * k / zoom - x, (figure.scrollTop + y) * k / zoom - y];
    zoom = k;
    svg.style.setProperty("--zoom", String(k));
    figure.scrollTo(left, top);
  }
  const bar = element("div", {class: "tools picture"},
    button("−", "Zoom out", () => zoomTo(zoom / 1.25)), button("+", "Zoom in", () => zoomTo(zoom * 1.25)), button("1:1", "1:1, the whole width", () => zoomTo(1)),
    element("label", {}, "Find ", find), found);
  figure.before(bar);
  figure.after(info);
  figure.classList.add("explorable");

  // A line shows the packets of its flows, a box the lines that it has.
  const linesOf = (box) => {
    const ref = box.dataset.ref, named = (end) => end === ref || !ref && says(box).endsWith(end);
    return lines.filter((l) => named(l.dataset.from) || named(l.dataset.to));
  };
  function open(g) {
    if (!lines.includes(g)) {
      const list = linesOf(g).map((l) => {
        const b = element("button", {type: "button", class: "link"}, says(l));
        b.addEventListener("click", () => open(l));
        return element("li", {}, b);
      });
      show(says(g), element("p", {}, more(g)), list.length > 0 ? element("ul", {class: "plain"}, ...list) : element("p", {class: "soft"}, "No line of this picture begins or ends here."));
      return;
    }
    const courses = (data && data.lines[g.id] || []).map((i) => document.getElementById("course-" + (i + 1))).filter(Boolean);
    show(says(g).split(": ")[0], element("p", {}, says(g)), ...(courses.length > 0 ? courses.map(copy) : [element("p", {class: "soft"}, "This file holds no packet for this line.")]));
  }
  function point(g) {
    svg.classList.toggle("tracing", g !== null);
    for (const e of [...items, ...pills]) e.classList.remove("lit");
    if (!g) return;
    for (const e of lines.includes(g) ? [g] : linesOf(g)) {
      e.classList.add("lit");
      if (pillOf(e)) pillOf(e).classList.add("lit");
    }
    info.textContent = [says(g), more(g)].filter(Boolean).join(". ");
  }
  const itemAt = (target) => {
    const pill = lines[pills.indexOf(target.closest('g[class^="pill-"]'))];
    const g = target.closest("[aria-label]");
    return pill || (items.includes(g) ? g : null);
  };

  for (const l of lines) {
    for (const path of all("path", l)) { // a thin line is hard to hit
      const wide = path.cloneNode(false);
      wide.setAttribute("class", "hit");
      l.append(wide);
    }
  }
  for (const g of items) {
    if (lines.includes(g)) g.setAttribute("role", "button"); // a box stays a group, as it may hold others
    else g.setAttribute("aria-description", "Enter shows its lines");
    g.setAttribute("tabindex", "-1");
    for (const t of all("title", g)) if (t.parentNode === g) t.remove(); // its words stand in aria-label, and below the picture
  }
  const first = lines[0] || boxes[0];
  if (first) first.setAttribute("tabindex", "0");
  svg.addEventListener("focusin", (event) => {
    if (!items.includes(event.target)) return;
    for (const g of items) g.setAttribute("tabindex", g === event.target ? "0" : "-1");
    point(event.target);
  });
  svg.addEventListener("focusout", () => point(null));
  svg.addEventListener("mouseover", (event) => point(itemAt(event.target)));
  svg.addEventListener("mouseleave", () => point(null));
  svg.addEventListener("click", (event) => {
    const g = itemAt(event.target);
    if (g && !moved) {
      g.focus({preventScroll: true});
      open(g);
    }
  });
  figure.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = items.indexOf(document.activeElement);
    if (event.key === "+" || event.key === "=") zoomTo(zoom * 1.25);
    else if (event.key === "-") zoomTo(zoom / 1.25);
    else if (event.key === "0") zoomTo(1);
    else if (at >= 0 && (event.key === "Enter" || event.key === " ")) open(items[at]);
    else if (at >= 0 && event.key.startsWith("Arrow")) {
      const step = event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : -1;
      items[(at + step + items.length) % items.length].focus();
    } else return;
    event.preventDefault();
  });
  figure.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const box = figure.getBoundingClientRect();
    zoomTo(zoom * (event.deltaY < 0 ? 1.1 : 1 / 1.1), event.clientX - box.left, event.clientY - box.top);
  }, {passive: false});

  // Dragging with a mouse scrolls; fingers do so by themselves.
  let from = null, moved = false;
  figure.addEventListener("pointerdown", (event) => {
    moved = false;
    if (event.pointerType === "mouse" && event.button === 0) from = {x: event.clientX + figure.scrollLeft, y: event.clientY + figure.scrollTop};
  });
  window.addEventListener("pointermove", (event) => {
    if (!from) return;
    const [left, top] = [from.x - event.clientX, from.y - event.clientY];
    moved ||= Math.abs(left - figure.scrollLeft) + Math.abs(top - figure.scrollTop) > 4;
    if (moved) figure.scrollTo(left, top);
  });
  window.addEventListener("pointerup", () => { from = null; });

  let hits = [];
  find.addEventListener("input", () => {
    const word = find.value.trim().toLowerCase();
    hits = word === "" ? [] : items.filter((g) => (says(g) + " " + more(g)).toLowerCase().includes(word));
    svg.classList.toggle("finding", word !== "");
    for (const g of items) g.classList.toggle("found", hits.includes(g));
    lines.forEach((l) => pillOf(l) && pillOf(l).classList.toggle("found", hits.includes(l)));
    found.textContent = word === "" ? "" : `${hits.length} found`;
  });
  find.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || hits.length === 0) return;
    event.preventDefault();
    const g = hits.shift();
    hits.push(g); // the next time, the next one
    g.focus({preventScroll: true});
    g.scrollIntoView({block: "center", inline: "center"});
  });
  return {svg, open};
}

const pictures = all("section.sheets figure").filter((f) => one("svg", f)).map(explorePicture);

// The table of a picture leads to the same packets as its lines.
for (const row of all("tr[data-line]")) {
  const line = document.getElementById(row.dataset.line);
  const picture = pictures.find((p) => line && p.svg.contains(line));
  if (!picture) continue;
  const cell = row.cells[0];
  const b = element("button", {type: "button", class: "link", "aria-label": `flow ${cell.textContent}: its packets`}, cell.textContent);
  b.addEventListener("click", () => picture.open(line));
  cell.replaceChildren(b);
}
}
