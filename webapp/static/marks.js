// Outlines of masks and hits over a picture: one SVG of plain shapes, so that 800 stay fluent.
"use strict";
const Marks = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const shape = (name, attributes) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const points = (quad) => quad.map((corner) => corner.join(",")).join(" ");

  function layer(sheet, [width, height], onPick) {
    const svg = shape("svg", { class: "marks", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    sheet.append(svg);
    svg.addEventListener("click", (event) => {
      const picked = event.target.closest("[data-index]");
      if (picked) onPick(picked.classList.contains("hit") ? "hit" : "mask", Number(picked.dataset.index));
    });
    return svg;
  }

  function draw(svg, page, describe) {
    const room = page.size[0] / 120;
    const masks = page.masks.map((mask, index) => {
      const one = shape("polygon", { class: `mark kind-${mask.kind}`, points: points(mask.quad), "data-index": index });
      if (mask.pending) one.classList.add("pending");
      one.append(titled(describe(mask)));
      return one;
    });
    const hits = page.hits.map((hit, index) => {
      const { minX, minY, maxX, maxY } = Quads.bounds(hit.quad);
      const ring = shape("rect", {
        class: "hit", x: minX - room, y: minY - room, rx: room, "data-index": index,
        width: maxX - minX + 2 * room, height: maxY - minY + 2 * room,
      });
      ring.append(titled(describe(hit)));
      return ring;
    });
    svg.replaceChildren(...masks, ...hits);
  }

  // A box of the person's that could not be saved yet.
  function keep(svg, quad) {
    svg.append(shape("polygon", { class: "mark own-kept", points: points(quad) }));
  }

  function titled(text) {
    const title = shape("title", {});
    title.textContent = text;
    return title;
  }

  function choose(svg, kind, index) {
    for (const old of svg.querySelectorAll(".chosen")) old.classList.remove("chosen");
    if (index === null) return;
    svg.querySelector(`${kind === "hit" ? ".hit" : ".mark"}[data-index="${index}"]`)?.classList.add("chosen");
  }

  return { layer, draw, keep, choose };
})();
