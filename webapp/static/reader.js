// The reader: turns the pages of a dossier, keeps the place, and hides what is frozen.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const find = (id) => document.getElementById(id);
  const reader = find("reader");
  const { seat, code, address, home, door } = reader.dataset;
  const words = JSON.parse(reader.dataset.words);
  const WIDTHS = { "1x": 1000, "2x": 2000 }; // pixels across, as webapp/page_pictures.py has them
  const SIZES = ["full", "2x", "1x", "thumb"]; // the sharpest first
  const ASK_EVERY = 5_000; // milliseconds; how long a frozen page may still be seen
  const AHEAD = 2;
  const PLACE = `place ${seat} ${code}`;

  let pages = JSON.parse(reader.dataset.pages);
  let at = 0;
  let shown = null; // { name, size } of the picture on the stage
  let mode = read("fit");

  const pictures = ReaderPictures(address, heard);
  const zoom = ReaderZoom(find("stage"), find("paper"), { turn: (by) => go(at + by), zoomed: () => { nameMode(); sharpen(); } });

  // ---- what this tablet remembers -----------------------------------------------------------
  function read(name) {
    try { return localStorage.getItem(name); } catch { return null; }
  }

  function remember(name, value) {
    try { localStorage.setItem(name, value); } catch { /* a tablet that keeps nothing */ }
  }

  // ---- the page on the stage ----------------------------------------------------------------
  const say = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  function go(wanted) {
    if (!pages.length || wanted < 0 || wanted >= pages.length) return;
    at = wanted;
    remember(PLACE, pages[at].number);
    pictures.demote();
    show();
    const { number, category, name } = pages[at];
    document.dispatchEvent(new CustomEvent("reader:page", { detail: { number, category, name } }));
  }

  function show() {
    const page = pages[at];
    shown = null;
    find("paper").replaceChildren();
    for (const thumb of document.querySelectorAll(".thumb")) {
      if (thumb.dataset.name === page?.name && Number(thumb.dataset.at) === at) thumb.setAttribute("aria-current", "page");
      else thumb.removeAttribute("aria-current");
    }
    find("place").textContent = page ? say(words.place, { ...page, at: at + 1, all: pages.length }) : "";
    find("back").disabled = !page || at === 0;
    find("next").disabled = !page || at === pages.length - 1;
    find("report").disabled = !page || page.frozen;
    if (!page) return note(words.none);
    if (page.frozen) return note(words.frozen);
    note(words.loading);
    zoom.show(page, mode);
    const rough = SIZES.find((size) => pictures.have(page.name, size));
    if (rough) put(page, rough, pictures.have(page.name, rough));
    sharpen();
  }

  // The smallest picture that has a pixel for each of the screen's.
  function sizeFor(page) {
    const needed = zoom.width() * devicePixelRatio * 0.95;
    return Object.keys(WIDTHS).find((size) => WIDTHS[size] < page.width && WIDTHS[size] >= needed) ?? "full";
  }

  async function sharpen() {
    const page = pages[at];
    if (!page || page.frozen) return;
    const size = sizeFor(page);
    const enough = shown && SIZES.indexOf(shown.size) <= SIZES.indexOf(size);
    if (!enough) {
      const url = await pictures.get(page.name, size, 0);
      if (pages[at]?.name !== page.name) return;
      if (url) await put(page, size, url);
    }
    for (const next of pages.slice(at + 1, at + 1 + AHEAD)) if (!next.frozen) pictures.get(next.name, sizeFor(next), 1);
  }

  async function put(page, size, url) {
    const image = new Image();
    image.alt = `${page.label} ${say(words.page, page)}`;
    image.draggable = false;
    image.dataset.size = size;
    image.src = url;
    try { await image.decode(); } catch { return; }
    const now = pages[at];
    if (now?.name !== page.name || now.frozen) return;
    if (shown && SIZES.indexOf(shown.size) <= SIZES.indexOf(size)) return;
    shown = { name: page.name, size };
    find("paper").replaceChildren(image);
    if (size !== "thumb") note("");
  }

  function note(text, link) {
    const place = find("note");
    place.hidden = !text;
    place.textContent = text;
    if (!link) return;
    const anchor = document.createElement("a");
    anchor.className = "tool";
    [anchor.href, anchor.textContent] = link;
    place.append(" ", anchor);
  }

  // ---- what the server says of the pages ----------------------------------------------------
  function heard(name, what) {
    if (what === "retry") {
      if (pages[at]?.name === name && !pages[at].frozen) note(words.retry);
    } else if (what === "frozen") {
      update(pages.map((page) => (page.name === name ? { ...page, frozen: true } : page)));
    } else {
      ask();
    }
  }

  function update(list) {
    if (JSON.stringify(list) === JSON.stringify(pages)) return;
    const before = pages[at];
    const open = new Set(list.filter((page) => !page.frozen).map((page) => page.name));
    for (const page of pages) if (!open.has(page.name)) pictures.forget(page.name);
    pages = list;
    at = Math.max(0, pages.findIndex((page) => page.number === before?.number));
    listThumbs();
    const now = pages[at];
    if (now?.name !== before?.name || now?.frozen !== before?.frozen) show();
    else find("place").textContent = say(words.place, { ...now, at: at + 1, all: pages.length });
  }

  let asking = null;
  let over = false;
  async function ask() {
    clearTimeout(asking);
    if (over) return;
    try {
      const answer = await fetch(`${address}pages.json`, { redirect: "manual", cache: "no-cache" });
      if (answer.type === "opaqueredirect" || answer.status === 401) return end(words.signed_out, [door, words.sign_in]);
      if (answer.status === 404) return end(words.gone, [home, words.home]);
      if (answer.ok) {
        if (!find("offline").hidden) pictures.hurry();
        find("offline").hidden = true;
        update(await answer.json());
      }
    } catch {
      find("offline").hidden = false;
    }
    asking = setTimeout(ask, ASK_EVERY);
  }

  // Nothing of a dossier stays on a tablet that may not have it.
  function end(text, link) {
    over = true;
    update([]);
    note(text, link);
    find("report-dialog").close();
    find("open-list").disabled = true;
  }

  // ---- the list of pages --------------------------------------------------------------------
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) fill(target);
  }, { root: find("page-list"), rootMargin: "200px" });

  function listThumbs() {
    seen.disconnect();
    const box = find("thumbs");
    box.replaceChildren();
    let row = null;
    pages.forEach((page, index) => {
      if (page.category !== pages[index - 1]?.category) {
        const title = document.createElement("h2");
        title.textContent = page.label;
        row = document.createElement("ul");
        const group = document.createElement("section");
        group.append(title, row);
        box.append(group);
      }
      const item = document.createElement("li");
      item.append(thumbOf(page, index));
      row.append(item);
    });
  }

  function thumbOf(page, index) {
    const thumb = document.createElement("button");
    thumb.type = "button";
    thumb.className = "thumb";
    [thumb.dataset.at, thumb.dataset.name] = [index, page.name];
    if (index === at) thumb.setAttribute("aria-current", "page");
    const frame = document.createElement("span");
    frame.className = "frame";
    const label = document.createElement("span");
    label.textContent = say(words.page, page);
    if (page.frozen) frame.textContent = words.checking;
    else seen.observe(thumb);
    thumb.append(frame, label);
    thumb.addEventListener("click", () => { openList(false); go(index); });
    return thumb;
  }

  async function fill(thumb) {
    seen.unobserve(thumb);
    const url = await pictures.get(thumb.dataset.name, "thumb", 2);
    if (!url) return;
    const image = new Image();
    image.alt = "";
    image.src = url;
    thumb.querySelector(".frame").replaceChildren(image);
  }

  function openList(open) {
    find("page-list").hidden = !open;
    find("open-list").setAttribute("aria-expanded", String(open));
    if (open) (document.querySelector(".thumb[aria-current]") ?? find("close-list")).focus();
    else find("open-list").focus();
  }

  // ---- controls -----------------------------------------------------------------------------
  function setMode(wanted) {
    mode = wanted;
    remember("fit", mode);
    if (pages[at] && !pages[at].frozen) zoom.show(pages[at], mode);
  }

  // The button offers the other way.
  function nameMode() {
    find("fit").textContent = zoom.mode() === "whole" ? words.width : words.whole;
  }

  async function fullScreen() {
    const on = !document.body.classList.contains("alone");
    document.body.classList.toggle("alone", on);
    find("full-screen").textContent = on ? words.leave : words.full;
    // Where a browser has no full screen, the page still gets all of the window.
    try {
      if (on) await document.documentElement.requestFullscreen?.({ navigationUI: "hide" });
      else if (document.fullscreenElement) await document.exitFullscreen();
    } catch { /* the window is all there is */ }
  }

  const press = (id, act) => find(id).addEventListener("click", act);
  press("back", () => go(at - 1));
  press("next", () => go(at + 1));
  press("larger", zoom.larger);
  press("smaller", zoom.smaller);
  press("fit", () => setMode(zoom.mode() === "whole" ? "width" : "whole"));
  press("full-screen", fullScreen);
  press("open-list", () => openList(find("page-list").hidden));
  press("close-list", () => openList(false));
  press("panel-handle", () => {
    const open = document.body.classList.toggle("drawer");
    find("panel-handle").setAttribute("aria-expanded", String(open));
  });
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement && document.body.classList.contains("alone")) fullScreen();
  });

  const KEYS = {
    ArrowRight: () => go(at + 1), PageDown: () => go(at + 1),
    ArrowLeft: () => go(at - 1), PageUp: () => go(at - 1),
    ArrowDown: () => zoom.drag(0, -80), ArrowUp: () => zoom.drag(0, 80),
    "+": zoom.larger, "=": zoom.larger, "-": zoom.smaller, f: fullScreen,
    Escape: () => { if (!find("page-list").hidden) openList(false); },
  };
  document.addEventListener("keydown", (event) => {
    const elsewhere = event.target.closest("#panel, input, textarea, select, dialog");
    if (elsewhere || event.ctrlKey || event.altKey || event.metaKey || !KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key]();
  });

  // ---- reporting a page that shows who it is ------------------------------------------------
  const form = find("report-form");
  let reported = null;
  press("report", () => {
    reported = pages[at];
    find("report-page").textContent = `${reported.label} · ${say(words.page, reported)}`;
    find("report-problems").hidden = true;
    find("report-dialog").showModal();
  });
  press("report-cancel", () => find("report-dialog").close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    find("report-confirm").disabled = true;
    const data = new FormData(form);
    data.set("number", reported.number);
    data.set("name", reported.name);
    try {
      const answer = await fetch(form.action, { method: "POST", body: data, redirect: "manual" });
      if (answer.ok) {
        form.reset();
        find("report-dialog").close();
        update(await answer.json());
      } else if (answer.status === 422) {
        refuse((await answer.json()).problems);
      } else {
        refuse([words.not_sent]);
        ask();
      }
    } catch {
      refuse([words.not_sent]);
    }
    find("report-confirm").disabled = false;
  });

  function refuse(problems) {
    find("report-problems").textContent = problems.join(" ");
    find("report-problems").hidden = false;
  }

  document.addEventListener("reader:go", (event) => go(pages.findIndex((page) => page.number === event.detail.number)));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  addEventListener("online", ask);
  listThumbs();
  const place = pages.findIndex((page) => page.number === Number(read(PLACE)));
  if (pages.length) go(Math.max(0, place));
  else show();
  ask();
});
