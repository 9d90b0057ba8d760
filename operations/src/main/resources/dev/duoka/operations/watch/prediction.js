"use strict";
/* What was predicted of a run before its first step, beside what was measured. */
function showPrediction(box, it, word, make) {
  box.hidden = !it;
  if (!it) return;
  const GIB = 2 ** 30, MIB = 2 ** 20;
  const bytes = value => value === null ? "…" : Math.abs(value) >= GIB ? (value / GIB).toFixed(2) + " GiB"
    : (value / MIB).toFixed(Math.abs(value) >= 100 * MIB ? 0 : 1) + " MiB";
  const seconds = value => value === null ? "…" : value >= 1 ? value.toFixed(2) + " s" : (value * 1e3).toPrecision(3) + " ms";
  const owner = name => word(name === "gradients" ? "gradientsOwner" : name);

  /* A bar of what was measured, with a mark where it was predicted. */
  function bar(predicted, measured, most, bad) {
    const NS = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(NS, "svg");
    svg.setAttribute("viewBox", "0 0 100 10");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("class", "bar" + (bad ? " over" : ""));
    svg.setAttribute("aria-hidden", "true");
    const part = (x, width, kind) => {
      const rect = document.createElementNS(NS, "rect");
      rect.setAttribute("x", String(x));
      rect.setAttribute("y", kind === "mark" ? "0" : "2");
      rect.setAttribute("width", String(width));
      rect.setAttribute("height", kind === "mark" ? "10" : "6");
      rect.setAttribute("class", kind);
      svg.append(rect);
    };
    const at = value => Math.max(0, Math.min(100, 100 * (value || 0) / (most || 1)));
    part(0, at(measured), "measured");
    if (predicted !== null) part(Math.min(98.5, at(predicted)), 1.5, "mark");
    return svg;
  }

  function table(heads, rows) {
    const node = make("table");
    const head = make("tr");
    heads.forEach(text => head.append(make("th", text)));
    const body = make("tbody");
    rows.forEach(cells => {
      const line = make("tr", undefined, cells.kind);
      cells.forEach(cell => {
        const box = make("td", typeof cell === "string" ? cell : undefined);
        if (typeof cell !== "string") box.append(cell);
        line.append(box);
      });
      body.append(line);
    });
    const top = make("thead");
    top.append(head);
    node.append(top, body);
    return node;
  }

  const ratio = (predicted, measured) => predicted && measured !== null
    ? (measured >= predicted ? "+" : "−") + Math.abs(100 * (measured / predicted - 1)).toFixed(0) + " %" : "";

  const findings = make("ul", undefined, "findings");
  const same = new Map(); /* what is found of many cards alike is said once */
  it.findings.forEach(finding => {
    const value = finding.kind === "unknown" || finding.kind === "more" ? bytes(finding.value) : finding.value.toFixed(2);
    const key = finding.kind + " " + value;
    if (!same.has(key)) same.set(key, {kind: finding.kind, value, about: [], texts: []});
    same.get(key).about.push(finding.about);
    same.get(key).texts.push(finding.text);
  });
  same.forEach(({kind, value, about, texts}) => {
    const key = "finding" + kind[0].toUpperCase() + kind.slice(1);
    const line = make("li", word(key).replace("{value}", value).replace("{about}", about.join(", ")), kind);
    line.title = texts.join("\n");
    findings.append(line);
  });
  if (it.findings.length === 0 && it.times[0].measured !== null) findings.append(make("li", word("asPredicted"), "good"));

  const times = make("div");
  const probe = /^a probe of (\d+) steps on this CPU$/.exec(it.source), planner = /^the planner for (.*)$/.exec(it.source);
  const source = probe ? word("probeSource").replace("{value}", probe[1])
    : planner ? word("plannerSource").replace("{value}", planner[1]) : it.source;
  times.append(make("h3", word("stepTime") + (source ? " · " + source : "")));
  if (it.why_no_step) times.append(make("p", word("noStepTime") + ": " + it.why_no_step, "soft"));
  const longest = it.times.reduce((most, row) => Math.max(most, row.predicted || 0, row.measured || 0), 0);
  const over = row => row.predicted !== null && row.measured > 1.1 * row.predicted;
  let kind = "";
  const timeRows = [];
  it.times.forEach(row => {
    if (row.kind !== kind && row.kind !== "step") {
      const head = [make("strong", word(row.kind)), "", "", "", ""];
      timeRows.push(head);
    }
    kind = row.kind;
    if (row.predicted === null && row.measured === null) return;
    timeRows.push([row.kind === "step" ? word("whole") : word(row.name), row.predicted === null ? "–" : seconds(row.predicted),
      row.measured === null && it.times[0].measured !== null ? "–" : seconds(row.measured), ratio(row.predicted, row.measured), bar(row.predicted, row.measured, longest, over(row))]);
  });
  times.append(table(["", word("predicted"), word("measured"), "", ""], timeRows));
  if (it.source) {
    const parts = [word("range") + " " + seconds(it.low) + " … " + seconds(it.high)];
    if (it.floor !== undefined) {
      const taken = it.times[0].measured;
      parts.push(word("floorTime") + " " + seconds(it.floor)
        + (taken ? " (" + word("roofline") + " " + (100 * it.floor / taken).toFixed(1) + " %)" : ""));
    }
    times.append(make("p", parts.join(" · "), "soft"));
  }

  const memory = make("div");
  memory.append(make("h3", word("memoryOf")));
  const counts = it.devices.map(device => {
    const beside = Object.values(device.beside).reduce((sum, each) => sum + each, 0);
    const bad = it.findings.some(each => each.kind === "unknown" && each.about === device.name);
    return [device.name + " · " + word("rank") + " " + device.ranks.join(", "), bytes(device.predicted - beside), bytes(beside),
      bytes(device.predicted), bytes(device.driver), bytes(device.unknown === null ? null : Math.max(0, device.unknown)),
      bar(device.predicted, device.driver, Math.max(device.predicted, device.driver || 0), bad)];
  });
  memory.append(table(["", word("tensors"), word("beside"), word("predicted"), word("driverCount"), word("unknownMemory"), ""], counts));
  const ranks = [...new Set(it.owners.map(row => row.rank))];
  const largest = it.owners.reduce((most, row) => Math.max(most, row.predicted, row.measured || 0), 0);
  ranks.forEach(rank => {
    const rows = it.owners.filter(row => row.rank === rank).sort((a, b) => b.predicted - a.predicted);
    const sum = name => rows.reduce((all, row) => row[name] === null || all === null ? null : all + row[name], 0);
    const details = make("details");
    details.open = opened.has(rank) || (opened.size === 0 && rank === 0 && !touched);
    details.addEventListener("toggle", () => {
      touched = true;
      if (details.open) opened.add(rank); else opened.delete(rank);
    });
    details.append(make("summary", word("rank") + " " + rank + ": " + word("predicted") + " " + bytes(sum("predicted")) + ", "
      + word("measured") + " " + bytes(sum("measured"))));
    details.append(table([word("owner"), word("predicted"), word("measured"), "", ""], rows.map(row => [owner(row.owner),
      bytes(row.predicted), bytes(row.measured), ratio(row.predicted, row.measured),
      bar(row.predicted, row.measured, largest, row.measured > 1.02 * row.predicted + 16 * MIB)])));
    memory.append(details);
  });

  const both = make("div", undefined, "both");
  both.append(times, memory);
  box.replaceChildren(make("h2", word("prediction")), findings, both,
    make("p", word("predictionHash") + " " + it.sha256.slice(0, 16) + "…", "soft"));
}
/* Which ranks' tables a reader has opened; the section is made anew each time. */
const opened = new Set();
let touched = false;
