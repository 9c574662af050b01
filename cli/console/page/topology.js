// A card for each part, changed in place so that nobody loses the focus, and the links between them.

const labels = {
  kill: "Kill",
  freeze: "Freeze",
  "cut-off": "Cut off",
  "hand-over": "Hand over to it",
  empty: "Empty its volume",
  restore: "Restore",
};
const offered = {
  proxy: ["kill", "restore"],
  redis: ["kill", "freeze", "cut-off", "hand-over", "empty", "restore"],
  sentinel: ["kill", "cut-off", "restore"],
};
const rows = { proxy: "proxies", redis: "redis", sentinel: "sentinels" };
const cards = new Map();
const namespace = "http://www.w3.org/2000/svg";

/** Shows all parts. @param order does what a button says. */
export function showTopology(parts, order) {
  const readOnly = parts.every(({ actions }) => actions.every((action) => action === "hand-over"));
  for (const part of parts) {
    const card = cards.get(part.name) ?? makeCard(part, order);
    show(card, part, readOnly);
  }
  const names = new Set(parts.map(({ name }) => name));
  for (const [name, card] of cards) {
    if (names.has(name)) continue;
    card.item.remove();
    cards.delete(name);
  }
  drawLinks(parts);
}

function makeCard({ name, kind }, order) {
  const item = document.createElement("li");
  const add = (tag, className, text = "") => {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text;
    return item.appendChild(made);
  };
  const title = add("h3", "", name);
  title.id = `part-${name}`;
  item.setAttribute("aria-labelledby", title.id);
  const card = {
    item,
    role: add("span", "role"),
    state: add("p", "state"),
    facts: add("dl", "facts"),
    orders: add("fieldset", "orders"),
    buttons: new Map(),
  };
  card.orders.setAttribute("aria-label", `What can be done to ${name}`);
  for (const action of offered[kind]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = labels[action];
    button.setAttribute("aria-label", `${labels[action]}: ${name}`);
    button.dataset.action = action;
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") !== "true") void order(action, name);
    });
    card.buttons.set(action, card.orders.appendChild(button));
  }
  document.getElementById(rows[kind]).append(item);
  cards.set(name, card);
  return card;
}

function show(card, part, readOnly) {
  const { healthy, role, mark, state, facts, actions, points, linked } = part;
  card.item.className = `part ${role}${healthy ? "" : " ill"}`;
  card.role.textContent = mark === undefined ? role : mark;
  const target = points === undefined || role === "master" ? "" : ` → ${points}${linked ? "" : " (broken)"}`;
  card.state.textContent = `${state}${role === "proxy" ? target : ""}`;
  card.facts.replaceChildren(
    ...facts.flatMap(([name, value]) => {
      const [term, text] = [document.createElement("dt"), document.createElement("dd")];
      term.textContent = name;
      text.textContent = value;
      return [term, text];
    }),
  );
  for (const [action, button] of card.buttons) {
    // A button that can't be pressed now keeps its place, and the focus.
    button.setAttribute("aria-disabled", String(!actions.includes(action)));
    button.hidden = readOnly && action !== "hand-over";
  }
}

/** Draws who follows whom, between the cards as they lie now. */
export function drawLinks(parts) {
  const svg = document.getElementById("links");
  const frame = svg.getBoundingClientRect();
  if (frame.width === 0) return;
  const lines = parts.flatMap(({ name, kind, points, linked, role }) => {
    const target = cards.get(points);
    if (target === undefined || role === "master") return [];
    const [a, b] = [cards.get(name).item.getBoundingClientRect(), target.item.getBoundingClientRect()];
    const [from, to] = edges(a, b);
    const line = document.createElementNS(namespace, "line");
    const at = { x1: from.x - frame.x, y1: from.y - frame.y, x2: to.x - frame.x, y2: to.y - frame.y };
    for (const [key, value] of Object.entries(at)) line.setAttribute(key, value.toFixed(0));
    line.setAttribute("class", `${kind}${linked ? "" : " broken"}`);
    return [line];
  });
  svg.replaceChildren(...lines);
}

/** Where a link leaves one card and reaches the other. */
function edges(a, b) {
  const middle = ({ x, width }) => x + width / 2;
  if (a.bottom <= b.top)
    return [
      { x: middle(a), y: a.bottom },
      { x: middle(b), y: b.top },
    ];
  if (b.bottom <= a.top)
    return [
      { x: middle(a), y: a.top },
      { x: middle(b), y: b.bottom },
    ];
  const y = Math.max(a.top, b.top) + 22;
  return a.right <= b.left
    ? [
        { x: a.right, y },
        { x: b.left, y },
      ]
    : [
        { x: a.left, y },
        { x: b.right, y },
      ];
}
