// Geometry of masks (pure): quads of four corners in page pixels and the editor's shapes.
"use strict";
const Quads = (() => {
  const distance = (a, b) => Math.hypot(b[0] - a[0], b[1] - a[1]);

  const bounds = (points) => {
    const xs = points.map((p) => p[0]);
    const ys = points.map((p) => p[1]);
    return { minX: Math.min(...xs), minY: Math.min(...ys), maxX: Math.max(...xs), maxY: Math.max(...ys) };
  };

  const middle = (points) => [
    points.reduce((sum, p) => sum + p[0], 0) / points.length,
    points.reduce((sum, p) => sum + p[1], 0) / points.length,
  ];

  // Corners of a rectangle that is turned around its middle, clockwise from its own top left.
  function turned({ x, y, w, h, rot = 0 }) {
    const [cx, cy] = [x + w / 2, y + h / 2];
    const [cos, sin] = [Math.cos(rot), Math.sin(rot)];
    return [[-w, -h], [w, -h], [w, h], [-w, h]].map(([u, v]) => [
      cx + (u * cos - v * sin) / 2,
      cy + (u * sin + v * cos) / 2,
    ]);
  }

  // Whether a quad is a rectangle, turned or not, to within a pixel and a half.
  function rectangular(quad) {
    const turnedBack = turned(rectangle(quad));
    return quad.every((corner, i) => distance(corner, turnedBack[i]) < 1.5);
  }

  function rectangle(quad) {
    const [cx, cy] = middle(quad);
    const w = (distance(quad[0], quad[1]) + distance(quad[3], quad[2])) / 2;
    const h = (distance(quad[0], quad[3]) + distance(quad[1], quad[2])) / 2;
    let rot = Math.atan2(quad[1][1] - quad[0][1], quad[1][0] - quad[0][0]);
    if (Math.abs(rot) < 1e-3) rot = 0;
    return { x: cx - w / 2, y: cy - h / 2, w, h, rot };
  }

  function hull(points) {
    const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const cross = (o, a, b) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
    const half = (list) => {
      const chain = [];
      for (const p of list) {
        while (chain.length > 1 && cross(chain.at(-2), chain.at(-1), p) <= 0) chain.pop();
        chain.push(p);
      }
      return chain.slice(0, -1);
    };
    return [...half(sorted), ...half(sorted.reverse())];
  }

  // The smallest turned rectangle that holds all points: a mask covers at least what was drawn.
  function around(points) {
    const edge = hull(points);
    let best = null;
    for (let i = 0; i < edge.length; i++) {
      const [a, b] = [edge[i], edge[(i + 1) % edge.length]];
      const angle = Math.atan2(b[1] - a[1], b[0] - a[0]);
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      const us = edge.map(([x, y]) => x * cos + y * sin);
      const vs = edge.map(([x, y]) => y * cos - x * sin);
      const [u0, u1, v0, v1] = [Math.min(...us), Math.max(...us), Math.min(...vs), Math.max(...vs)];
      const area = (u1 - u0) * (v1 - v0);
      if (best === null || area < best.area) {
        const corners = [[u0, v0], [u1, v0], [u1, v1], [u0, v1]].map(([u, v]) => [u * cos - v * sin, u * sin + v * cos]);
        best = { area, corners };
      }
    }
    return upright(best.corners);
  }

  // The corners in clockwise order, beginning with the one that is top left.
  function upright(quad) {
    const start = quad.reduce((at, p, i) => (p[0] + p[1] < quad[at][0] + quad[at][1] ? i : at), 0);
    return [0, 1, 2, 3].map((i) => quad[(start + i) % 4]);
  }

  function convexClockwise(points) {
    const turns = points.map((p, i) => {
      const [q, r] = [points[(i + 1) % 4], points[(i + 2) % 4]];
      return (q[0] - p[0]) * (r[1] - q[1]) - (q[1] - p[1]) * (r[0] - q[0]);
    });
    return turns.every((turn) => turn > 0);
  }

  // A shape of the editor as a quad.
  function fromShape(selector) {
    if (selector.type === "RECTANGLE") return turned(selector.geometry);
    const points = selector.geometry.points;
    if (points.length === 4) {
      if (convexClockwise(points)) return points.map((p) => [...p]);
      const other = [...points].reverse();
      if (convexClockwise(other)) return upright(other);
    }
    return around(points);
  }

  // A quad as an annotation of the editor.
  function toAnnotation(id, quad) {
    const geometry = rectangular(quad)
      ? { ...rectangle(quad), bounds: bounds(quad) }
      : { points: quad.map((p) => [...p]), bounds: bounds(quad) };
    const type = geometry.points ? "POLYGON" : "RECTANGLE";
    return { id, bodies: [], target: { annotation: id, selector: { type, geometry } } };
  }

  // A quad made wider and higher along its own sides, its first corner kept; never turned over.
  function resized(quad, w, h) {
    if (!w && !h) return quad;
    const longer = (from, to, by) => {
      const length = distance(from, to);
      const share = Math.max(length + by, 2) / length;
      return [(to[0] - from[0]) * share, (to[1] - from[1]) * share];
    };
    const [along, down] = [longer(quad[0], quad[1], w), longer(quad[0], quad[3], h)];
    const at = (u, v) => [quad[0][0] + u * along[0] + v * down[0], quad[0][1] + u * along[1] + v * down[1]];
    return [at(0, 0), at(1, 0), at(1, 1), at(0, 1)];
  }

  // Indices of places from top to bottom, as a page is read; tops within a `row` stand side by side.
  function inOrder(places, row) {
    const tops = places.map((place) => middle(place.quad));
    return places.map((_, index) => index).sort((a, b) => Math.round(tops[a][1] / row) - Math.round(tops[b][1] / row) || tops[a][0] - tops[b][0]);
  }

  const moved = (a, b) => a.some((corner, i) => distance(corner, b[i]) > 0.5);
  const area = (quad) => Math.abs(quad.reduce((sum, p, i) => sum + p[0] * quad[(i + 1) % 4][1] - p[1] * quad[(i + 1) % 4][0], 0)) / 2;

  return { bounds, middle, turned, around, fromShape, toAnnotation, resized, inOrder, moved, area };
})();
