// Lets fingers move a page: pinch, drag, double tap, and a swipe that turns to the next one.
"use strict";
// eslint-disable-next-line no-unused-vars
const ReaderZoom = (() => {
  const SWIPE = 60; // CSS pixels sideways
  const TAP = 12; // a finger that moved less has tapped
  const DOUBLE = 350; // milliseconds between two taps
  const CLOSER = 2.5;
  const STEP = 1.4;

  // `turn(by)`: a swipe asks for another page. `zoomed()`: the page has another size on screen.
  return (stage, paper, { turn, zoomed }) => {
    let page = { width: 1, height: 1 };
    let mode = "whole";
    let chosen = null; // by the person: "whole" or "width"; null leaves it to the stage's shape
    let sizes = { whole: 1, width: 1 }; // scales at which the page fits
    const fingers = new Map();
    let swipe = null;
    let tapped = null;

    const zoom = Panzoom(paper, {
      canvas: true, minScale: 1, maxScale: 8, animate: false, cursor: "default",
      handleStartEvent: (event) => { if (event.pointerType === "mouse") event.preventDefault(); },
      setTransform: (_element, { x, y, scale }) => {
        const [right, low] = within(x, y, scale);
        paper.style.transform = `scale(${scale}) translate(${right}px, ${low}px)`;
        // What was dragged beyond the edge is not kept.
        if (Math.abs(right - x) > 0.01 || Math.abs(low - y) > 0.01) zoom.pan(right, low, { force: true, silent: true });
      },
    });

    // A page that is smaller than the stage stands in its middle; a larger one covers it.
    function within(x, y, scale) {
      const clamp = (value, size, room) => {
        const most = Math.max(0, (size * scale - room) / 2 / scale);
        return Math.min(most, Math.max(-most, value));
      };
      return [clamp(x, paper.offsetWidth, stage.clientWidth), clamp(y, paper.offsetHeight, stage.clientHeight)];
    }

    function lay() {
      const [wide, high] = [stage.clientWidth, stage.clientHeight];
      if (!wide || !high) return;
      const ratio = Math.min(wide / page.width, high / page.height);
      const [width, height] = [page.width * ratio, page.height * ratio];
      paper.style.width = `${width}px`;
      paper.style.height = `${height}px`;
      // Panzoom reckons from the corner of the stage; margins are what it knows.
      paper.style.marginLeft = `${(wide - width) / 2}px`;
      paper.style.marginTop = `${(high - height) / 2}px`;
      sizes = { whole: 1, width: wide / width };
      mode = chosen ?? (wide > high ? "width" : "whole");
      // Twice the page's own pixels is as near as anybody needs.
      const closest = (2 * page.width) / (width * devicePixelRatio);
      zoom.setOptions({ maxScale: Math.max(4, closest, sizes.width * CLOSER) });
      fit();
    }

    // The whole page, or its width with its top in sight.
    function fit() {
      const scale = sizes[mode];
      zoom.zoom(scale, { force: true });
      zoom.pan(0, (paper.offsetHeight * scale - stage.clientHeight) / 2 / scale, { force: true });
      zoomed();
    }

    function show(size, wanted) {
      page = size;
      chosen = wanted;
      lay();
    }

    const fits = () => zoom.getScale() <= sizes[mode] * 1.02;
    const closer = (by) => { zoom.zoom(zoom.getScale() * by); zoomed(); };
    function drag(x, y) {
      const { x: right, y: low } = zoom.getPan();
      zoom.pan(...within(right + x / zoom.getScale(), low + y / zoom.getScale(), zoom.getScale()));
    }

    // Whether there is nothing more to see on the side to which a swipe pulls.
    function atEdge(by) {
      const scale = zoom.getScale();
      const most = (paper.offsetWidth * scale - stage.clientWidth) / 2 / scale;
      return most <= 1 || (by > 0 ? zoom.getPan().x <= -most + 1 : zoom.getPan().x >= most - 1);
    }

    function down(event) {
      fingers.set(event.pointerId, event);
      if (fingers.size === 1) {
        swipe = { x: event.clientX, y: event.clientY, left: atEdge(1), right: atEdge(-1) };
      } else {
        swipe = null;
        const [one, other] = [...fingers.values()];
        const apart = Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
        // Panzoom adds a step for each 80 pixels; with this one the page keeps to the fingers.
        zoom.setOptions({ step: (80 * zoom.getScale()) / Math.max(apart, 1) });
      }
    }

    function up(event) {
      if (!fingers.delete(event.pointerId)) return;
      const begun = swipe;
      if (fingers.size === 0) swipe = null;
      zoomed();
      if (!begun || fingers.size || event.type === "pointercancel") return;
      const [x, y] = [event.clientX - begun.x, event.clientY - begun.y];
      if (Math.hypot(x, y) < TAP) tap(event);
      else if (Math.abs(x) > SWIPE && Math.abs(x) > 1.5 * Math.abs(y) && (x < 0 ? begun.left : begun.right)) turn(x < 0 ? 1 : -1);
    }

    function tap(event) {
      const before = tapped;
      tapped = { at: event.timeStamp, x: event.clientX, y: event.clientY };
      if (!before || tapped.at - before.at > DOUBLE || Math.hypot(tapped.x - before.x, tapped.y - before.y) > 40) return;
      tapped = null;
      if (!fits()) return fit();
      zoom.zoomToPoint(sizes[mode] * CLOSER, event);
      zoomed();
    }

    function wheel(event) {
      event.preventDefault();
      if (!event.ctrlKey) return drag(-event.deltaX, -event.deltaY);
      zoom.setOptions({ step: 0.3 });
      zoom.zoomWithWheel(event);
      zoomed();
    }

    stage.addEventListener("pointerdown", down);
    for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, up);
    document.addEventListener("pointermove", (event) => { if (fingers.has(event.pointerId)) fingers.set(event.pointerId, event); }, { passive: true });
    stage.addEventListener("wheel", wheel, { passive: false });
    new ResizeObserver(lay).observe(stage);
    setTimeout(fit); // after Panzoom has put the page where it starts by itself

    return {
      show,
      larger: () => closer(STEP),
      smaller: () => closer(1 / STEP),
      drag,
      mode: () => mode,
      // CSS pixels that the page is wide on the screen now.
      width: () => paper.offsetWidth * zoom.getScale(),
    };
  };
})();
