"use strict";
// @ts-check
(() => {
  /** @typedef {string | null} Slot */
  /** @typedef {{sides: Record<string, number[]>[], changes: [Slot, Slot, number, number, number][],
   *   findings: [Slot, Slot, string, string, string, string, string][], texts: string[]}} Data */
  const byId = (/** @type {string} */ id) => document.getElementById(id);
  const source = byId("data");
  const data = /** @type {Data} */ (JSON.parse(source ? source.textContent || "{}" : "{}"));
  const two = data.sides.length > 1;
  const details = /** @type {HTMLElement} */ (byId("details"));
  const facts = /** @type {HTMLElement} */ (byId("facts"));
  const search = /** @type {HTMLInputElement} */ (byId("search"));
  const severity = /** @type {HTMLSelectElement | null} */ (byId("severity"));
  const group = /** @type {HTMLSelectElement} */ (byId("group"));
  const devices = /** @type {HTMLButtonElement[]} */ (Array.from(document.querySelectorAll("button.device")));
  /** @type {HTMLButtonElement | null} */
  let opened = null;

  const side = () => document.body.dataset.side || "";
  const index = () => (two && side() === "B" ? 1 : 0);
  const shown = () => devices.filter((device) => device.offsetParent !== null);

  /** @param {string} tag @param {string} text @param {string} [className] */
  const make = (tag, text, className) => {
    const element = document.createElement(tag);
    element.textContent = text;
    if (className) element.className = className;
    return element;
  };

  /** @param {string} slot */
  const words = (slot) => {
    const numbers = data.sides[index()][slot] || [];
    return numbers
      .map((number) => data.texts[number])
      .join("\n")
      .toLowerCase();
  };
  /** @type {Map<string, string>} */
  const remembered = new Map();
  /** @param {HTMLButtonElement} device */
  const text = (device) => {
    const key = device.id;
    let found = remembered.get(key);
    if (found === undefined) {
      found = (device.textContent || "").toLowerCase() + "\n" + words(device.dataset.slot || "");
      remembered.set(key, found);
    }
    return found;
  };

  const filter = () => {
    const wanted = search.value.trim().toLowerCase();
    const level = severity ? severity.value : "";
    const number = group.value;
    let count = 0;
    for (const device of devices) {
      const board = device.closest(".board");
      if (two && board instanceof HTMLElement && board.dataset.label !== side()) continue;
      const fits =
        (!wanted || text(device).includes(wanted)) &&
        (!level || device.dataset.severity === level) &&
        (!number || device.dataset.group === number);
      device.classList.toggle("hidden", !fits);
      if (fits) count += 1;
    }
    const output = byId("count");
    if (output) output.textContent = wanted || level || number ? `${count} shown` : "";
  };

  /** @param {string} slot @param {Set<string>} different */
  const table = (slot, different) => {
    const body = document.createElement("table");
    const numbers = data.sides[index()][slot] || [];
    const rows = [];
    for (let at = 0; at < numbers.length; at += 2) rows.push([data.texts[numbers[at]], data.texts[numbers[at + 1]]]);
    for (const [path, value] of rows) {
      const row = body.insertRow();
      if (different.has(path)) row.className = "differs";
      const head = make("th", path);
      head.setAttribute("scope", "row");
      row.append(head, make("td", value));
    }
    return body;
  };

  /** @param {string} slot */
  const differing = (slot) =>
    data.changes
      .filter((change) => change[index()] === slot)
      .map((change) => change.slice(2).map((n) => data.texts[Number(n)]));

  /** @param {HTMLButtonElement} device */
  const open = (device) => {
    const slot = device.dataset.slot || "";
    if (opened) opened.removeAttribute("aria-current");
    opened = device;
    device.setAttribute("aria-current", "true");
    const changes = differing(slot);
    const parts = [make("h2", `${slot} ${(device.querySelector(".what") || device).textContent}`)];
    parts.push(make("p", (device.querySelector(".name") || device).textContent || ""));
    for (const finding of data.findings) {
      if (finding[two ? index() : 1] !== slot) continue;
      parts.push(make("h3", finding[4]), make("p", `${finding[5]} ${finding[6]}`.trim()));
    }
    if (changes.length) {
      const body = document.createElement("table");
      for (const [path, before, after] of changes) {
        const row = body.insertRow();
        row.className = "differs";
        const head = make("th", path);
        head.setAttribute("scope", "row");
        row.append(head, make("td", `${before} → ${after}`));
      }
      parts.push(make("h3", "Differs (A → B)"), body);
    }
    parts.push(make("h3", "All facts"), table(slot, new Set(changes.map((change) => change[0]))));
    facts.replaceChildren(...parts);
    details.hidden = false;
    details.scrollTop = 0;
  };

  const close = () => {
    details.hidden = true;
    if (opened) {
      opened.removeAttribute("aria-current");
      opened.focus();
    }
    opened = null;
  };

  const follow = () => {
    const slot = decodeURIComponent(location.hash.slice(1));
    if (!slot) return;
    const find = () => devices.find((device) => device.dataset.slot === slot && device.offsetParent !== null);
    let device = find();
    if (!device && devices.some((one) => one.dataset.slot === slot)) {
      search.value = "";
      if (severity) severity.value = "";
      group.value = "";
      filter();
      device = find();
      if (!device && two) {
        flip(side() === "B" ? "A" : "B");
        device = find();
      }
    }
    if (device) {
      open(device);
      device.scrollIntoView({ block: matchMedia("(max-width: 60rem)").matches ? "start" : "center" });
      device.focus({ preventScroll: true });
    }
  };

  /** @param {string} name */
  const flip = (name) => {
    document.body.dataset.side = name;
    for (const input of document.querySelectorAll('input[name="side"]'))
      if (input instanceof HTMLInputElement) input.checked = input.value === name;
    remembered.clear();
    filter();
    const slot = opened ? opened.dataset.slot : "";
    const other = devices.find((device) => device.dataset.slot === slot && device.offsetParent !== null);
    if (other) open(other);
  };

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target.closest("button.device") : null;
    if (target instanceof HTMLButtonElement) open(target);
  });
  document.addEventListener("change", (event) => {
    const target = event.target;
    if (target instanceof HTMLInputElement && target.name === "side") flip(target.value);
  });
  document.addEventListener("keydown", (event) => {
    const typing = document.activeElement === search;
    if (event.key === "/" && !typing) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape") {
      if (!details.hidden) close();
      else if (search.value) {
        search.value = "";
        filter();
      }
    } else if (
      (event.key === "ArrowDown" || event.key === "ArrowUp") &&
      document.activeElement instanceof HTMLButtonElement
    ) {
      const list = shown();
      const at = list.indexOf(document.activeElement);
      const next = at < 0 ? undefined : list[at + (event.key === "ArrowDown" ? 1 : -1)];
      if (next) {
        event.preventDefault();
        next.focus();
      }
    }
  });
  for (const element of [search, severity, group]) if (element) element.addEventListener("input", filter);
  const form = document.querySelector("form.tools");
  if (form) form.addEventListener("submit", (event) => event.preventDefault());
  const button = byId("close");
  if (button) button.addEventListener("click", close);
  addEventListener("hashchange", follow);
  follow();
})();
