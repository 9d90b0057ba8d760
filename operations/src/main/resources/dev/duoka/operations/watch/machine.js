"use strict";
/* Where a run's time went, and where its ranks are. */
function showGoodput(box, it, word, make) {
  const times = it.goodput;
  box.hidden = !times || !(times.wall > 0);
  if (box.hidden) return;
  const exchange = times.exposed_share === null ? 0 : times.exposed_share * times.steps;
  const parts = [["inSteps", times.steps - times.data - exchange], ["onlyExchange", exchange], ["waitingData", times.data],
    ["inValidation", times.validation], ["otherTime", times.other], ["stoppedTime", times.stopped]].filter(part => part[1] > 0);
  const NS = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", "0 0 1000 10");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "stack");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", word("goodput"));
  const sum = parts.reduce((all, part) => all + part[1], 0);
  let x = 0;
  const list = make("ul", undefined, "legend");
  const text = value => value >= 7200 ? (value / 3600).toFixed(1) + " h" : value >= 120 ? (value / 60).toFixed(1) + " min" : value.toFixed(1) + " s";
  parts.forEach(([name, seconds]) => {
    const rect = document.createElementNS(NS, "rect");
    const width = 1000 * seconds / sum;
    rect.setAttribute("x", String(x));
    rect.setAttribute("width", String(width));
    rect.setAttribute("height", "10");
    rect.setAttribute("class", name);
    svg.append(rect);
    x += width;
    list.append(make("li", word(name) + " " + text(seconds) + " (" + (100 * seconds / sum).toFixed(1) + " %)", name));
  });
  const saved = it.checkpoints.length > 0 ? [make("p", word("checkpoints") + ": " + it.checkpoints.slice(-12).join(", "), "soft")] : [];
  box.replaceChildren(make("h2", word("goodput") + (times.ratio === null ? "" : " · " + (100 * times.ratio).toFixed(1) + " %")),
    svg, list, ...saved);
}

function showMachine(box, it, word, make) {
  const mesh = it.placement;
  box.hidden = !mesh || !mesh.seats;
  if (box.hidden) return;
  const axes = Object.entries(mesh.axes).filter(axis => axis[1] > 1);
  const cards = it.cards || [];
  const picture = make("div", undefined, "wide-picture"), svg = machinePicture(mesh, cards, word);
  picture.tabIndex = 0;
  if (svg) picture.append(svg); else picture.append(make("p", mesh.seats.length + " " + word("tooMany"), "soft"));
  /* CUDA counts the cards that the run sees, the driver all: only their identity is the same. */
  const loads = make("ul", undefined, "groups");
  const uuids = new Map(mesh.seats.filter(seat => seat.uuid).map(seat => [seat.uuid, seat.device]));
  cards.filter(card => uuids.has(card.uuid)).forEach(card =>
    loads.append(make("li", uuids.get(card.uuid) + ": " + cardText(card, word), card.stale ? "stale" : "")));
  if (it.cardsProblem) loads.append(make("li", it.cardsProblem, "stale"));
  const groups = make("ul", undefined, "groups");
  mesh.groups.forEach(group => groups.append(make("li", groupText(group))));
  const before = box.querySelector(".wide-picture"), scrolled = before ? before.scrollLeft : 0;
  box.replaceChildren(make("h2", word("machine")), make("p", axes.map(axis => axis[0] + " " + axis[1]).join(" × "), "soft"), picture, loads, groups);
  picture.scrollLeft = scrolled;
}

function cardText(card, word) {
  const parts = [];
  const add = (value, text) => { if (value !== null && value !== undefined) parts.push(text(value)); };
  add(card.utilisation, value => value + " %");
  add(card.sm_active, value => "SM " + value.toFixed(0) + " %");
  add(card.tensor_active, value => word("tensor cores") + " " + value.toFixed(0) + " %");
  add(card.dram_active, value => "DRAM " + value.toFixed(0) + " %");
  add(card.memory_bytes, value => (value / 2 ** 30).toFixed(1) + " GiB");
  add(card.watts, value => value.toFixed(0) + " W");
  add(card.celsius, value => value.toFixed(0) + " °C");
  add(card.sm_mhz, value => value + " MHz");
  const rate = value => "↑ " + (value.sent / 1e9).toFixed(1) + " ↓ " + (value.received / 1e9).toFixed(1) + " GB/s";
  add(card.nvlink, value => "NVLink " + rate(value));
  add(card.pcie, value => "PCIe " + rate(value));
  return (card.stale ? word("stale") + ": " : "") + parts.join(" · ");
}
