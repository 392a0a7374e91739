// Two devices saved different things: both stand side by side, and a person chooses line by line.
"use strict";
// `chosen(content, version)`: what shall hold, over the stored version.
function scoreConflict(sheet, words, chosen) {
  const dialog = document.getElementById("score-conflict");
  const lines = dialog.querySelector(".lines");
  const keep = document.getElementById("score-conflict-keep");
  let places = [];
  let own = null;
  let stored = null;

  // What differs: {name, one of the content's tables or null for the comment, key in it}.
  function differences() {
    const found = sheet().rubric.map(({ id, name }) => ({ name, table: "scores", key: id }));
    const pages = [...new Set([...Object.keys(own.notes), ...Object.keys(stored.notes)])].sort((a, b) => a - b);
    found.push({ name: words.comment, table: null }, ...pages.map((page) => ({ name: words.page.replace("{page}", page), table: "notes", key: page })));
    return found.filter((place) => valueOf(own, place) !== valueOf(stored, place));
  }
  const valueOf = (content, { table, key }) => (table ? content[table][key] : content.comment) || "";

  function open(content, version) {
    [own, stored] = [content, version];
    places = differences();
    lines.replaceChildren(...places.map(row));
    check();
    if (!dialog.open) dialog.showModal();
  }

  function row(place, index) {
    const set = document.createElement("fieldset");
    const legend = document.createElement("legend");
    legend.textContent = place.name;
    const heads = { own: words.own, stored: words.stored.replace("{version}", stored.version) };
    set.append(legend, ...["own", "stored"].map((side) => {
      const label = document.createElement("label");
      const input = Object.assign(document.createElement("input"), { type: "radio", name: `choice-${index}`, value: side });
      const head = Object.assign(document.createElement("small"), { textContent: heads[side] });
      const value = Object.assign(document.createElement("strong"), { textContent: valueOf(side === "own" ? own : stored, place) || words.nothing });
      label.append(input, head, value);
      return label;
    }));
    return set;
  }

  const choices = () => places.map((_, index) => lines.querySelector(`[name="choice-${index}"]:checked`)?.value);
  function check() { keep.disabled = choices().includes(undefined); }

  lines.addEventListener("change", check);
  for (const button of dialog.querySelectorAll("[data-side]")) {
    button.addEventListener("click", () => {
      for (const input of lines.querySelectorAll(`[value="${button.dataset.side}"]`)) input.checked = true;
      check();
    });
  }
  // Only a choice closes it.
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  document.getElementById("score-conflict-form").addEventListener("submit", () => {
    const content = ScoreDrafts.contentOf(stored);
    choices().forEach((side, index) => {
      const { table, key } = places[index];
      const value = valueOf(side === "own" ? own : stored, places[index]);
      if (!table) content.comment = value;
      else if (value) content[table][key] = value;
      else delete content[table][key];
    });
    chosen(content, stored.version);
  });
  return { open };
}
