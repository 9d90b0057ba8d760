"use strict";
/* Asks for what a run has written and draws it. All text of the run is set as text, never as markup. */
(() => {
  const GIB = 2 ** 30;
  const TICK = 1000;
  const HEAT_COLUMNS = 300;
  const ROW = 14;
  const COLOURS = {
    light: ["#0b62d6", "#d1651a", "#1b7f3b", "#8a3ffc", "#b5267b", "#5a6472", "#00798c", "#8d6e00"],
    dark: ["#6db1ff", "#ffab6b", "#6fce87", "#c5a3ff", "#ff8cc6", "#aab4c0", "#5fd4e6", "#e6cf6a"],
  };
  const CHARTS = [
    {id: "loss", lines: {loss: "lossTraining", validation_loss: "lossValidation", mtp_loss: "lossFurther"}},
    {id: "lr", lines: {lr: "lr"}},
    {id: "tokens", lines: {tokens_per_second: "tokens"}},
    {id: "samples", lines: {samples_per_second: "samples"}},
    {id: "mfu", lines: {mfu: "mfu"}},
    {id: "gradNorm", lines: {grad_norm: "gradNorm"}},
    {id: "lossScale", lines: {loss_scale: "lossScale"}},
    {id: "memory", divide: GIB, lines: {"memory.live_bytes": "memoryLive", "memory.peak_bytes": "memoryPeak",
      "memory.driver_bytes": "memoryDriver"}},
    {id: "seconds", lines: {"seconds.total": "total", "seconds.data": "data", "seconds.forward": "forward",
      "seconds.backward": "backward", "seconds.optimizer": "optimizer"}},
    {id: "exposed", prefix: "exposed_seconds.", lines: {}},
  ];
  const LATEST = [["loss", "loss", 4], ["lr", "lr", 3], ["tokens_per_second", "tokens", 4],
    ["samples_per_second", "samples", 4], ["mfu", "mfu", 3], ["grad_norm", "gradNorm", 4], ["loss_scale", "lossScale", 4],
    ["memory.peak_bytes", "memoryPeak", 4], ["seconds.total", "seconds", 4]];

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
  let zoom = null; /* [first step, last step], or null for all */
  let overview = null;
  let drawn = "";
  const panels = new Map();
  const word = key => WORDS[key] ? WORDS[key][language === "zh" ? 1 : 0] : key;

  /* The token comes behind the address's #, which no server is sent; this tab alone keeps it. */
  const token = (() => {
    const found = /^#token=([A-Za-z0-9_-]+)$/.exec(location.hash);
    try {
      if (found) {
        sessionStorage.setItem("duoka.token", found[1]);
        history.replaceState(null, "", location.pathname + location.search);
      }
      return found ? found[1] : sessionStorage.getItem("duoka.token");
    } catch (e) {
      return found ? found[1] : null;
    }
  })();

  async function ask(path) {
    const answer = await fetch("api/" + path, {headers: {Authorization: "Bearer " + token}, cache: "no-store",
      credentials: "omit", redirect: "error"});
    if (answer.status === 401) throw new Error("noToken");
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
    const latest = LATEST.filter(([name]) => name in it.latest).map(([name, label, digits]) => {
      const box = make("div");
      const bytes = name.endsWith("_bytes");
      const value = it.latest[name];
      box.append(make("dt", word(label)), make("dd", bytes && value !== null ? (value / GIB).toFixed(2) + " GiB" : number(value, digits)));
      return box;
    });
    at("latest").replaceChildren(...latest);
    const record = it.record.map(entry => {
      const line = make("li");
      const time = make("time", entry.time.replace("T", " ").replace(/\.\d+Z|Z/, " UTC"));
      line.append(time, " " + entry.attempt + " ", make("strong", entry.event), " " + entry.text);
      return line;
    }).reverse();
    at("record").replaceChildren(...(record.length ? record : [make("li", word("noRecord"))]));
    const log = at("log");
    const text = it.log || word("noLog");
    if (log.textContent !== text) {
      const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
      log.textContent = text;
      if (atEnd) log.scrollTop = log.scrollHeight;
    }
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
      known = {box, title: make("h2"), body: make("div"), bad: make("p", "", "bad"), plot: null};
      box.append(known.title, known.body, known.bad);
      at("charts").append(box);
      panels.set(id, known);
    }
    known.title.textContent = title;
    return known;
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

  function draw(chart, data) {
    const lines = linesOf(chart).filter(line => data[line.name]);
    if (lines.length === 0) return;
    const shown = panel(chart.id, word(chart.id));
    const scale = chart.divide || 1;
    const bad = [...new Set(lines.flatMap(line => data[line.name].not_a_number))].sort((a, b) => a - b);
    const tables = lines.map(line => [data[line.name].steps,
      data[line.name].values.map(value => logAxis && value <= 0 ? null : value / scale)]);
    const table = tables.some(each => each[0].length > 0) ? uPlot.join(tables) : [[], ...tables.map(() => [])];
    const [from, to] = windowShown();
    shown.bad.textContent = bad.length === 0 ? ""
      : word("notANumber") + " " + bad.slice(0, 8).join(", ") + (bad.length > 8 ? " … " + word("first") : "");
    shown.badSteps = bad;
    const key = [language, theme, logAxis, shown.body.clientWidth, ...lines.map(line => line.name)].join();
    if (shown.plot && shown.key === key) {
      shown.plot.setData(table, false);
      shown.plot.batch(() => {
        shown.plot.setScale("x", {min: from, max: Math.max(to, from + 1)});
      });
      return;
    }
    if (shown.plot) shown.plot.destroy();
    shown.key = key;
    const style = getComputedStyle(document.documentElement);
    const axis = {stroke: style.getPropertyValue("--soft"), grid: {stroke: style.getPropertyValue("--line"), width: 1},
      ticks: {stroke: style.getPropertyValue("--line"), width: 1}};
    shown.plot = new uPlot({
      width: Math.max(200, shown.body.clientWidth), height: 220,
      cursor: {sync: {key: "duoka"}, drag: {x: true, y: false, setScale: false}},
      scales: {x: {time: false, auto: false, min: from, max: Math.max(to, from + 1)}, y: logAxis ? {distr: 3} : {}},
      padding: [null, 20, null, null],
      axes: [Object.assign({values: labels}, axis), Object.assign({size: 64, values: labels}, axis)],
      series: [{label: word("step"), value: (plot, value) => value === null ? "--" : String(value)},
        ...lines.map((line, i) => ({label: line.label, stroke: COLOURS[theme][i % 8], width: 1.25, spanGaps: true,
          points: {show: table[0].length < 60, size: 4}, value: (plot, value) => value === null ? "--" : number(value, 4)}))],
      hooks: {
        drawClear: [plot => markBad(plot, shown.badSteps)],
        setSelect: [plot => {
          if (plot.select.width > 3) {
            const left = plot.posToVal(plot.select.left, "x");
            const right = plot.posToVal(plot.select.left + plot.select.width, "x");
            plot.setSelect({left: 0, top: 0, width: 0, height: 0}, false);
            setZoom(left, right);
          }
        }],
      },
    }, table, shown.body);
    shown.plot.over.addEventListener("dblclick", () => { zoom = null; refresh(true); });
  }

  const labels = (plot, ticks) => ticks.map(tick => tick === null ? "" : short(tick));

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

  function drawHeat(heat) {
    if (heat.layers.length === 0) return;
    const shown = panel("heat", word("gradients"), true);
    if (!shown.canvas) {
      const holder = make("div", undefined, "heat");
      shown.names = make("ol");
      shown.canvas = make("canvas");
      shown.canvas.setAttribute("role", "img");
      shown.scale = make("p", "", "scale");
      holder.append(shown.names, shown.canvas);
      shown.body.append(holder, shown.scale);
    }
    shown.canvas.setAttribute("aria-label", word("gradients"));
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
        ctx.fillRect(row[i] * 3, y * ROW, value < 0 ? Math.max(6, (end - row[i]) * 3) : (end - row[i]) * 3, ROW - 1);
      }
    });
    const bad = heat.rows.some(row => row.some((value, i) => i % 2 === 1 && value < 0));
    shown.scale.textContent = (values.length ? (10 ** least).toExponential(1) + " … " + (10 ** most).toExponential(1) + " · " : "") + word("heatScale") + (bad ? " ▮" : "");
  }

  let busy = false, again = false;
  async function refresh(always) {
    if (busy) { again = again || always; return; }
    busy = true;
    try {
      if (!token) throw new Error("noToken");
      overview = await ask("run");
      showOverview();
      const [from, to] = windowShown();
      const key = [from, to, overview.read_bytes, language, theme, logAxis, innerWidth].join();
      if (overview.read_bytes > 0 && key !== drawn) {
        const names = CHARTS.flatMap(linesOf).map(line => "name=" + encodeURIComponent(line.name)).join("&");
        const range = "from=" + from + "&to=" + to;
        const [data, heat] = await Promise.all([ask("series?" + names + "&" + range + "&columns=600"),
          ask("heat?" + range + "&columns=" + HEAT_COLUMNS)]);
        CHARTS.forEach(chart => draw(chart, data));
        drawHeat(heat);
        drawn = key;
      }
    } catch (e) {
      alertOf([e.message === "noToken" ? word("noToken") : word("gone") + " (" + e.message + ")"]);
    }
    busy = false;
    if (again) { again = false; refresh(true); }
  }

  function dress() {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    document.documentElement.dataset.theme = theme;
    document.querySelectorAll("[data-word]").forEach(node => { node.textContent = word(node.dataset.word); });
    at("language").textContent = language === "zh" ? "English" : "中文";
    at("log-axis").setAttribute("aria-pressed", String(logAxis));
    refresh(true);
  }
  function turnTheme() { theme = theme === "dark" ? "light" : "dark"; store("duoka.theme", theme); dress(); }
  function turnLanguage() { language = language === "zh" ? "en" : "zh"; store("duoka.language", language); dress(); }
  function turnLogAxis() { logAxis = !logAxis; store("duoka.logAxis", logAxis ? "yes" : "no"); dress(); }
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
    ArrowRight: () => move(0.25), "0": showAll, l: turnLogAxis, t: turnTheme, z: turnLanguage, "?": turnHelp};
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target === at("log")) return;
    if (KEYS[event.key] && overview) { event.preventDefault(); KEYS[event.key](); }
  });
  at("all").addEventListener("click", showAll);
  at("log-axis").addEventListener("click", turnLogAxis);
  at("theme").addEventListener("click", turnTheme);
  at("language").addEventListener("click", turnLanguage);
  at("help").addEventListener("click", turnHelp);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(false); });
  addEventListener("resize", () => refresh(true));
  setInterval(() => { if (!document.hidden) refresh(false); }, TICK);
  dress();
})();
