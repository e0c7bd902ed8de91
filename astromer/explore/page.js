"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const unpack = (text, Kind) => {
    const raw = atob(text), bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    return new Kind(bytes.buffer);
  };
  const ids = data.ids, count = ids.length, each = data.each;
  const [x, y, period, amplitude, magnitude, observations, score] =
    ["x", "y", "period", "amplitude", "magnitude", "observations", "score"].map((n) => unpack(data[n], Float32Array));
  const doubt = data.doubt ? unpack(data.doubt, Float32Array) : null;
  const klass = unpack(data.class, Int32Array), rank = unpack(data.rank, Int32Array);
  const near = unpack(data.near, Uint32Array), counts = unpack(data.counts, Uint32Array);
  const bounds = unpack(data.bounds, Float64Array), magnitudes = unpack(data.magnitudes, Uint16Array);
  const low = unpack(data.times, Uint16Array), high = unpack(data.times_high, Uint8Array);
  const starts = new Uint32Array(count + 1);
  for (let i = 0; i < count; i++) starts[i + 1] = starts[i] + counts[i];
  const labels = new Map(Object.entries(data.labels));
  const row = new Map(ids.map((name, i) => [name, i]).reverse());

  // Colours that differ with any colour vision (Okabe & Ito 2008), then lighter ones of the same.
  const PALETTE = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8C6BB1", "#A6761D",
    "#66A61E", "#1B9E9E", "#E7298A", "#7f7f7f", "#5E4FA2", "#B2182B"];
  const RAMP = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
  const ramp = (share) => {
    const place = Math.max(0, Math.min(0.9999, share)) * (RAMP.length - 1), i = Math.floor(place), part = place - i;
    return RAMP[i].map((c, k) => Math.round(c + (RAMP[i + 1][k] - c) * part));
  };
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const digits = (value, places = 4) => Number.isFinite(value) ? String(Number(value.toPrecision(places))) : "–";

  // What the map can be coloured by.
  const logs = (values) => Float32Array.from(values, (v) => v > 0 ? Math.log10(v) : NaN);
  const choices = [];
  const names = (title, of) => choices.push({ title, of });
  const number = (title, values, show) => choices.push({ title, values, show });
  if (data.classes.length) names("class", (i) => data.classes[klass[i]] || "");
  if (Array.from(period).some(Number.isFinite)) number("period", logs(period), (v) => digits(10 ** v, 2) + " d");
  number("amplitude", logs(amplitude), (v) => digits(10 ** v, 2) + " mag");
  number("outlier score", score, (v) => digits(v, 2));
  number("magnitude", magnitude, (v) => digits(v, 3) + " mag");
  names("label by hand", (i) => labels.get(ids[i]) || "");
  names("artefact", (i) => data.artefact[i]);
  if (data.guess.length) {
    names("guessed class", (i) => data.guess[i]);
    number("doubt about the class", doubt, (v) => digits(v, 2));
  }
  for (const [i, one] of choices.entries()) at("colour").add(new Option(one.title, i));

  const map = at("map"), pen = map.getContext("2d");
  let view = { x: -0.06, y: -0.06, w: 1.12, h: 1.12 }, pinned = -1, under = -1, drawn = null;
  let region = [], selecting = false, chosen = new Set(), colours = [];
  const fit = (canvas) => {
    const scale = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
    const w = Math.max(1, Math.round(box.width * scale)), h = Math.max(1, Math.round(box.height * scale));
    if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    return [context, box.width, box.height];
  };
  const sx = (value, w) => (value - view.x) / view.w * w, sy = (value, h) => (1 - (value - view.y) / view.h) * h;

  function recolour() {
    const choice = choices[at("colour").value], legend = at("legend");
    legend.textContent = "";
    const grey = css("--line");
    if (choice.of) {
      const totals = new Map();
      for (let i = 0; i < count; i++) { const name = choice.of(i); if (name) totals.set(name, (totals.get(name) || 0) + 1); }
      const order = [...totals.keys()].sort((a, b) => totals.get(b) - totals.get(a));
      const colour = new Map(order.map((name, i) => [name, i < PALETTE.length ? PALETTE[i] : "#999999"]));
      colours = Array.from({ length: count }, (_, i) => colour.get(choice.of(i)) || grey);
      for (const name of order.slice(0, PALETTE.length)) entry(legend, colour.get(name), `${name} (${totals.get(name)})`);
      if (order.length > PALETTE.length) entry(legend, "#999999", `${order.length - PALETTE.length} others`);
      if (!order.length) legend.textContent = "none so far";
    } else {
      const sorted = Array.from(choice.values).filter(Number.isFinite).sort((a, b) => a - b);
      const from = sorted[Math.floor(sorted.length * 0.02)] || 0, to = sorted[Math.floor(sorted.length * 0.98)] || 1;
      const steps = Array.from({ length: 65 }, (_, k) => `rgb(${ramp(k / 64)})`);
      colours = Array.from(choice.values, (v) => Number.isFinite(v) ? steps[Math.max(0, Math.min(64, Math.round((v - from) / (to - from || 1) * 64)))] : grey);
      const text = (value) => legend.append(Object.assign(document.createElement("span"), { textContent: choice.show(value) }));
      text(from);
      const bar = document.createElement("i");
      bar.className = "ramp";
      bar.style.background = `linear-gradient(90deg, ${[0, .25, .5, .75, 1].map((s) => `rgb(${ramp(s)})`).join(",")})`;
      legend.append(bar);
      text(to);
    }
    drawn = null;
    draw();
  }
  function entry(legend, colour, text) {
    const span = document.createElement("span"), dot = document.createElement("i");
    dot.style.background = colour;
    span.append(dot, text);
    legend.append(span);
  }

  // Points are drawn once for a view; marks come on top.
  const layer = document.createElement("canvas");
  function draw() {
    const [context, w, h] = fit(map), scale = window.devicePixelRatio || 1;
    const key = [w, h, view.x, view.y, view.w].join();
    if (key !== drawn) {
      layer.width = map.width; layer.height = map.height;
      const p = layer.getContext("2d");
      p.setTransform(scale, 0, 0, scale, 0, 0);
      p.globalAlpha = count > 4000 ? 0.6 : 0.8;
      const size = Math.max(2, Math.min(7, (count > 4000 ? 2.6 : 4) / Math.sqrt(view.w)));
      const groups = new Map();
      for (let i = 0; i < count; i++) {
        const px = sx(x[i], w), py = sy(y[i], h);
        if (px < -9 || py < -9 || px > w + 9 || py > h + 9) continue;
        let path = groups.get(colours[i]);
        if (!path) groups.set(colours[i], path = new Path2D());
        path.moveTo(px + size / 2, py);
        path.arc(px, py, size / 2, 0, 7);
      }
      for (const [colour, path] of groups) { p.fillStyle = colour; p.fill(path); }
      drawn = key;
    }
    context.clearRect(0, 0, w, h);
    context.drawImage(layer, 0, 0, w, h);
    const ring = (i, radius, width, colour) => {
      context.beginPath();
      context.arc(sx(x[i], w), sy(y[i], h), radius, 0, 7);
      context.lineWidth = width; context.strokeStyle = colour; context.stroke();
    };
    const ink = css("--text");
    for (const i of chosen) ring(i, 4, 1, css("--link"));
    if (pinned >= 0) {
      for (let k = 0; k < each; k++) ring(near[pinned * each + k], 5, 1.3, ink);
      ring(pinned, 9, 2.5, css("--back")); ring(pinned, 8, 2.5, css("--bad"));
    }
    if (under >= 0 && under !== pinned) ring(under, 7, 2, ink);
    if (region.length > 1) {
      context.beginPath();
      region.forEach(([a, b], k) => k ? context.lineTo(a, b) : context.moveTo(a, b));
      context.closePath();
      context.lineWidth = 1.5; context.strokeStyle = css("--link"); context.stroke();
      context.globalAlpha = 0.12; context.fillStyle = css("--link"); context.fill(); context.globalAlpha = 1;
    }
  }

  // A light curve in a canvas: against time, or folded on its period, twice.
  function plot(canvas, i, folded, small) {
    const [context, w, h] = fit(canvas);
    context.clearRect(0, 0, w, h);
    const n = counts[i], b = i * 4, left = small ? 2 : 42, bottom = small ? 2 : 20, top = small ? 2 : 6, right = small ? 2 : 8;
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = css("--muted");
    if (!n) { context.fillText("no light curve", 6, h / 2); return; }
    const pad = Math.max(bounds[b + 3] * 0.06, 0.005), faint = bounds[b + 2] + bounds[b + 3] + pad, bright = bounds[b + 2] - pad;
    const span = bounds[b + 1], p = period[i], turns = folded ? 2 : 1;
    const px = (share) => left + (folded ? share : 0.015 + share * 0.97) * (w - left - right), py = (mag) => top + (mag - bright) / (faint - bright) * (h - top - bottom);
    if (!small) {
      context.strokeStyle = css("--line"); context.lineWidth = 1;
      context.strokeRect(left, top, w - left - right, h - top - bottom);
      context.textAlign = "right";
      for (const mag of ticks(bright, faint, 4)) {
        context.fillText(mag.toFixed(faint - bright < 0.3 ? 2 : 1), left - 4, py(mag) + 4);
        context.beginPath(); context.moveTo(left, py(mag)); context.lineTo(left + 3, py(mag)); context.stroke();
      }
      context.textAlign = "center";
      const first = bounds[b], range = folded ? [0, 2] : [first, first + span];
      for (const tick of ticks(range[0], range[1], Math.max(2, Math.min(5, w / 90)))) {
        const place = px((tick - range[0]) / (range[1] - range[0]));
        context.fillText(folded ? String(tick) : tick.toFixed(span < 3 ? 1 : 0), Math.min(Math.max(place, left + 12), w - right - 14), h - 6);
      }
    }
    context.fillStyle = css("--link");
    context.globalAlpha = n > 150 ? 0.65 : 0.85;
    const size = small ? 1.6 : 2.6;
    for (let k = starts[i]; k < starts[i + 1]; k++) {
      const share = (low[k] + high[k] * 65536) / 16777215, mag = bounds[b + 2] + magnitudes[k] / 65535 * bounds[b + 3];
      for (let turn = 0; turn < turns; turn++) {
        const place = folded ? (((share * span / p) % 1) + turn) / 2 : share;
        context.fillRect(px(place) - size / 2, py(mag) - size / 2, size, size);
      }
    }
    context.globalAlpha = 1;
    if (small) return;
    const title = folded ? `phase, at ${digits(p, 7)} days` : "MJD";
    context.textAlign = "left";
    context.fillStyle = css("--back");
    context.fillRect(left + 1, h - bottom - 15, context.measureText(title).width + 8, 14);
    context.fillStyle = css("--muted");
    context.fillText(title, left + 5, h - bottom - 4);
  }
  function ticks(from, to, wanted) {
    const rough = (to - from) / wanted, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((s) => s * power).find((s) => s >= rough) || rough, found = [];
    for (let t = Math.ceil(from / step) * step; t <= to + 1e-9; t += step) found.push(Number(t.toPrecision(10)));
    return found;
  }

  function describe(i) {
    const parts = [];
    const label = labels.get(ids[i]);
    if (label) parts.push(`labelled ${label}`);
    if (klass[i] >= 0) parts.push(data.classes[klass[i]]);
    if (data.guess.length) parts.push(`guessed ${data.guess[i]} (doubt ${digits(doubt[i], 2)})`);
    parts.push(`${observations[i]} observations`, `${digits(magnitude[i])} mag`, `amplitude ${digits(amplitude[i], 3)} mag`);
    if (period[i] > 0) parts.push(`period ${digits(period[i], 6)} d`);
    return parts.join(", ");
  }
  function why(i) {
    if (data.artefact[i]) return `Probably an artefact: ${data.artefact[i]}.`;
    return rank[i] >= 0 ? `Number ${rank[i] + 1} of the odd ones, by its ${data.reasons[i]}.` : "";
  }

  function pin(i, move) {
    if (!(i >= 0)) return;
    pinned = i;
    at("name").textContent = ids[i];
    at("facts").textContent = `${describe(i)}. ${why(i)}`;
    at("folded").hidden = !(period[i] > 0);
    at("label").value = labels.get(ids[i]) || (data.guess[i] || "");
    const box = at("near");
    box.textContent = "";
    for (let k = 0; k < each; k++) {
      const j = near[i * each + k], button = document.createElement("button"), text = document.createElement("span");
      const more = document.createElement("span"), picture = document.createElement("canvas");
      text.textContent = ids[j];
      more.textContent = [labels.get(ids[j]) || data.classes[klass[j]], period[j] > 0 ? `${digits(period[j], 4)} d` : ""].filter(Boolean).join(", ") || "\u00a0";
      button.append(picture, text, more);
      button.title = `${ids[j]}: ${describe(j)}`;
      button.addEventListener("click", () => pin(j, true));
      box.append(button);
    }
    if (move && (x[i] < view.x || y[i] < view.y || x[i] > view.x + view.w || y[i] > view.y + view.h)) {
      view.x = x[i] - view.w / 2; view.y = y[i] - view.h / 2;
    }
    redraw();
  }
  function redraw() {
    draw();
    if (pinned < 0) return;
    plot(at("raw"), pinned, false);
    if (period[pinned] > 0) plot(at("folded"), pinned, true);
    [...at("near").children].forEach((button, k) => {
      const j = near[pinned * each + k];
      plot(button.firstChild, j, period[j] > 0, true);
    });
  }

  const tell = (text) => { at("told").textContent = text; };
  const place = (event) => { const box = map.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top, box.width, box.height]; };
  function closest(px, py, w, h, most) {
    let best = -1, least = most * most;
    for (let i = 0; i < count; i++) {
      const dx = sx(x[i], w) - px, dy = sy(y[i], h) - py, d = dx * dx + dy * dy;
      if (d < least) { least = d; best = i; }
    }
    return best;
  }
  function zoom(factor, px, py, w, h) {
    const cx = view.x + px / w * view.w, cy = view.y + (1 - py / h) * view.h;
    const size = Math.min(1.3, Math.max(0.01, view.w * factor)), real = size / view.w;
    view = { x: cx - (cx - view.x) * real, y: cy - (cy - view.y) * real, w: view.w * real, h: view.h * real };
    draw();
  }
  function save(name, lines) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
  const cell = (text) => /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

  // Pointers: one moves the map or draws a region, two zoom.
  const fingers = new Map();
  let moved = 0, apart = 0;
  map.addEventListener("pointerdown", (event) => {
    map.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, place(event));
    moved = 0; apart = 0;
    if (selecting && fingers.size === 1) region = [place(event)];
  });
  map.addEventListener("pointermove", (event) => {
    const here = place(event), before = fingers.get(event.pointerId), [px, py, w, h] = here;
    if (!before) { hover(event, here); return; }
    fingers.set(event.pointerId, here);
    if (fingers.size === 2) {
      const [a, b] = [...fingers.values()], distance = Math.hypot(a[0] - b[0], a[1] - b[1]);
      if (apart) zoom(apart / distance, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2, w, h);
      apart = distance; moved = 99; region = [];
      return;
    }
    moved += Math.hypot(px - before[0], py - before[1]);
    if (selecting) region.push(here);
    else if (moved > 4) { view.x -= (px - before[0]) / w * view.w; view.y += (py - before[1]) / h * view.h; }
    draw();
  });
  const release = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    const [px, py, w, h] = place(event);
    if (selecting && region.length > 2) { take(w, h); return; }
    region = [];
    if (moved <= 4 && event.type === "pointerup") {
      const i = closest(px, py, w, h, event.pointerType === "mouse" ? 14 : 26);
      if (i >= 0) pin(i);
    }
    draw();
  };
  map.addEventListener("pointerup", release);
  map.addEventListener("pointercancel", release);
  map.addEventListener("pointerleave", () => { under = -1; at("hover").hidden = true; draw(); });
  map.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1 / 1.2 : 1.2, ...place(event));
  }, { passive: false });
  function hover(event, [px, py, w, h]) {
    if (event.pointerType !== "mouse") return;
    const i = closest(px, py, w, h, 14), box = at("hover");
    if (i === under) return;
    under = i;
    box.hidden = i < 0;
    if (i >= 0) {
      box.lastElementChild.textContent = `${ids[i]}: ${describe(i)}`;
      box.style.left = `${px > w / 2 ? Math.max(0, px - box.offsetWidth - 14) : px + 14}px`;
      box.style.top = `${py > h / 2 ? Math.max(0, py - box.offsetHeight - 14) : py + 14}px`;
      plot(box.firstElementChild, i, period[i] > 0, true);
    }
    draw();
  }
  function take(w, h) {
    chosen = new Set();
    for (let i = 0; i < count; i++) {
      const px = sx(x[i], w), py = sy(y[i], h);
      let inside = false;
      for (let a = 0, b = region.length - 1; a < region.length; b = a++) {
        const [ax, ay] = region[a], [bx, by] = region[b];
        if ((ay > py) !== (by > py) && px < (bx - ax) * (py - ay) / (by - ay) + ax) inside = !inside;
      }
      if (inside) chosen.add(i);
    }
    region = [];
    choose(false);
    at("save").disabled = !chosen.size;
    tell(`${chosen.size} objects in the region.${chosen.size ? " Save ids writes them as CSV; Label marks the pinned one." : ""}`);
    draw();
  }
  function choose(on) { selecting = on; at("select").setAttribute("aria-pressed", on); if (on) tell("Draw around a region of the map."); }

  // In order of the ranking, of doubt, and of direction.
  const byRank = Array.from(rank.keys()).filter((i) => rank[i] >= 0).sort((a, b) => rank[a] - rank[b]);
  const byDoubt = doubt ? Array.from(doubt.keys()).filter((i) => Number.isFinite(doubt[i])).sort((a, b) => doubt[b] - doubt[a]) : [];
  const turn = { odd: -1, doubtful: -1 };
  function step(kind, order) {
    if (!order.length) return;
    for (let tries = 0; tries < order.length; tries++) {
      turn[kind] = (turn[kind] + 1) % order.length;
      if (kind === "odd" || !labels.has(ids[order[turn[kind]]])) break;
    }
    pin(order[turn[kind]], true);
  }
  function mark(text) {
    if (pinned < 0) return;
    if (text) labels.set(ids[pinned], text); else labels.delete(ids[pinned]);
    keep();
    at("facts").textContent = `${describe(pinned)}. ${why(pinned)}`;
    tell(text ? `${ids[pinned]} is labelled ${text}; ${labels.size} labels so far.` : `${labels.size} labels.`);
    recolour();
    fill();
  }
  const store = `astromer labels ${document.title}`;
  function keep() {
    at("labels").disabled = !labels.size;
    try { localStorage.setItem(store, JSON.stringify([...labels])); } catch { /* none in this browser */ }
  }
  const known = () => [...new Set([...labels.values(), ...data.classes, ...data.guess])].filter(Boolean);
  function fill() {
    at("known").textContent = "";
    for (const name of known().slice(0, 40)) at("known").append(new Option(name));
  }

  at("colour").addEventListener("change", recolour);
  at("odd").addEventListener("click", () => step("odd", byRank));
  at("doubtful").addEventListener("click", () => step("doubtful", byDoubt));
  at("doubtful").hidden = !byDoubt.length;
  at("select").addEventListener("click", () => choose(!selecting));
  at("reset").addEventListener("click", () => { view = { x: -0.06, y: -0.06, w: 1.12, h: 1.12 }; chosen = new Set(); at("save").disabled = true; draw(); });
  at("save").addEventListener("click", () => save("selected.csv", ["id", ...[...chosen].map((i) => cell(ids[i]))]));
  at("mark").addEventListener("click", () => mark(at("label").value.trim()));
  at("unmark").addEventListener("click", () => mark(""));
  at("labels").addEventListener("click", () => save("labels.csv", ["id,label", ...[...labels].map(([a, b]) => `${cell(a)},${cell(b)}`)]));
  at("label").addEventListener("keydown", (event) => { if (event.key === "Enter") at("mark").click(); });
  at("search").addEventListener("input", () => {
    const text = at("search").value.trim().toLowerCase(), list = at("ids");
    list.textContent = "";
    if (!text) return;
    const exact = row.get(at("search").value.trim());
    if (exact !== undefined) { pin(exact, true); return; }
    let found = 0;
    for (let i = 0; i < count && found < 12; i++) if (ids[i].toLowerCase().includes(text)) { list.append(new Option(ids[i])); found++; }
    if (!found) tell(`No object has ${text} in its id.`);
  });
  at("search").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const text = at("search").value.trim().toLowerCase(), i = ids.findIndex((name) => name.toLowerCase().includes(text));
    if (text && i >= 0) pin(i, true);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) return;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const { width: w, height: h } = map.getBoundingClientRect();
    if (way && event.target === map) {
      const from = pinned < 0 ? [w / 2, h / 2] : [sx(x[pinned], w), sy(y[pinned], h)];
      let best = -1, least = Infinity;
      for (let i = 0; i < count; i++) {
        const dx = sx(x[i], w) - from[0], dy = sy(y[i], h) - from[1], along = dx * way[0] + dy * way[1];
        const off = Math.abs(dx * way[1]) + Math.abs(dy * way[0]);
        if (along > 1 && along >= off && along + 2 * off < least) { least = along + 2 * off; best = i; }
      }
      pin(best, true);
    } else if (event.key === "+" || event.key === "=") zoom(1 / 1.4, w / 2, h / 2, w, h);
    else if (event.key === "-") zoom(1.4, w / 2, h / 2, w, h);
    else if (event.key === "n") step("odd", byRank);
    else if (event.key === "u") step("doubtful", byDoubt);
    else if (event.key === "/") at("search").focus();
    else if (event.key === "Escape") { choose(false); region = []; draw(); }
    else if (/^[1-9]$/.test(event.key)) { const name = known()[event.key - 1]; if (name) mark(name); }
    else return;
    event.preventDefault();
  });
  window.addEventListener("resize", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { recolour(); redraw(); });
  try {
    for (const [name, text] of JSON.parse(localStorage.getItem(store) || "[]")) if (!labels.has(name) && row.has(name)) labels.set(name, text);
  } catch { /* none in this browser */ }
  at("labels").disabled = !labels.size;
  fill();
  recolour();
  if (byRank.length) { turn.odd = 0; pin(byRank[0]); } else if (count) pin(0);
  document.documentElement.dataset.ready = "yes";
})();
