"use strict";
/* The machines of a run as one picture: NUMA nodes, in them PCIe switches with cards and network cards, NVLink above them,
   and below them the groups of ranks that exchange, each rank under the card or process that it is on. */
const MOST_PLACES = 128; /* cards and processes of one picture */

const rateText = rate => (rate.low === rate.high ? +rate.low.toPrecision(3) : +rate.low.toPrecision(3) + "–" + +rate.high.toPrecision(3)) + " GB/s"
  + (rate.assumed ? " (?)" : "");
const groupText = group => group.axis + " " + group.ranks.join(", ") + ": " + group.slowest_link
  + (group.gb_per_s_each_way ? " " + rateText(group.gb_per_s_each_way) : "");

function machinePicture(mesh, cards, word) {
  const NS = "http://www.w3.org/2000/svg";
  const GAP = 12, CHIP = 20, LINE = 15, LEFT = 92, TRACK = 22, MOST_SEATS = 8;
  const topology = mesh.topology || {};
  const devices = topology.devices || [], nics = topology.nic_devices || [];
  const hosts = new Map();
  mesh.seats.forEach(seat => {
    if (!hosts.has(seat.node)) hosts.set(seat.node, []);
    hosts.get(seat.node).push(seat);
  });
  const used = Object.entries(mesh.axes).filter(axis => axis[1] > 1).map(axis => axis[0]);
  /* A rank's number among those that read other data is one, be they shards or replicas. */
  const shownAxes = ["pipeline", "data", "context", "tensor", "expert"].filter(name =>
    used.includes(name) || (name === "data" && (used.includes("shard") || used.includes("replicate"))));
  const seatText = seat => word("rank") + " " + seat.rank + shownAxes.map(name => " · " + name + " " + seat[name]).join("");

  /* What lies side by side: of each host its NUMA nodes, of each node its places, by PCIe switches. */
  const placeOf = (key, title, detail, seats, uuid) => ({key, title, detail, seats, card: uuid && cards.find(card => card.uuid === uuid)});
  function regionsOf(seats) {
    const placed = new Map(), others = new Map();
    seats.forEach(seat => {
      const isKnown = Number.isInteger(seat.index) && seat.index < devices.length;
      const key = isKnown ? seat.index : seat.device === "cpu" ? word("process") + " " + seat.process : seat.device || "–";
      const map = isKnown ? placed : others;
      if (!map.has(key)) map.set(key, []);
      map.get(key).push(seat);
    });
    const card = index => {
      const own = placed.get(index) || [], first = own[0];
      const name = first && first.card || devices[index].name || "";
      return placeOf(index, "GPU " + index + (first && first.device ? " = " + first.device : ""), name.replace(/^NVIDIA /, ""), own,
        first && first.uuid);
    };
    const regions = new Map();
    const region = id => {
      const key = id === null || id === undefined ? "" : String(id);
      if (!regions.has(key)) regions.set(key, {id: key, groups: [], nics: []});
      return regions.get(key);
    };
    (topology.numa_nodes || []).forEach(node => Object.assign(region(node.id), {cpus: node.cpus, bytes: node.memory_bytes}));
    const inSwitch = new Set(), nicsInSwitch = new Set();
    (topology.pcie_switches || []).filter(group => group.gpus.length > 0).forEach(group => {
      group.gpus.forEach(gpu => inSwitch.add(gpu));
      group.nics.forEach(nic => nicsInSwitch.add(nic));
      region(topology.numa[group.gpus[0]]).groups.push({label: word(group.tree ? "pcieSwitches" : "pcieSwitch"), places: group.gpus.map(card),
        nics: group.nics.map(label => nics.find(nic => nic.label === label) || {label})});
    });
    devices.filter(gpu => !inSwitch.has(gpu.index)).forEach(gpu => region(gpu.numa_node).groups.push({places: [card(gpu.index)], nics: []}));
    nics.filter(nic => !nicsInSwitch.has(nic.label)).forEach(nic => region(nic.numa_node).nics.push(nic));
    if (others.size > 0) {
      /* Nobody binds a process of the CPU to a node: it has one only where there is but one. */
      const free = regions.size === 1 ? [...regions.values()][0] : {id: null, groups: [], nics: []};
      others.forEach((own, key) => free.groups.push({nics: [], places: [placeOf(key, key, own[0].card || "", own, own[0].uuid)]}));
      if (free.id === null) regions.set(null, free);
    }
    return [...regions.values()].sort((a, b) => (a.id === null) - (b.id === null) || (a.id === "") - (b.id === "") || Number(a.id) - Number(b.id));
  }
  const parts = [...hosts].sort((a, b) => a[0] - b[0]).map(([node, seats]) => ({node, regions: regionsOf(seats)}));
  const places = parts.flatMap(part => part.regions.flatMap(region => region.groups.flatMap(group => group.places)));
  if (places.length > MOST_PLACES) return null;

  const svg = document.createElementNS(NS, "svg");
  const add = (name, attributes, text, parent) => {
    const node = document.createElementNS(NS, name);
    Object.entries(attributes).forEach(([key, value]) => node.setAttribute(key, String(value)));
    if (text !== undefined) node.textContent = text;
    (parent || svg).append(node);
    return node;
  };
  const rect = (kind, x, y, width, height) => add("rect", {class: kind, x, y, width, height, rx: 6});
  const write = (kind, x, y, text, anchor) => add("text", Object.assign({class: kind, x, y}, anchor ? {"text-anchor": anchor} : {}), text);
  const wide = text => [...text].reduce((sum, letter) => sum + (letter > "\u2e80" ? 11.5 : 6.3), 0);
  const nicText = nic => (nic.device || nic.label) + (nic.gigabits_per_second ? " " + nic.gigabits_per_second + "G" : "");
  const load = card => card && [[card.utilisation, value => value + " %"], [card.memory_bytes, value => (value / 2 ** 30).toFixed(1) + " GiB"],
    [card.watts, value => value.toFixed(0) + " W"]].filter(each => each[0] !== null && each[0] !== undefined).map(each => each[1](each[0])).join(" · ");
  places.forEach(place => {
    const alone = place.seats.length === 1 && shownAxes.length > 1 ? place.seats[0] : null;
    place.lines = alone ? [word("rank") + " " + alone.rank, ...shownAxes.map(name => name + " " + alone[name])]
      : place.seats.slice(0, MOST_SEATS).map(seatText);
    if (place.seats.length > MOST_SEATS) place.lines.push("… +" + (place.seats.length - MOST_SEATS));
    if (place.seats.length === 0) place.lines.push(word("notUsed"));
    place.load = load(place.card);
    place.width = Math.max(110, place.seats.length * 20 + 8, 20 + Math.max(1.25 * wide(place.title), ...[place.detail, place.load || "", ...place.lines].map(wide)));
    place.height = 24 + (place.detail ? LINE : 0) + (place.load ? LINE : 0) + place.lines.length * LINE + 4;
  });

  /* NVLink above the cards: a bar where all pairs of three and more have as many links, else a line for each pair. */
  const switched = topology.nvswitches || [];
  const linkOf = (a, b) => (topology.links || {})[Math.min(a, b) + "-" + Math.max(a, b)] || "";
  const pairs = Object.entries(topology.links || {}).filter(link => link[1].startsWith("NV")).map(link => link[0].split("-").map(Number));
  const isEven = group => new Set(group.flatMap((a, i) => group.slice(i + 1).map(b => linkOf(a, b)))).size === 1;
  const bars = ((topology.placement || {}).nvlink_groups || []).filter(group => group.length > 2 && isEven(group));
  const arcs = pairs.filter(pair => !bars.some(bar => bar.includes(pair[0]) && bar.includes(pair[1])));
  const rateOf = (a, b) => {
    const rate = (topology.bandwidth_gb_per_s || {})[Math.min(a, b) + "-" + Math.max(a, b)];
    return rate ? rateText(rate) : "";
  };
  const title = parts.length > 1 ? 20 : 0, arcRise = arcs.length > 0 ? 50 : 0;
  const cardsTop = title + 8 + bars.length * 30 + arcRise + 20;
  const cardsBottom = cardsTop + places.reduce((most, place) => Math.max(most, place.height), 0);
  const isSwitched = parts.some(part => part.regions.some(region => region.groups.some(group => group.label)));
  let x = LEFT, bottom = 0;
  const middles = new Map(); /* of the ranks */
  parts.forEach(part => {
    const hostLeft = x, middle = new Map();
    x += parts.length > 1 ? GAP : 0;
    part.regions.forEach(region => {
      const left = x, frame = rect("numa", left, cardsTop - 18, 0, 0);
      let y = cardsBottom + (isSwitched ? 8 : 0);
      x += GAP;
      region.groups.forEach(group => {
        const begin = x;
        const box = group.label ? rect("pcie-switch", begin, cardsTop - 8, 0, 0) : null;
        if (box) x += 8;
        group.places.forEach(place => {
          drawPlace(place, x);
          middle.set(place.key, x + place.width / 2);
          x += place.width + GAP;
        });
        let lowest = cardsBottom;
        if (box) {
          x += 8 - GAP;
          lowest = chips(group.nics, begin + 8, lowest + 6, x - begin - 16) + LINE;
          const width = Math.max(x - begin, wide(group.label) + 20);
          box.setAttribute("width", width);
          box.setAttribute("height", lowest + 4 - (cardsTop - 8));
          write("soft", begin + 8, lowest - 1, group.label);
          x = begin + width + GAP;
        }
        y = Math.max(y, lowest + (box ? 8 : 0));
      });
      const name = region.id === null ? word("allNodes") : region.id === "" ? word("numaUnknown") : word("numa") + " " + region.id
        + (region.cpus ? " · CPU " + (region.cpus.length > 24 ? region.cpus.slice(0, 23) + "…" : region.cpus) : "")
        + (region.bytes ? " · " + (region.bytes / 2 ** 30).toFixed(0) + " GiB" : "");
      const width = Math.max(x - left, wide(name) + 2 * GAP);
      y = chips(region.nics, left + GAP, y + 6, width - 2 * GAP);
      write("soft", left + GAP, y + LINE, name);
      frame.setAttribute("width", width);
      frame.setAttribute("height", y + LINE + 8 - (cardsTop - 18));
      bottom = Math.max(bottom, y + LINE + 8);
      x = left + width + GAP;
    });
    drawLinks(middle, title + 8);
    part.left = hostLeft;
    part.right = x;
    x += parts.length > 1 ? 2 * GAP : 0;
  });
  parts.forEach(part => {
    const nodes = part.regions.filter(region => region.id !== null && region.id !== "").length;
    if (nodes > 1) {
      add("line", {class: "between", x1: part.left + 20, y1: bottom + 12, x2: part.right - 20, y2: bottom + 12});
      write("soft", (part.left + part.right) / 2, bottom + 26, word("betweenNodes"), "middle");
    }
    if (parts.length > 1) {
      svg.prepend(rect("host", part.left, 0, part.right - part.left + GAP / 2, bottom + 34));
      write("place-name", part.left + GAP, 15, word("node") + " " + part.node);
    }
  });
  bottom += parts.length > 1 || parts.some(part => part.regions.length > 1) ? 40 : 10;
  bottom = drawGroups(bottom);
  svg.setAttribute("viewBox", "0 0 " + Math.ceil(x + 4) + " " + Math.ceil(bottom));
  svg.setAttribute("width", String(Math.ceil(x + 4)));
  svg.setAttribute("height", String(Math.ceil(bottom)));
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", word("machine"));
  svg.setAttribute("class", "picture");
  return svg;

  function drawPlace(place, left) {
    const isCard = Number.isInteger(place.key);
    const box = rect("place" + (place.seats.length === 0 ? " unused" : isCard ? " card" : ""), left, cardsTop, place.width, place.height);
    if (place.card && place.card.stale) box.classList.add("stale-card");
    let y = cardsTop + 17;
    write("place-name", left + place.width / 2, y, place.title, "middle");
    [place.detail, place.load].filter(text => text).forEach(text => { y += LINE; write("soft", left + place.width / 2, y, text, "middle"); });
    place.lines.forEach((line, i) => {
      y += LINE;
      if (place.seats[i] && i < MOST_SEATS) add("rect", {class: "stage" + place.seats[i].pipeline % 4, x: left + 4, y: y - 10, width: 4, height: 12});
      write("seat-text", left + 12, y, line);
    });
    place.seats.forEach((seat, i) => middles.set(seat.rank, left + place.width * (i + 1) / (place.seats.length + 1)));
  }

  function chips(list, left, top, width) {
    let across = left, down = top;
    list.forEach(nic => {
      const text = nicText(nic), size = wide(text) + 12;
      if (across > left && across + size > left + width) { across = left; down += CHIP + 4; }
      rect("nic", across, down, size, CHIP);
      write("soft", across + 6, down + 14, text);
      across += size + 6;
    });
    return list.length > 0 ? down + CHIP : top - 6;
  }

  function drawLinks(middle, top) {
    bars.forEach((bar, i) => {
      const at = bar.map(gpu => middle.get(gpu)), from = Math.min(...at) - 50, to = Math.max(...at) + 50, y = top + i * 30;
      at.forEach(place => add("line", {class: "nvlink", x1: place, y1: y + 22, x2: place, y2: cardsTop, "stroke-width": 4}));
      const isSwitch = switched.some(group => bar.every(gpu => group.includes(gpu)));
      rect(isSwitch ? "nvswitch" : "nvlink-bar", from, y, to - from, 22);
      write("nvlink-text", (from + to) / 2, y + 15, (isSwitch ? "NVSwitch" : "NVLink") + " · " + linkOf(bar[0], bar[1])
        + (rateOf(bar[0], bar[1]) ? " · " + rateOf(bar[0], bar[1]) + " " + word("eachWay") : ""), "middle");
    });
    arcs.forEach(([a, b]) => {
      const from = middle.get(a), to = middle.get(b), rise = Math.min(44, 22 + Math.abs(to - from) / 10), count = Number(linkOf(a, b).slice(2));
      const path = add("path", {class: "nvlink", d: "M " + from + " " + cardsTop + " Q " + (from + to) / 2 + " " + (cardsTop - 2 * rise) + " " + to + " " + cardsTop,
        "stroke-width": Math.min(6, 1 + count / 2)});
      add("title", {}, "GPU " + a + " – GPU " + b + ": " + linkOf(a, b) + " " + rateOf(a, b), path);
      if (arcs.length <= 4) write("soft", (from + to) / 2, cardsTop - rise - 5, linkOf(a, b) + (rateOf(a, b) ? " · " + rateOf(a, b) : ""), "middle");
    });
  }

  /* The groups of each axis in as few rows as they need, the ranks as numbered points under their places. */
  function drawGroups(top) {
    let y = top;
    const axes = [...new Set(mesh.groups.map(group => group.axis))];
    axes.forEach(axis => {
      const rows = [];
      mesh.groups.filter(group => group.axis === axis).forEach(group => {
        const at = group.ranks.map(rank => middles.get(rank)), from = Math.min(...at), to = Math.max(...at);
        let row = rows.find(each => each.every(other => other.to + 20 < from || to + 20 < other.from));
        if (!row) { row = []; rows.push(row); }
        row.push({group, at, from, to});
      });
      const kind = "axis-" + axis.replace(/[^a-z]+/g, "-");
      write("axis-name " + kind, 4, y + 14, axis);
      rows.forEach(row => {
        row.forEach(({group, at, from, to}) => {
          const one = add("g", {class: kind});
          add("title", {}, groupText(group), one);
          add("line", {x1: from, y1: y + 10, x2: to, y2: y + 10}, undefined, one);
          at.forEach((place, i) => {
            add("circle", {cx: place, cy: y + 10, r: 9}, undefined, one);
            add("text", {x: place, y: y + 14, "text-anchor": "middle"}, group.ranks[i], one);
          });
        });
        y += TRACK;
      });
      y += 4;
    });
    return y + 4;
  }
}
