// The last failover, step by step.

const at = (id) => document.getElementById(id);

/** Shows one; the same list is written anew, since it comes only after a change. */
export function showTimeline({ title, kind, at: begin, pauseMs, entries }) {
  const why = kind === "planned" ? "a Sentinel was asked for it" : "the Sentinels saw the master down";
  const pause = pauseMs === undefined ? "" : ` The client's writes paused for ${pauseMs} ms.`;
  at("timeline-head").textContent = `${title}, ${why}, ${new Date(begin).toLocaleTimeString()}.${pause}`;
  at("timeline").replaceChildren(
    ...entries.map(({ ms, text, of }) => {
      const item = document.createElement("li");
      item.className = of;
      const time = document.createElement("span");
      time.className = "ms";
      time.textContent = `${ms} ms`;
      const what = document.createElement("span");
      what.textContent = text;
      item.append(time, what);
      return item;
    }),
  );
}
