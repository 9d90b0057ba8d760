"use strict";
/* Asks for what a run has written and draws it. All text of the run is set as text, never as markup. */
(() => {
  const GIB = 2 ** 30;
  const TICK = 1000;
  const HEAT_COLUMNS = 300;
  const ROW = 14;
  /* Any two of a theme differ clearly, and all stand out from its background. */
  const COLOURS = {
    light: ["#0b62d6", "#d1651a", "#1b7f3b", "#8a3ffc", "#b5267b", "#5a6472", "#00798c", "#8d6e00", "#6b3410", "#1f2468", "#5f9a00", "#e0679c"],
    dark: ["#6db1ff", "#ffab6b", "#6fce87", "#c5a3ff", "#ff8cc6", "#aab4c0", "#5fd4e6", "#e6cf6a", "#b98560", "#7f86ff", "#b8f04a", "#ffd9e6"],
  };
  /* The first is a line without gaps. */
  const DASHES = [undefined, [9, 4], [3, 3], [12, 3, 3, 3], [6, 2], [2, 5], [14, 4, 6, 4], [9, 3, 2, 3, 2, 3], [5, 5], [16, 5], [4, 2, 1, 2], [1, 3]];
  const CHARTS = [
    {id: "loss", lines: {loss: "lossTraining", validation_loss: "lossValidation", mtp_loss: "lossFurther"}},
    {id: "validation", prefix: "validation.", lines: {}},
    {id: "preference", prefix: "preference.", lines: {}},
    {id: "lr", lines: {lr: "lr"}},
    {id: "tokens", lines: {tokens_per_second: "tokens"}},
    {id: "samples", lines: {samples_per_second: "samples"}},
    {id: "utilisation", lines: {mfu: "mfu", roofline: "roofline"}},
    {id: "gradNorm", lines: {grad_norm: "gradNorm"}},
    {id: "lossScale", lines: {loss_scale: "lossScale"}},
    {id: "memory", divide: GIB, lines: {"memory.live_bytes": "memoryLive", "memory.peak_bytes": "memoryPeak",
      "memory.driver_bytes": "memoryDriver"}},
    {id: "seconds", lines: {"seconds.total": "total", "seconds.data": "data", "seconds.forward": "forward",
      "seconds.backward": "backward", "seconds.optimizer": "optimizer"}},
    {id: "exposed", prefix: "exposed_seconds.", lines: {}},
    {id: "expertLoad", prefix: "expert_load.", lines: {}},
  ];
  const LATEST = [["loss", "loss", 4], ["lr", "lr", 3], ["tokens_per_second", "tokens", 4],
    ["samples_per_second", "samples", 4], ["mfu", "mfu", 3], ["roofline", "rooflineTile", 3], ["grad_norm", "gradNorm", 4], ["loss_scale", "lossScale", 4],
    ["memory.peak_bytes", "memoryPeak", 4], ["seconds.total", "stepSeconds", 4]];
  const SHARES = ["mfu", "roofline"];
  /* What was predicted, in a chart's own unit; undefined where it was not. */
  const PREDICTED = {
    seconds: it => it.prediction.times[0].predicted,
    tokens: it => it.latest.tokens / it.prediction.times[0].predicted,
    samples: it => it.latest.samples_per_second / it.latest.tokens_per_second * it.latest.tokens / it.prediction.times[0].predicted,
    memory: it => it.prediction.owners.filter(row => it.prediction.devices[0].ranks.includes(row.rank))
      .reduce((sum, row) => sum + row.predicted, 0) / GIB,
  };

  const at = id => document.getElementById(id);
  const make = (tag, text, kind) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (kind) node.className = kind;
    return node;
  };
  const stored = (name, otherwise) => {
    try { return localStorage.getItem(name) || otherwise; } catch (e) { return otherwise; }
  };
  const store = (name, value) => {
    try { localStorage.setItem(name, value); } catch (e) { /* it lasts as long as the page */ }
  };

  let language = stored("duoka.language", navigator.language.startsWith("zh") ? "zh" : "en");
  let theme = stored("duoka.theme", matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  let logAxis = stored("duoka.logAxis", "") === "yes";
  let axis = stored("duoka.axis", "step"); /* what goes to the right: step, tokens or time */
  let smoothing = Number(stored("duoka.smoothing", "0"));
  let heatOf = "heat"; /* what the heat map shows of a layer's gradients: heat, their root mean square, or heat-max, the largest */
  let zoom = null; /* [first step, last step], or null for all */
  let overview = null;
  let drawn = "";
  const panels = new Map();
  const word = key => WORDS[key] ? WORDS[key][language === "zh" ? 1 : 0] : key;

  /* A page that was saved has all that it shows in itself, and asks nobody. */
  const saved = at("saved") ? JSON.parse(at("saved").textContent) : null;

  /* The token comes behind the address's #, which no server is sent; this tab alone keeps it. */
  const token = (() => {
    const found = /^#token=([A-Za-z0-9_-]+)(?:&run=([0-9a-f]+))?$/.exec(location.hash);
    try {
      if (found) {
        sessionStorage.setItem("duoka.token", found[1]);
        history.replaceState(null, "", location.pathname + location.search + (found[2] ? "#run=" + found[2] : ""));
      }
      return found ? found[1] : sessionStorage.getItem("duoka.token");
    } catch (e) {
      return found ? found[1] : null;
    }
  })();

  /* Which run is shown; empty for the one that the server was started for. */
  let runId = (/^#run=([0-9a-f]+)$/.exec(location.hash) || ["", ""])[1];
  let others = []; /* runs that are drawn over it: {id, name} */

  const asking = {headers: {Authorization: "Bearer " + token}, cache: "no-store", credentials: "omit", redirect: "error"};
  const pathOf = (path, id) => "api/" + path + (id ? (path.includes("?") ? "&" : "?") + "run=" + id : "");

  async function ask(path, id) {
    if (saved) return saved[path.split("?")[0]];
    const answer = await fetch(pathOf(path, id === undefined ? runId : id), asking);
    if (answer.status === 401) throw new Error("noToken");
    if (answer.status === 404) throw new Error("notYet");
    if (!answer.ok) throw new Error("status " + answer.status);
    return answer.json();
  }

  function number(value, digits) {
    if (value === null || value === undefined) return "NaN";
    const size = Math.abs(value);
    if (size >= 1e5 && size < 1e15) return Math.round(value).toLocaleString("en");
    return size !== 0 && (size < 1e-3 || size >= 1e15) ? value.toExponential(digits - 1) : value.toPrecision(digits + 1);
  }

  function alertOf(lines) {
    at("alert").hidden = lines.length === 0;
    at("alert").textContent = lines.join("\n");
  }

  function showOverview() {
    const it = overview;
    document.title = it.name + " · duoka";
    at("name").textContent = it.name;
    at("tags").replaceChildren(...it.tags.map(tag => make("span", tag, "tag")));
    at("state").textContent = word(it.state);
    at("state").className = "state " + it.state;
    const parts = [word("step") + " " + it.last_step + (it.total_steps ? " / " + it.total_steps : "")];
    if (it.attempt > 1) parts.push(word("attempt") + " " + it.attempt);
    if (it.read_bytes < it.of_bytes && it.of_bytes - it.read_bytes > 65536) {
      parts.push(word("reading") + " " + Math.floor(100 * it.read_bytes / it.of_bytes) + " %");
    }
    at("progress").textContent = parts.join(" · ");
    const lines = it.problems.slice();
    if (it.reason && it.state !== "done") lines.push(it.reason);
    if (it.unreadable_lines) lines.push(it.unreadable_lines + " " + word("unreadable"));
    alertOf(lines);
    const isShown = name => name in it.latest && !(name === "loss_scale" && it.latest[name] === 1);
    const latest = LATEST.filter(([name]) => isShown(name)).map(([name, label, digits]) => {
      const box = make("div");
      const bytes = name.endsWith("_bytes");
      const value = it.latest[name];
      const text = value === null ? "NaN" : bytes ? (value / GIB).toFixed(2) + " GiB"
        : SHARES.includes(name) ? (100 * value).toFixed(1) + " %" : number(value, digits);
      box.append(make("dt", word(label)), make("dd", text));
      return box;
    });
    at("latest").replaceChildren(...latest);
    showPrediction(at("prediction"), it.prediction, word, make);
    showGoodput(at("goodput"), it, word, make);
    it.cards = cards;
    showMachine(at("machine"), it, word, make);
    const record = it.record.map(entry => {
      const line = make("li");
      const time = make("time", entry.time.replace("T", " ").replace(/\.\d+Z|Z/, " UTC"));
      line.append(time, " " + entry.attempt + " ", make("strong", entry.event), " " + entry.text);
      return line;
    }).reverse();
    at("record").replaceChildren(...(record.length ? record : [make("li", word(it.text_left_out ? "leftOut" : "noRecord"))]));
    showAnswers(it.answers || []);
    at("notes-box").hidden = !it.notes;
    at("notes").textContent = it.notes;
    const log = at("log");
    const text = it.log || word(it.text_left_out ? "leftOut" : "noLog");
    if (log.textContent !== text) {
      const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
      log.textContent = text;
      if (atEnd) log.scrollTop = log.scrollHeight;
    }
  }

  /* What the model wrote at the newest validations beside what was expected, the newest first. */
  function showAnswers(answers) {
    at("answers-box").hidden = !answers.length;
    const head = make("tr");
    ["step", "prompt", "expected", "answer"].forEach(name => head.append(make("th", word(name))));
    const rows = answers.map((one, index) => ({one, index}))
      .sort((a, b) => b.one.step - a.one.step || a.index - b.index)
      .map(({one}) => {
        const row = make("tr");
        row.append(make("td", one.step), make("td", one.prompt, "said"), make("td", one.expected, "said"));
        const answer = make("td", one.answer, "said");
        if (!one.ended) answer.append(make("span", " " + word("notEnded"), "unended"));
        row.append(answer);
        return row;
      });
    at("answers").replaceChildren(head, ...rows);
  }

  /* Where a step of a run lies on the axis, and back; both rise, so one is the other turned round. */
  function between(from, to, value) {
    if (from.length === 0) return value;
    let low = 0, high = from.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (from[middle] <= value) low = middle; else high = middle;
    }
    if (from[high] === from[low]) return to[low];
    return to[low] + (to[high] - to[low]) * (value - from[low]) / (from[high] - from[low]);
  }
  function axisOf(data, tokens) {
    if (axis === "tokens" && data.tokens_taken && data.tokens_taken.steps.length > 1) {
      const {steps, values} = data.tokens_taken; /* steps need not have as many tokens each */
      return {at: step => between(steps, values, step), back: x => between(values, steps, x)};
    }
    if (axis === "tokens" && tokens) return {at: step => step * tokens, back: x => x / tokens};
    if (axis === "time" && data.time && data.time.steps.length > 1) {
      const steps = data.time.steps, begin = data.time.values[0];
      const seconds = data.time.values.map(value => value - begin);
      for (let i = 1; i < seconds.length; i++) seconds[i] = Math.max(seconds[i], seconds[i - 1]);
      return {at: step => between(steps, seconds, step), back: x => between(seconds, steps, x)};
    }
    return {at: step => step, back: x => x};
  }
  const axisWord = () => word(axis === "tokens" ? "tokensAxis" : axis);
  function smooth(values) {
    let mean = null, weight = 0;
    return values.map(value => {
      if (value === null) return null;
      mean = smoothing * (mean || 0) + (1 - smoothing) * value;
      weight = smoothing * weight + (1 - smoothing);
      return mean / weight;
    });
  }

  function windowShown() {
    return zoom || [overview.first_step, Math.max(overview.first_step, overview.last_step)];
  }

  function setZoom(from, to) {
    const first = overview.first_step, last = overview.last_step;
    const begin = Math.max(first, Math.floor(from)), end = Math.min(last, Math.ceil(to));
    zoom = begin <= first && end >= last ? null : [Math.min(begin, last), Math.max(begin + 1, end)];
    refresh(true);
  }

  function panel(id, title, wide) {
    let known = panels.get(id);
    if (!known) {
      const box = make("section", undefined, wide ? "wide" : "");
      known = {box, title: make("h2"), body: make("div"), bad: make("p", "", "bad"), plot: null, tools: make("div", undefined, "tools")};
      [["CSV", () => saveCsv(id, known)], ["PNG", () => savePng(id, known)]].forEach(([label, act]) => {
        const button = make("button", label);
        button.type = "button";
        button.addEventListener("click", act);
        known.tools.append(button);
      });
      box.append(known.tools, known.title, known.body, known.bad);
      at("charts").append(box);
      panels.set(id, known);
    }
    known.title.textContent = title;
    return known;
  }

  function save(name, blob) {
    const link = make("a");
    link.href = URL.createObjectURL(blob);
    link.download = overview.name.replace(/[^A-Za-z0-9._-]/g, "_") + "-" + name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }
  /* What is shown, as it is shown; metrics.jsonl has all of it. */
  function saveCsv(id, shown) {
    if (!shown.rows) return;
    const quoted = text => /[",\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
    save(id + ".csv", new Blob([shown.rows.map(row => row.map(cell => cell === null || cell === undefined ? "" : quoted(String(cell)))
      .join(",")).join("\n") + "\n"], {type: "text/csv"}));
  }
  function savePng(id, shown) {
    const from = shown.plot ? shown.plot.ctx.canvas : shown.canvas;
    const canvas = make("canvas"), ctx = canvas.getContext("2d"), named = shown.legend || [], names = shown.heat ? shown.heat.layers : [];
    const font = "14px sans-serif", left = names.length > 0 ? 200 : 0;
    ctx.font = font;
    const places = [];
    let x = 8, y = from.height + 48;
    named.forEach(([label, colour, dash]) => {
      const wide = ctx.measureText(label).width + 48;
      if (x > 8 && x + wide > from.width) { x = 8; y += 22; }
      places.push([label, colour, dash, x, y]);
      x += wide;
    });
    canvas.width = from.width + left;
    canvas.height = named.length > 0 ? y + 12 : from.height + 28;
    const style = getComputedStyle(document.documentElement);
    ctx.fillStyle = style.getPropertyValue("--card");
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    ctx.fillStyle = style.getPropertyValue("--text");
    ctx.font = "16px sans-serif";
    ctx.fillText(overview.name + " · " + shown.title.textContent, 8, 20);
    ctx.drawImage(from, left, 28);
    ctx.font = font;
    names.forEach((name, i) => ctx.fillText(name, 8, 28 + (i + 0.8) * ROW, left - 16));
    places.forEach(([label, colour, dash, across, down]) => {
      ctx.strokeStyle = colour;
      ctx.lineWidth = 3;
      ctx.setLineDash(dash || []);
      ctx.beginPath();
      ctx.moveTo(across, down - 5);
      ctx.lineTo(across + 24, down - 5);
      ctx.stroke();
      ctx.fillStyle = style.getPropertyValue("--text");
      ctx.fillText(label, across + 30, down);
    });
    canvas.toBlob(blob => save(id + ".png", blob));
  }

  function linesOf(chart) {
    const names = chart.prefix ? Object.keys(overview.latest).filter(name => name.startsWith(chart.prefix))
      : Object.keys(chart.lines).filter(name => name in overview.latest);
    return names.map(name => ({name, label: chart.prefix ? name.slice(chart.prefix.length) : word(chart.lines[name])}));
  }

  /* Red ticks at the lower edge, where a value is no number. */
  function markBad(plot, steps) {
    const {ctx, bbox} = plot;
    ctx.save();
    ctx.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--bad");
    for (const step of steps) {
      const x = Math.round(plot.valToPos(step, "x", true));
      if (x >= bbox.left && x <= bbox.left + bbox.width) ctx.fillRect(x - 1, bbox.top, 3, bbox.height);
    }
    ctx.restore();
  }

  function predictedLine(chart, run, lines) {
    const value = PREDICTED[chart.id] && overview.prediction && overview.prediction.devices.length ? PREDICTED[chart.id](overview) : null;
    if (!Number.isFinite(value) || value <= 0) return;
    const table = [windowShown().map(run.axis.at), [value, value]];
    lines.push({label: word("predicted"), table, raw: table, number: 0, bad: [], points: Infinity, predicted: true});
  }

  /* Of one run each line has its colour; of several each run, and where it has several lines these have their dashes. */
  const colourOf = line => line.predicted ? getComputedStyle(document.documentElement).getPropertyValue("--text") : COLOURS[theme][line.colour % COLOURS[theme].length];

  function draw(chart, runs) {
    const scale = chart.divide || 1;
    const lines = [];
    const own = linesOf(chart), several = runs.length > 1;
    runs.forEach((run, number) => own.forEach((line, index) => {
      const data = run.data[line.name];
      if (!data) return;
      const label = several ? line.label + " · " + run.name : line.label;
      const xs = data.steps.map(run.axis.at);
      const values = data.values.map(value => logAxis && value <= 0 ? null : value / scale);
      lines.push({label, table: [xs, smoothing > 0 ? smooth(values) : values], raw: [xs, values], number, bad: data.not_a_number,
        points: data.steps.length, colour: several ? number : index,
        dash: several ? DASHES[(own.length > 1 ? index : number) % DASHES.length] : undefined});
    }));
    if (lines.length === 0) return;
    if (chart.id === "lossScale" && lines.every(line => line.raw[1].every(value => value === 1))) return;
    predictedLine(chart, runs[0], lines);
    const shown = panel(chart.id, word(chart.id));
    const main = runs[0].axis;
    const bad = [...new Set(lines.filter(line => line.number === 0).flatMap(line => line.bad))].sort((a, b) => a - b);
    const tables = lines.map(line => line.table).concat(smoothing > 0 ? lines.map(line => line.raw) : []);
    const table = tables.some(each => each[0].length > 0) ? uPlot.join(tables) : [[], ...tables.map(() => [])];
    const [from, to] = windowShown().map(main.at);
    shown.bad.textContent = bad.length === 0 ? ""
      : word("notANumber") + " " + bad.slice(0, 8).join(", ") + (bad.length > 8 ? " … " + word("first") : "");
    shown.badSteps = bad.map(main.at);
    shown.back = main.back;
    shown.legend = lines.map(line => [line.label, colourOf(line), line.dash]);
    shown.rows = [[axisWord(), ...lines.map(line => line.label)],
      ...table[0].map((x, i) => [x, ...lines.map((line, j) => table[j + 1][i])])];
    const key = [language, theme, logAxis, axis, smoothing, shown.body.clientWidth, ...lines.map(line => line.label + (line.points < 60))].join();
    if (shown.plot && shown.key === key) {
      shown.plot.setData(table, false);
      shown.plot.batch(() => {
        shown.plot.setScale("x", {min: from, max: to > from ? to : from + 1});
      });
      return;
    }
    if (shown.plot) shown.plot.destroy();
    shown.key = key;
    const style = getComputedStyle(document.documentElement);
    const look = {stroke: style.getPropertyValue("--soft"), grid: {stroke: style.getPropertyValue("--line"), width: 1},
      ticks: {stroke: style.getPropertyValue("--line"), width: 1}};
    shown.plot = new uPlot({
      width: Math.max(200, shown.body.clientWidth), height: 220,
      cursor: {sync: {key: "duoka"}, drag: {x: true, y: false, setScale: false}},
      scales: {x: {time: false, auto: false, min: from, max: to > from ? to : from + 1}, y: logAxis ? {distr: 3} : {}},
      padding: [null, 20, null, null],
      axes: [Object.assign(axis === "time" ? {values: timeLabels, incrs: TIME_STEPS} : {values: labels}, look), Object.assign({size: 64, values: labels}, look)],
      series: [{label: axisWord(), value: (plot, value) => value === null ? "--" : String(value)},
        ...lines.map(line => ({label: line.label, stroke: colourOf(line),
          width: several && line.number === 0 ? 2 : 1.25, spanGaps: true,
          dash: line.predicted ? [8, 5] : line.dash, points: {show: line.points < 60, size: 4},
          value: (plot, value) => value === null || value === undefined ? "--" : number(value, 4)})),
        ...(smoothing > 0 ? lines.map(line => ({label: "", stroke: line.predicted ? "transparent" : colourOf(line) + "50", width: 1, spanGaps: true,
          points: {show: false}, class: "raw"})) : [])],
      hooks: {
        drawClear: [plot => markBad(plot, shown.badSteps)],
        setSelect: [plot => {
          if (plot.select.width > 3) {
            const left = plot.posToVal(plot.select.left, "x");
            const right = plot.posToVal(plot.select.left + plot.select.width, "x");
            plot.setSelect({left: 0, top: 0, width: 0, height: 0}, false);
            setZoom(shown.back(left), shown.back(right));
          }
        }],
      },
    }, table, shown.body);
    shown.plot.over.addEventListener("dblclick", () => { zoom = null; refresh(true); });
  }

  const labels = (plot, ticks) => ticks.map(tick => tick === null ? "" : short(tick));

  /* Seconds between two marks of the time. */
  const TIME_STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400,
    172800, 432000, 864000, 4320000, 8640000];
  const timeLabels = (plot, ticks) => ticks.map(tick => tick === null ? "" : tick >= 7200 ? +(tick / 3600).toPrecision(4) + " h"
    : tick >= 120 ? +(tick / 60).toPrecision(4) + " min" : +tick.toPrecision(4) + " s");

  function short(value) {
    const size = Math.abs(value);
    if (size >= 1e9) return +(value / 1e9).toPrecision(4) + "G";
    if (size >= 1e6) return +(value / 1e6).toPrecision(4) + "M";
    if (size >= 1e4) return +(value / 1e3).toPrecision(4) + "k";
    return size !== 0 && size < 1e-3 ? value.toExponential(1) : String(+value.toPrecision(6));
  }

  /* From dark blue over green to bright yellow, for the eye in even steps. */
  const STOPS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
  function heatColour(part) {
    const place = Math.min(0.9999, Math.max(0, part)) * (STOPS.length - 1);
    const i = Math.floor(place);
    const mix = c => Math.round(STOPS[i][c] + (STOPS[i + 1][c] - STOPS[i][c]) * (place - i));
    return "rgb(" + mix(0) + "," + mix(1) + "," + mix(2) + ")";
  }

  /* The first step of a column of the heat map. */
  function stepOf(column) {
    const [first, last] = windowShown();
    return Math.ceil(first + (last - first + 1) * column / HEAT_COLUMNS - 1e-6);
  }
  /* A saved page has the columns of all steps alone: those of a part are made of them. */
  function partOf(heat) {
    if (!saved || !zoom) return heat;
    const first = overview.first_step, steps = Math.max(first, overview.last_step) - first + 1;
    const rows = heat.rows.map(row => {
      const part = [];
      for (let i = 0; i < row.length; i += 2) {
        const step = Math.ceil(first + steps * row[i] / HEAT_COLUMNS - 1e-6);
        const column = Math.max(0, Math.floor((step - zoom[0]) * HEAT_COLUMNS / (zoom[1] - zoom[0] + 1)));
        if (column >= HEAT_COLUMNS) break;
        if (part.length > 0 && part[part.length - 2] === column) part.length -= 2;
        part.push(column, row[i + 1]);
      }
      return part;
    });
    return {layers: heat.layers, rows};
  }
  /* Where a column of the heat map begins, from 0 to 1, on the axis that is chosen; and which lies at such a place. */
  function heatAxis(run) {
    const [first, last] = windowShown(), begin = run.at(first), whole = run.at(last + 1) - begin;
    const edge = column => first + (last - first + 1) * column / HEAT_COLUMNS;
    if (!(whole > 0)) return {at: column => column / HEAT_COLUMNS, back: part => part * HEAT_COLUMNS};
    return {at: column => Math.min(1, Math.max(0, (run.at(edge(column)) - begin) / whole)),
      back: part => HEAT_COLUMNS * (run.back(begin + part * whole) - first) / (last - first + 1)};
  }
  /* What a place of the heat map says: a column, and from 0 to 1 how far down. */
  function cellText(heat, column, down) {
    const y = Math.min(heat.layers.length - 1, Math.floor(down * heat.layers.length)), row = heat.rows[y];
    let i = -2;
    while (i + 2 < row.length && row[i + 2] <= column) i += 2;
    return i < 0 ? heat.layers[y] : heat.layers[y] + " · " + word("step") + " " + stepOf(row[i]) + " · "
      + (row[i + 1] < 0 ? "NaN" : number(row[i + 1], 4));
  }

  function drawHeat(whole, run) {
    if (whole.layers.length === 0) return;
    const heat = partOf(whole), isLargest = heatOf === "heat-max";
    const title = word(isLargest ? "gradientsLargest" : "gradients");
    const shown = panel("heat", title, true);
    shown.heat = heat;
    shown.across = heatAxis(run);
    if (!shown.canvas) {
      const holder = make("div", undefined, "heat");
      shown.names = make("ol");
      shown.canvas = make("canvas");
      shown.canvas.setAttribute("role", "img");
      shown.scale = make("p", "", "scale");
      shown.cell = make("p", "", "scale cell");
      shown.canvas.addEventListener("mousemove", event => {
        const box = shown.canvas.getBoundingClientRect();
        shown.cell.textContent = cellText(shown.heat, shown.across.back((event.clientX - box.left) / box.width), (event.clientY - box.top) / box.height);
      });
      shown.canvas.addEventListener("mouseleave", () => { shown.cell.textContent = ""; });
      shown.turn = make("button");
      shown.turn.type = "button";
      shown.turn.addEventListener("click", () => { heatOf = heatOf === "heat" ? "heat-max" : "heat"; refresh(true); });
      shown.tools.prepend(shown.turn);
      holder.append(shown.names, shown.canvas);
      shown.body.append(holder, shown.scale, shown.cell);
    }
    shown.turn.textContent = word(isLargest ? "showMeanSquare" : "showLargest");
    shown.canvas.setAttribute("aria-label", title);
    shown.names.replaceChildren(...heat.layers.map(layer => {
      const name = make("li", layer.replace(/^model\.(layers\.)?/, ""));
      name.title = layer;
      return name;
    }));
    const values = heat.rows.flatMap(row => row.filter((value, i) => i % 2 === 1 && value > 0));
    const least = Math.log10(values.reduce((a, b) => Math.min(a, b), Infinity));
    const most = Math.log10(values.reduce((a, b) => Math.max(a, b), 0));
    const canvas = shown.canvas;
    canvas.width = HEAT_COLUMNS * 3;
    canvas.height = heat.layers.length * ROW;
    canvas.style.height = canvas.height + "px";
    const ctx = canvas.getContext("2d");
    ctx.clearRect(0, 0, canvas.width, canvas.height);
    heat.rows.forEach((row, y) => {
      for (let i = 0; i < row.length; i += 2) {
        const end = i + 2 < row.length ? row[i + 2] : Math.min(HEAT_COLUMNS, row[i] + Math.max(1, i > 0 ? row[i] - row[i - 2] : 1));
        const value = row[i + 1];
        ctx.fillStyle = value < 0 ? "#e53935" : heatColour(value === 0 || most === least ? 0 : (Math.log10(value) - least) / (most - least));
        const left = Math.floor(shown.across.at(row[i]) * canvas.width), right = Math.ceil(shown.across.at(end) * canvas.width);
        ctx.fillRect(left, y * ROW, Math.max(value < 0 ? 6 : 1, right - left), ROW - 1);
      }
    });
    shown.rows = [[word("step"), ...heat.layers]];
    for (let column = 0; column < HEAT_COLUMNS; column++) {
      const cells = heat.rows.map(row => { const at = row.findIndex((value, i) => i % 2 === 0 && value === column); return at < 0 ? null : row[at + 1]; });
      if (cells.some(cell => cell !== null)) shown.rows.push([stepOf(column), ...cells.map(cell => cell !== null && cell < 0 ? "NaN" : cell)]);
    }
    const bad = heat.rows.some(row => row.some((value, i) => i % 2 === 1 && value < 0));
    shown.scale.textContent = (values.length ? (10 ** least).toExponential(1) + " … " + (10 ** most).toExponential(1) + " · " : "") + word("heatScale") + (axis === "step" ? "" : " · " + word("axis") + ": " + axisWord()) + (bad ? " ▮" : "");
  }

  const LINES = () => CHARTS.flatMap(linesOf).map(line => "name=" + encodeURIComponent(line.name)).join("&") + "&name=time&name=tokens_taken";
  let busy = false, again = false, fresh = null;
  async function refresh(always) {
    if (busy) { again = again || always; return; }
    busy = true;
    try {
      if (!token && !saved) throw new Error("noToken");
      overview = fresh || await ask("run");
      fresh = null;
      showOverview();
      const [from, to] = windowShown();
      const key = [from, to, overview.read_bytes, language, theme, logAxis, axis, smoothing, heatOf, innerWidth,
        ...others.map(run => run.id)].join();
      if (overview.read_bytes > 0 && key !== drawn) {
        const range = "from=" + from + "&to=" + to;
        const names = LINES(), more = others;
        const [heat, ...series] = await Promise.all([ask(heatOf + "?" + range + "&columns=" + HEAT_COLUMNS),
          ask("series?" + names + "&" + range + "&columns=600"),
          ...more.map(run => ask("series?" + names + "&" + range + "&columns=600", run.id))]);
        const tokens = overview.latest.tokens;
        const runs = series.map((data, i) => ({data, name: i === 0 ? overview.name : more[i - 1].name, axis: axisOf(data, tokens)}));
        CHARTS.forEach(chart => draw(chart, runs));
        drawHeat(heat, runs[0].axis);
        drawn = key;
      }
    } catch (e) {
      alertOf([["noToken", "notYet"].includes(e.message) ? word(e.message) : word("gone") + " (" + e.message + ")"]);
    }
    busy = false;
    if (again) { again = false; refresh(true); }
  }

  /* The cards of this machine are asked while somebody looks at a run on them. */
  let cards = [];
  async function askCards() {
    const seats = overview && overview.placement && overview.placement.seats || [];
    if (saved || document.hidden || !seats.some(seat => seat.device && seat.device.startsWith("cuda")) || overview.state !== "running") return;
    try {
      const answer = await ask("cards", "");
      cards = answer.cards;
      overview.cards = cards;
      overview.cardsProblem = answer.problem;
      showMachine(at("machine"), overview, word, make);
    } catch (e) { /* what was seen last stays */ }
  }

  /* One stream tells of news. A browser has six connections to a server for all its windows together, so that at most
     three of them listen; the others ask again and again. */
  let listening = null, streaming = false;
  async function listen() {
    if (saved || listening || document.hidden || !token || !navigator.locks) return;
    const mine = new AbortController();
    listening = mine;
    const take = place => navigator.locks.request("duoka-stream-" + place, {ifAvailable: true},
      lock => lock ? hear(mine) : place < 2 ? take(place + 1) : undefined);
    try { await take(0); } catch (e) { /* it has ended: what is new is asked for */ }
    if (listening === mine) { listening = null; streaming = false; }
  }
  async function hear(mine) {
    const answer = await fetch(pathOf("events", runId), Object.assign({signal: mine.signal}, asking));
    if (!answer.ok) return;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const {done, value} = await reader.read();
      if (done) return;
      text += value;
      let end;
      while ((end = text.indexOf("\n\n")) >= 0) {
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        streaming = true;
        if (event.startsWith("data: ")) { fresh = JSON.parse(event.slice(6)); refresh(false); }
      }
    }
  }
  function hush() {
    if (listening) listening.abort();
    listening = null;
    streaming = false;
  }

  /* The other runs of the list: one can be shown instead, and some over it, with what differs in their configurations. */
  async function showRuns() {
    const mine = ++asked;
    const list = (await ask("runs", "")).runs;
    const here = runId || list[0] && list[0].id;
    const table = others.length > 0 ? [await differences(here)] : [];
    if (mine !== asked) return; /* somebody has chosen on meanwhile */
    const rows = make("ul");
    const words = filter.toLowerCase().split(/\s+/).filter(each => each);
    const isMeant = run => words.every(each => run.name.toLowerCase().includes(each)
      || run.tags.some(tag => tag.toLowerCase().includes(each)));
    const shown = list.filter(run => run.id === here || others.some(other => other.id === run.id) || isMeant(run));
    shown.slice(0, 60).forEach(run => {
      const line = make("li"), label = make("label"), check = make("input");
      check.type = "checkbox";
      check.checked = run.id === here || others.some(other => other.id === run.id);
      check.disabled = run.id === here;
      check.addEventListener("change", () => {
        others = check.checked ? others.concat([{id: run.id, name: run.name}]).slice(-9) : others.filter(other => other.id !== run.id);
        showRuns();
        refresh(true);
      });
      label.append(check, " " + run.name);
      line.append(label, " ", make("span", word(run.state), "state " + run.state), " ", make("span", run.started.replace("T", " ").replace("Z", ""), "soft"));
      run.tags.forEach(tag => {
        const chip = make("button", tag, "tag");
        chip.type = "button";
        chip.addEventListener("click", () => { setFilter(filter === tag ? "" : tag); });
        line.append(" ", chip);
      });
      if (run.id !== here) {
        const show = make("button", word("show"));
        show.type = "button";
        show.addEventListener("click", () => { location.hash = "run=" + run.id; });
        line.append(" ", show);
      }
      rows.append(line);
    });
    if (list.length > shown.length) rows.append(make("li", (list.length - shown.length) + " " + word("filteredOut"), "soft"));
    at("run-list").replaceChildren(rows, ...table);
  }
  let filter = "";
  function setFilter(next) {
    filter = next;
    at("filter").value = next;
    showRuns().catch(() => {});
  }
  let asked = 0;
  function scrolling(table) {
    const box = make("div", undefined, "differences");
    box.append(table);
    return box;
  }
  async function differences(here) {
    const runs = others;
    const ids = [here, ...runs.map(run => run.id)];
    const fields = await Promise.all(ids.map(id => ask("config", id)));
    const names = [...new Set(fields.flatMap(Object.keys))].filter(name => new Set(fields.map(each => each[name])).size > 1);
    const table = make("table"), head = make("tr");
    head.append(make("th", word("differs")), make("th", overview.name), ...runs.map(run => make("th", run.name)));
    table.append(head);
    names.forEach(name => {
      const line = make("tr");
      line.append(make("td", name), ...fields.map(each => make("td", each[name] === undefined ? "–" : each[name])));
      table.append(line);
    });
    return scrolling(table);
  }
  function turnRuns() {
    if (saved) return;
    at("runs").hidden = !at("runs").hidden;
    at("show-runs").setAttribute("aria-expanded", String(!at("runs").hidden));
    if (!at("runs").hidden) showRuns().catch(e => alertOf([word("gone") + " (" + e.message + ")"]));
  }

  function dress() {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    document.documentElement.dataset.theme = theme;
    document.querySelectorAll("[data-word]").forEach(node => { node.textContent = word(node.dataset.word); });
    at("language").textContent = language === "zh" ? "English" : "中文";
    at("log-axis").setAttribute("aria-pressed", String(logAxis));
    at("axis").value = axis;
    at("smoothing").value = String(smoothing);
    at("show-runs").hidden = saved !== null;
    if (!at("runs").hidden && token) showRuns().catch(() => {});
    refresh(true);
  }
  function turnTheme() { theme = theme === "dark" ? "light" : "dark"; store("duoka.theme", theme); dress(); }
  function turnLanguage() { language = language === "zh" ? "en" : "zh"; store("duoka.language", language); dress(); }
  function turnLogAxis() { logAxis = !logAxis; store("duoka.logAxis", logAxis ? "yes" : "no"); dress(); }
  function setAxis(next) { axis = next; store("duoka.axis", axis); dress(); }
  function setSmoothing(next) { smoothing = next; store("duoka.smoothing", String(next)); dress(); }
  const AXES = ["step", "tokens", "time"], SMOOTH = [0, 0.6, 0.9, 0.97];
  function turnAxis() { setAxis(AXES[(AXES.indexOf(axis) + 1) % AXES.length]); }
  function turnSmoothing() { setSmoothing(SMOOTH[(SMOOTH.indexOf(smoothing) + 1) % SMOOTH.length]); }
  function turnHelp() {
    at("keys").hidden = !at("keys").hidden;
    at("help").setAttribute("aria-expanded", String(!at("keys").hidden));
  }
  function showAll() { zoom = null; refresh(true); }
  function zoomBy(factor) {
    const [from, to] = windowShown(), middle = (from + to) / 2, half = Math.max(1, (to - from) * factor / 2);
    setZoom(middle - half, middle + half);
  }
  function move(part) {
    const [from, to] = windowShown(), by = (to - from) * part;
    const kept = Math.max(overview.first_step - from, Math.min(overview.last_step - to, by));
    setZoom(from + kept, to + kept);
  }

  const KEYS = {"+": () => zoomBy(0.5), "=": () => zoomBy(0.5), "-": () => zoomBy(2), ArrowLeft: () => move(-0.25),
    ArrowRight: () => move(0.25), "0": showAll, l: turnLogAxis, x: turnAxis, s: turnSmoothing, r: turnRuns, t: turnTheme, z: turnLanguage, "?": turnHelp};
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target === at("log")
      || /^(SELECT|INPUT)$/.test(event.target.tagName)) return;
    if (KEYS[event.key] && overview) { event.preventDefault(); KEYS[event.key](); }
  });
  at("all").addEventListener("click", showAll);
  at("log-axis").addEventListener("click", turnLogAxis);
  at("theme").addEventListener("click", turnTheme);
  at("language").addEventListener("click", turnLanguage);
  at("help").addEventListener("click", turnHelp);
  at("show-runs").addEventListener("click", turnRuns);
  at("filter").addEventListener("input", () => setFilter(at("filter").value));
  at("axis").addEventListener("change", () => setAxis(at("axis").value));
  at("smoothing").addEventListener("change", () => setSmoothing(Number(at("smoothing").value)));
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { hush(); } else { refresh(false); listen(); }
  });
  addEventListener("hashchange", () => {
    const found = /^#run=([0-9a-f]+)$/.exec(location.hash);
    if (!found || found[1] === runId) return;
    runId = found[1];
    others = others.filter(run => run.id !== runId);
    zoom = null;
    drawn = "";
    panels.forEach(shown => { if (shown.plot) shown.plot.destroy(); });
    panels.clear();
    at("charts").replaceChildren();
    hush();
    dress();
    listen();
  });
  addEventListener("resize", () => refresh(true));
  setInterval(() => { if (!document.hidden && !streaming) refresh(false); }, TICK);
  setInterval(listen, 10 * TICK);
  setInterval(askCards, TICK);
  dress();
  listen();
})();
