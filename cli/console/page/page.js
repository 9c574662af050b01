// The page: takes what the server tells, and gives it to those who draw. Nothing is concluded here.
import { showTicks } from "./chart.js";
import { showTimeline } from "./timeline.js";
import { drawLinks, showTopology } from "./topology.js";

const at = (id) => document.getElementById(id);
let state;

/** Orders something; what came of it is said, and read out. */
async function order(action, part) {
  say(`${action} ${part} …`, false);
  try {
    const response = await fetch("actions", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ action, part }),
    });
    const { text } = await response.json();
    say(text, !response.ok);
  } catch {
    say("The console doesn't answer.", true);
  }
}

function say(text, refused) {
  at("said").textContent = text;
  at("said").classList.toggle("refused", refused);
}

function headline(text, ill) {
  const line = at("headline");
  // Unchanged text isn't read out again.
  if (line.textContent !== text) line.textContent = text;
  line.classList.toggle("ill", ill);
}

at("kill-master").addEventListener("click", () => {
  if (state?.master === undefined) say("There is no master now.", true);
  else void order("kill", state.master);
});
at("restore-all").addEventListener("click", async () => {
  const ill = (state?.parts ?? []).filter(({ mark }) => mark !== undefined);
  if (ill.length === 0) say("Nothing was killed, frozen or cut off.", false);
  for (const { name } of ill) await order("restore", name);
});
addEventListener("resize", () => state && drawLinks(state.parts));

const events = new EventSource("events");
const on = (kind, show) => events.addEventListener(kind, ({ data }) => show(JSON.parse(data)));
on("state", (value) => {
  state = value;
  at("of").textContent = value.of;
  document.title = `${value.healthy ? "" : "! "}redis-ha ${value.of}`;
  headline(value.headline, !value.healthy);
  at("quick").hidden = value.readOnly;
  showTopology(value.parts, order);
});
on("ticks", showTicks);
on("timeline", showTimeline);
on("problem", (text) => headline(text, true));
events.addEventListener("error", () => headline("The console doesn't answer: was it ended?", true));
