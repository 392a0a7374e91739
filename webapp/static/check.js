// Lets an applicant mark places on a masked page with a finger, a pen or a mouse.
"use strict";
(() => {
  const sheet = document.getElementById("sheet");
  const drawing = sheet.querySelector("svg");
  const mark = document.getElementById("mark");
  const unmark = document.getElementById("unmark");
  const field = document.getElementById("places");
  const [width, height] = JSON.parse(sheet.dataset.size);
  const SMALLEST = 6; // pixels on the screen: less was a tap, not a box
  const places = JSON.parse(field.value);
  let drawn = null;

  function keep() {
    field.value = JSON.stringify(places);
    unmark.disabled = places.length === 0;
  }

  // Where a pointer is, in pixels of the page.
  function placed(event) {
    const box = sheet.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * width;
    const y = ((event.clientY - box.top) / box.height) * height;
    return [Math.min(Math.max(x, 0), width), Math.min(Math.max(y, 0), height)];
  }

  function show(rect, [left, top, right, bottom]) {
    rect.setAttribute("x", Math.min(left, right));
    rect.setAttribute("y", Math.min(top, bottom));
    rect.setAttribute("width", Math.abs(right - left));
    rect.setAttribute("height", Math.abs(bottom - top));
  }

  function begin(event) {
    if (mark.getAttribute("aria-pressed") !== "true" || drawn || event.button > 0) return;
    event.preventDefault();
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    drawing.append(rect);
    drawn = { rect, from: placed(event), start: [event.clientX, event.clientY] };
    sheet.setPointerCapture(event.pointerId);
  }

  function move(event) {
    if (drawn) show(drawn.rect, [...drawn.from, ...placed(event)]);
  }

  function end(event) {
    if (!drawn) return;
    const { rect, from, start } = drawn;
    drawn = null;
    const wide = Math.abs(event.clientX - start[0]);
    const high = Math.abs(event.clientY - start[1]);
    if (event.type === "pointercancel" || wide < SMALLEST || high < SMALLEST) {
      rect.remove();
      return;
    }
    const to = placed(event);
    const round = (value) => Math.round(value * 10) / 10;
    places.push([
      round(Math.min(from[0], to[0])),
      round(Math.min(from[1], to[1])),
      round(Math.max(from[0], to[0])),
      round(Math.max(from[1], to[1])),
    ]);
    // A marked place on a page that needs nothing makes no sense.
    const chosen = document.querySelector("[name=answer]:checked");
    if (!chosen || chosen.value === "no") document.querySelector("[value=yes]").checked = true;
    keep();
  }

  mark.addEventListener("click", () => {
    const on = mark.getAttribute("aria-pressed") !== "true";
    mark.setAttribute("aria-pressed", String(on));
    sheet.classList.toggle("marking", on);
    document.getElementById("hint").hidden = !on;
  });
  unmark.addEventListener("click", () => {
    places.pop();
    drawing.lastElementChild?.remove();
    keep();
  });
  sheet.addEventListener("pointerdown", begin);
  sheet.addEventListener("pointermove", move);
  sheet.addEventListener("pointerup", end);
  sheet.addEventListener("pointercancel", end);
  document.getElementById("tools").hidden = false;
  keep();
})();
