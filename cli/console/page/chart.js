// Writes per second of the last minute, and the pauses, as an area that moves.

const [width, height, shownMs] = [600, 120, 60_000];
const namespace = "http://www.w3.org/2000/svg";
const at = (id) => document.getElementById(id);
let ticks = [];

/** Takes further ticks, and draws all that are still to be seen. */
export function showTicks(more) {
  const now = more.at(-1);
  if (now === undefined) return;
  ticks = [...ticks.filter(({ atMs }) => atMs < more[0].atMs), ...more].filter(
    ({ atMs }) => now.atMs - atMs <= shownMs,
  );
  at("writes").hidden = false;
  at("per-second").textContent = now.perSecond;
  const longest = `${now.longestMs} ms`;
  at("longest").textContent = now.longestMs === 0 ? "none" : longest;
  const errors = Object.entries(now.errors).map(([word, count]) => `${count} × ${word}`);
  at("errors").textContent = errors.length === 0 ? "none" : errors.join(", ");
  if (!document.hidden) draw(now);
}

function draw(now) {
  const top = Math.max(10, ...ticks.map(({ perSecond }) => perSecond)) * 1.1;
  const x = (atMs) => ((atMs - now.atMs + shownMs) / shownMs) * width;
  const y = (perSecond) => height - (perSecond / top) * height;
  const points = ticks.map(({ atMs, perSecond }) => `${x(atMs).toFixed(1)},${y(perSecond).toFixed(1)}`);
  const line = `M${points.join("L")}`;
  path("area").setAttribute("d", `${line}L${width},${height}L${x(ticks[0].atMs).toFixed(1)},${height}Z`);
  path("line").setAttribute("d", line);
  const silent = ticks.filter(({ silentMs }) => silentMs >= 100);
  path("pause").setAttribute(
    "d",
    silent
      .map(({ atMs, silentMs }) => `M${x(atMs - silentMs)},0H${x(atMs)}V${height}H${x(atMs - silentMs)}Z`)
      .join(""),
  );
  at("scale").textContent = `up to ${Math.round(top)}/s`;
  const longest = now.longestMs === 0 ? "no pause" : `the longest pause was ${now.longestMs} ms`;
  at("chart").setAttribute(
    "aria-label",
    `Writes per second in the last minute: ${now.perSecond} now, ${longest}`,
  );
}

/** One shape of the chart, made when it is first needed. */
function path(name) {
  const found = at("chart").querySelector(`.${name}`);
  if (found !== null) return found;
  const made = document.createElementNS(namespace, "path");
  made.setAttribute("class", name);
  return at("chart").appendChild(made);
}
