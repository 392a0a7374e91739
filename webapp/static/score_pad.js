// The number pad under the score in hand: fingers need no keyboard of the tablet's own.
"use strict";
// `typed(field, text)`: a field has a new text. `next(field)`: go on to what is still to score.
function scorePad(pad, fields, places, typed, next) {
  let field = null;
  let fresh = true; // the first digit replaces what stood there
  function open(chosen) {
    [field, fresh] = [chosen, true];
    const row = chosen.closest(".criterion");
    row.append(pad);
    pad.hidden = false;
    row.scrollIntoView({ block: "nearest" });
    chosen.select();
  }
  function press(key) {
    if (!field || field.readOnly) return;
    if (key === "next") return next(field);
    const before = fresh && !["back", "clear"].includes(key) ? "" : field.value;
    const text = { back: before.slice(0, -1), clear: "" }[key] ?? before + key;
    fresh = false;
    field.value = ScorePoints.cleaned(text, places);
    typed(field, field.value);
  }
  for (const each of fields) for (const kind of ["focus", "click"]) each.addEventListener(kind, () => open(each));
  // The field keeps its focus while the pad is pressed.
  pad.addEventListener("pointerdown", (event) => event.preventDefault());
  pad.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) press(button.dataset.key);
  });
  return { close: () => { pad.hidden = true; field = null; } };
}
