// The pictures of a page side by side: which size is shown, scrolling together, zoom.
"use strict";
const Panes = (() => {
  // `getPage`: the page as it stands, with its size and the addresses of its pictures.
  function make(getPage) {
    let zoom = 1;
    const scrolls = [...document.querySelectorAll(".scroll")];
    const sheets = [...document.querySelectorAll(".sheet")];

    function setPicture(image, side) {
      const wanted = getPage().pictures[`${side}_${zoom >= 1.5 ? "full" : "screen"}`] ?? getPage().pictures[`${side}_screen`];
      if (!wanted || image.getAttribute("src") === wanted) return;
      // The old picture stays until the new one is there, so that nothing flickers.
      const next = new Image();
      next.onload = () => { image.src = wanted; };
      next.src = wanted;
    }

    function zoomBy(factor) {
      zoom = Math.min(4, Math.max(0.5, zoom * factor));
      const before = scrolls.map((scroll) => (scroll.scrollTop + scroll.clientHeight / 2) / scroll.scrollHeight);
      for (const sheet of sheets) sheet.style.width = `${zoom * 100}%`;
      scrolls.forEach((scroll, i) => { scroll.scrollTop = before[i] * scroll.scrollHeight - scroll.clientHeight / 2; });
      for (const image of document.querySelectorAll(".picture")) setPicture(image, image.classList.contains("masked") ? "masked" : "source");
    }

    let leading = null;
    for (const scroll of scrolls) {
      scroll.addEventListener("scroll", () => {
        if (leading && leading !== scroll) return;
        leading = scroll;
        for (const other of scrolls) if (other !== scroll) other.scrollTo(scroll.scrollLeft, scroll.scrollTop);
        clearTimeout(scroll.rest);
        scroll.rest = setTimeout(() => { leading = null; }, 120);
      }, { passive: true });
    }

    function jumpTo(quad) {
      const [x, y] = Quads.middle(quad);
      for (const scroll of scrolls) {
        const sheet = scroll.querySelector(".sheet");
        scroll.scrollTo(
          sheet.offsetLeft + (x / getPage().size[0]) * sheet.offsetWidth - scroll.clientWidth / 2,
          sheet.offsetTop + (y / getPage().size[1]) * sheet.offsetHeight - scroll.clientHeight / 2,
        );
      }
    }

    return { scrolls, sheets, setPicture, zoomBy, jumpTo };
  }

  return { make };
})();
