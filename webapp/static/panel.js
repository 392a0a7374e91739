// The number pad beside a defence score, for fingers; the field itself can be typed into as well.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const pad = document.querySelector(".pad");
  const points = document.getElementById("points");
  if (!pad || !points) return;
  pad.hidden = false;
  pad.addEventListener("click", (event) => {
    const key = event.target.closest("[data-key]")?.dataset.key;
    if (!key) return;
    if (key === "back") points.value = points.value.slice(0, -1);
    else if (key !== "." || !points.value.includes(".")) points.value += key;
  });
});
