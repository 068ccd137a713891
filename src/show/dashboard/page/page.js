// Shows the stream of the run's parts; sends pause, run and stop. Texts are inserted as text, never as HTML. The key arrives
// behind `#`, is removed from the address bar at once, and is sent in a header only.

const HELD = "skewfit-key";
const AGAIN_MS = 2000; // before a lost stream is opened again
const SILENT_MS = 15000; // a stream that is silent for so long is lost
const STALE_S = 300; // a live run updates its status more often
const $ = (id) => document.getElementById(id);

// ---- the key, and requests with it

function takeKey() {
  if (location.hash.length > 1) {
    sessionStorage.setItem(HELD, location.hash.slice(1));
    history.replaceState(null, "", location.pathname);
  }
}

function ask(path, more = {}) {
  const key = sessionStorage.getItem(HELD) ?? "";
  return fetch(path, { ...more, headers: { Authorization: `Bearer ${key}` } });
}

function lock() {
  sessionStorage.removeItem(HELD);
  if (!$("locked").open) $("locked").showModal();
}

$("locked").addEventListener("cancel", (event) => event.preventDefault());
$("unlock").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(HELD, $("key").value.trim());
  $("key").value = "";
  $("locked").close();
  follow();
});

// ---- the stream

async function* events(body, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    heard();
    text += value;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
      const fields = text.slice(0, end).split("\n").map((line) => line.split(/: ?(.*)/s));
      const of = (name) => fields.filter(([n]) => n === name).map(([, value]) => value).join("\n");
      yield [of("event"), JSON.parse(of("data"))];
    }
  }
}

let following = false;
async function follow() {
  if (following) return;
  following = true;
  for (;;) {
    const cut = new AbortController();
    let timer = setTimeout(() => cut.abort(), SILENT_MS);
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => cut.abort(), SILENT_MS);
    };
    try {
      const answer = await ask("/events", { signal: cut.signal });
      if (answer.status === 401) {
        following = false;
        return lock();
      }
      if (answer.ok) {
        for await (const [part, sent] of events(answer.body, heard)) {
          if (lost) say("");
          lost = false;
          parts[part]?.(sent);
        }
      }
    } catch {
      // handled below
    } finally {
      clearTimeout(timer);
    }
    await new Promise((next) => setTimeout(next, AGAIN_MS));
    if (!(await reaches())) gone();
  }
}

const reaches = () => fetch("/icon.svg").then((answer) => answer.ok, () => false);

let lost = false;
function gone() {
  lost = true;
  say("No connection: the process that serves this page has ended or cannot be reached. The page shows the last state received.");
  for (const name of ["pause", "resume", "stop"]) $(name).disabled = true;
}

function say(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

// ---- formatting of numbers

const grouped = (n) => n.toLocaleString("en-US");
const two = (n) => String(n).padStart(2, "0");

function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s >= 86400) return `${Math.floor(s / 86400)} d ${two(Math.floor((s % 86400) / 3600))} h`;
  if (s >= 3600) return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
  if (s >= 60) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  return `${s} s`;
}

function figure(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1);
  return value.toLocaleString("en-US", { maximumFractionDigits: size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3 });
}

function of(node, value, total) {
  const small = document.createElement("small");
  if (total != null) small.textContent = ` / ${grouped(total)}`;
  node.replaceChildren(value == null ? "–" : grouped(value), small);
}

// ---- the parts

let silent = false; // true while the notice says that the run is silent
const parts = { run, curves, episodes, health };
const WORDS = { exploring: "exploring", paused: "paused", stopped: "stopped", done: "done", failed: "failed" };
const ASKED = { pause: "pause requested", run: "resume requested", stop: "stop requested" };

function run(sent) {
  const stopped = sent.state === "paused" && sent.asked === "stop";
  const state = stopped ? "stopped" : sent.state;
  const live = state === "exploring" || state === "paused";
  $("name").textContent = sent.name ?? "skewfit";
  $("seed").textContent = sent.seed == null ? "" : `seed ${sent.seed}`;
  document.title = `${WORDS[state] ?? "?"} · ${sent.name ?? "skewfit"}`;
  $("state").dataset.state = state ?? "";
  const answered = { exploring: "run", paused: "pause" }[state] === sent.asked;
  $("state-word").textContent = (WORDS[state] ?? "unknown") + (live && !answered && (sent.asked !== "run" || state === "paused") ? `, ${ASKED[sent.asked]}` : "");
  const age = sent.updated_at ? (Date.parse(sent.now) - Date.parse(sent.updated_at)) / 1000 : null;
  $("heartbeat").textContent = age == null ? "no heartbeat yet" : live ? `heartbeat ${duration(age)} ago` : `since ${sent.updated_at.replace("T", " ").replace("Z", " UTC")}`;
  const stale = live && age > STALE_S;
  if (stale) say(`No heartbeat for ${duration(age)}: if no process runs it any more, continue it with skewfit resume.`);
  else if (silent) say("");
  silent = stale;
  const steers = live && !sent.read_only;
  $("pause").disabled = !steers || sent.asked === "pause";
  $("resume").disabled = !steers || (state === "exploring" && sent.asked === "run");
  $("stop").disabled = !steers || sent.asked === "stop";
  of($("steps"), sent.env_steps, sent.steps_total);
  of($("updates"), sent.updates, sent.updates_total);
  of($("episodes"), sent.episodes);
  $("bar").max = sent.steps_total || 1;
  $("bar").value = Math.min(sent.env_steps ?? 0, $("bar").max);
  $("time").textContent = sent.wall_s == null ? "–" : duration(sent.wall_s);
  $("left").textContent = state === "exploring" && sent.left_s != null ? duration(sent.left_s) : "–";
  $("dir").textContent = sent.dir + (sent.read_only ? " (read-only: this page may not write there, so it cannot pause or stop the run)" : "");
}

async function paint(canvas, episode, which) {
  const path = `/pictures/${episode.name}/${which}`;
  if (canvas.dataset.path === path) return;
  canvas.dataset.path = path;
  const answer = await ask(path);
  if (!answer.ok || canvas.dataset.path !== path) return;
  const picture = await createImageBitmap(await answer.blob());
  [canvas.width, canvas.height] = [picture.width, picture.height];
  canvas.getContext("2d").drawImage(picture, 0, 0);
}

function canvas(what) {
  const node = document.createElement("canvas");
  node.setAttribute("role", "img");
  node.setAttribute("aria-label", what);
  return node;
}

function episodes(sent) {
  const last = sent.at(-1);
  if (!last) return;
  paint($("camera"), last, "reached");
  paint($("goal"), last, "goal");
  $("camera-of").textContent = `end of episode ${grouped(last.id)}`;
  const source = SOURCES[last.goal_source] ?? last.goal_source;
  $("goal-of").textContent = last.goals > 1 ? `${source}, the last of ${last.goals}` : source;
  const before = sent.slice(0, -1).reverse();
  const held = new Map([...$("pairs").children].map((item) => [item.dataset.name, item]));
  $("pairs").replaceChildren(...before.map((episode) => held.get(episode.name) ?? pair(episode)));
}

const SOURCES = { prior: "from the VAE prior", replay: "from replay", "skewed-replay": "from skewed replay" };

function pair(episode) {
  const item = document.createElement("li");
  const [both, words] = [document.createElement("div"), document.createElement("p")];
  both.append(canvas(`Goal of episode ${episode.id}`), canvas(`What episode ${episode.id} reached`));
  words.textContent = episode.goals > 1 ? `${grouped(episode.id)}, ${episode.goals} goals` : grouped(episode.id);
  item.append(both, words);
  item.dataset.name = episode.name;
  paint(both.children[0], episode, "goal");
  paint(both.children[1], episode, "reached");
  return item;
}

function health(sent) {
  const gigabytes = sent.disk_free_bytes / 1e9;
  $("disk").textContent = sent.disk_free_bytes == null ? "–" : `${gigabytes.toFixed(gigabytes < 100 ? 1 : 0)} GB`;
  $("memory").textContent = sent.memory_mb == null ? "–" : `${grouped(Math.round(sent.memory_mb))} MB`;
  for (const kind of ["paused", "skipped", "rolled-back", "restarted", "damaged"]) {
    const times = sent.night.counts?.[kind] ?? 0;
    $(kind).textContent = grouped(times);
    $(kind).classList.toggle("bad", times > 0);
  }
  const lines = (sent.night.events ?? []).map((event) => {
    const [line, at, where] = [document.createElement("li"), document.createElement("time"), document.createElement("span")];
    at.dateTime = event.at;
    at.textContent = event.at.slice(5, 16).replace("T", " ");
    where.className = "where";
    where.textContent = ` at ${grouped(event.env_steps)} steps`;
    line.append(at, ` ${event.event.replaceAll("-", " ")}`, event.why ? `: ${event.why}` : "", where);
    return line;
  });
  $("events").replaceChildren(...lines);
}

// ---- curves

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [320, 182, 42, 10, 20, 32];

function draw(name, facts, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(facts)) node.setAttribute(key, value);
  if (text != null) node.textContent = text;
  return node;
}

/** A few round numbers from `low` to `high`, as [number, text]. */
function ticks(low, high) {
  const rough = (high - low) / 5;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * ten).find((n) => n >= rough);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const text = (n) => (step >= 1e6 || step < 1e-4 ? n.toExponential(1) : n.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));
  const all = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) all.push([i * step || 0, text(i * step || 0)]); // no -0
  return all;
}

const steps = (n) => (n >= 1e6 ? `${figure(n / 1e6)} M` : n >= 1e3 ? `${figure(n / 1e3)} k` : String(n));

function curves(sent) {
  const all = sent.figures.flatMap((f) => [...f.line, ...f.dots]);
  const end = Math.max(1, ...all.map(([x]) => x));
  $("curves").replaceChildren(...sent.figures.map((f) => curve(f, end)));
}

function curve(sent, end) {
  const [box, head, value] = [document.createElement("figure"), document.createElement("figcaption"), document.createElement("span")];
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  head.append(sent.heading, value);
  box.append(head, svg);
  const seen = [...sent.line, ...sent.dots].map(([, y]) => y);
  if (!seen.length) {
    svg.append(draw("text", { x: WIDTH / 2, y: HEIGHT / 2, "text-anchor": "middle" }, "not measured yet"));
    return box;
  }
  value.textContent = figure(sent.line.at(-1)[1]);
  const over = sent.over > 1 ? ` (line: mean of ${sent.over} evaluations)` : "";
  svg.setAttribute("aria-label", `${sent.heading}, ${sent.unit}, over exploration steps; now ${value.textContent}`);
  let [low, high] = [Math.min(...seen), Math.max(...seen)];
  if (low > 0 && low < 0.4 * high) low = 0;
  if (sent.unit === "of 1") [low, high] = [0, 1];
  if (high === low) [low, high] = low === 0 ? [0, 1] : [Math.min(0, 2 * low), Math.max(0, 2 * low)];
  const x = (n) => LEFT + (n / end) * (WIDTH - LEFT - RIGHT);
  const y = (n) => HEIGHT - BOTTOM - ((n - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  for (const [at, words] of ticks(low, high)) {
    svg.append(draw("line", { class: "rule", x1: LEFT, x2: WIDTH - RIGHT, y1: y(at), y2: y(at) }));
    svg.append(draw("text", { x: LEFT - 5, y: y(at) + 3.5, "text-anchor": "end" }, words));
  }
  for (const [at] of ticks(0, end)) {
    svg.append(draw("text", { x: x(at), y: HEIGHT - BOTTOM + 13, "text-anchor": at > 0.97 * end ? "end" : "middle" }, steps(at)));
  }
  svg.append(draw("text", { x: 0, y: 10 }, sent.unit));
  svg.append(draw("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, `exploration steps${over}`));
  for (const [a, b] of sent.dots) svg.append(draw("circle", { class: "dot", cx: x(a), cy: y(b), r: 1.6 }));
  const path = sent.line.map(([a, b], i) => `${i ? "L" : "M"}${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("");
  svg.append(draw("path", { class: "line", d: path }));
  const [a, b] = sent.line.at(-1);
  svg.append(draw("circle", { class: "end", cx: x(a), cy: y(b), r: 2.8 }));
  return box;
}

// ---- control requests

async function request(word) {
  const answer = await ask(`/control/${word}`, { method: "POST" }).catch(() => null);
  if (answer?.status === 401) return lock();
  if (!answer?.ok) say(answer ? await answer.text() : "No answer: the request was not delivered.");
}

$("pause").addEventListener("click", () => request("pause"));
$("resume").addEventListener("click", () => request("run"));
$("stop").addEventListener("click", () => $("sure").showModal());
$("sure").addEventListener("close", () => {
  if ($("sure").returnValue === "yes") request("stop");
  $("sure").returnValue = "";
});

window.addEventListener("hashchange", () => {
  takeKey();
  location.reload();
});
takeKey();
follow();
