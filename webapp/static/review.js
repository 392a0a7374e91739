// The review page: shows a page's masks, lets them be changed, saves, and follows the check.
"use strict";
// The pictures are painted first; 800 outlines may take a moment longer.
document.addEventListener("DOMContentLoaded", () => requestAnimationFrame(() => setTimeout(review, 0)));
function review() {
  const find = (id) => document.getElementById(id);
  const panes = find("panes");
  if (!panes) return;
  const words = JSON.parse(panes.dataset.words);
  const kinds = JSON.parse(panes.dataset.kinds);
  const token = JSON.parse(document.body.getAttribute("hx-headers"));
  const SAVE_AFTER = 600;
  const BLANK = (width, height) => `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"/>`)}`;

  let page = readPage();
  let chosen = { kind: "mask", index: null };
  let tool = null;
  let waiting = null; // a change of the chosen box that is about to be saved
  let refused = null; // a change that somebody else's overtook
  let saving = Promise.resolve(true);
  let editions = 0;
  let intent = null; // what Enter in the reason field shall do

  // ---- the page's state -------------------------------------------------------------------
  function readPage() {
    const values = JSON.parse(find("status").dataset.page);
    if (values.painted) {
      const painted = new Set(values.painted.map(String));
      for (const mask of values.masks) mask.pending = !painted.has(String(mask.quad));
    }
    return values;
  }

  const describe = (place) =>
    [place.name, place.text && `“${place.text}”`, place.own ? words.own : "", place.own ? "" : place.why, place.own ? "" : `${words.score} ${place.score}`]
      .filter(Boolean).join(" · ");

  function show() {
    for (const svg of layers) Marks.draw(svg, page, describe);
    showKept();
    list("masks", page.masks, "mask");
    list("hits", page.hits, "hit");
    find("hits-box").hidden = page.hits.length === 0;
    find("undo").disabled = !page.undo;
    find("redo").disabled = !page.redo;
    find("answer-no").disabled = ["checking", "failed"].includes(page.state);
    for (const id of ["draw", "polygon", "answer-yes"]) find(id).disabled = layers.length === 0;
    document.body.dataset.state = page.state;
    find("decision").elements.seen.value = page.seen;
    for (const image of document.querySelectorAll(".picture.masked")) setPicture(image, "masked");
    if (chosen.index !== null && chosen.index >= (chosen.kind === "hit" ? page.hits : page.masks).length) letGo();
    else choose(chosen.kind, chosen.index, false);
  }

  function list(id, places, kind) {
    const box = find(id);
    find(`${id}-title`).querySelector(".number").textContent = places.length || "";
    box.replaceChildren(...Quads.inOrder(places, page.size[1] / 100).map((index) => {
      const place = places[index];
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = `place kind-${place.kind}`;
      button.dataset.index = index;
      const name = document.createElement("b");
      name.textContent = place.text ? `${place.name} ${place.text}` : place.name;
      const why = document.createElement("small");
      why.textContent = place.own ? words.own : place.why;
      button.append(name, why);
      button.addEventListener("click", () => choose(kind, index, true));
      item.append(button);
      return item;
    }));
  }

  // ---- pictures ---------------------------------------------------------------------------
  const { scrolls, sheets, setPicture, zoomBy, jumpTo } = Panes.make(() => page);
  const layers = page.size[0] ? sheets.map((sheet) => Marks.layer(sheet, page.size, (kind, index) => choose(kind, index, false))) : [];

  // ---- choosing and editing ---------------------------------------------------------------
  let editor = null;
  let edited = null; // what the editor holds: its id and the quad it began with
  if (page.size[0]) makeEditor();

  function makeEditor() {
    const box = document.createElement("div");
    box.className = "editor";
    const host = document.createElement("img");
    host.alt = "";
    // The editor measures its picture: a blank one of the page's own size makes its numbers pixels
    // of the page, whatever picture is shown below.
    host.onload = () => { editor = annotator(box, host); if (chosen.index !== null) choose(chosen.kind, chosen.index, false); };
    host.src = BLANK(...page.size);
    box.append(host);
    sheets[0].append(box);
  }

  function annotator(box, host) {
    const made = Annotorious.createImageAnnotator(host, { drawingEnabled: false, drawingMode: "drag", theme: "light", userSelectAction: "EDIT" });
    made.on("createAnnotation", (annotation) => {
      const quad = Quads.fromShape(annotation.target.selector);
      // Not while the editor still tells of it.
      setTimeout(() => made.clearAnnotations(), 0);
      if (Quads.area(quad) < 16) return;
      save({ add: [{ quad, kind: find("kind").value }] }, () => choose("mask", page.masks.length - 1, false, false));
    });
    // The editor takes a corner from where the pointer moved last; a finger's tap moves nothing.
    box.addEventListener("pointerup", (event) => {
      if (tool !== "polygon" || event.pointerType === "mouse") return;
      const { clientX, clientY, pointerId } = event;
      event.target.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX, clientY, pointerId }));
    }, true);
    for (const event of ["pointerup", "keyup"]) box.addEventListener(event, () => setTimeout(noticeChange, 0));
    return made;
  }

  function noticeChange() {
    if (tool || chosen.kind !== "mask" || chosen.index === null) return;
    const annotation = edited && editor.getAnnotationById(edited.id);
    if (!annotation) return;
    const quad = Quads.fromShape(annotation.target.selector);
    const base = waiting?.quad ?? page.masks[chosen.index].quad;
    if (!Quads.moved(quad, base)) return;
    clearTimeout(waiting?.timer);
    waiting = { index: chosen.index, quad, timer: setTimeout(saveWaiting, SAVE_AFTER) };
  }

  function saveWaiting() {
    if (!waiting) return saving;
    const { index, quad, timer } = waiting;
    clearTimeout(timer);
    waiting = null;
    if (edited) edited.quad = quad;
    return save({ change: [{ index, quad, kind: page.masks[index].kind }] });
  }

  function choose(kind, index, jump, edit = true) {
    if (waiting && (kind !== "mask" || index !== waiting.index)) saveWaiting();
    chosen = { kind, index };
    for (const svg of layers) Marks.choose(svg, kind, index);
    for (const item of document.querySelectorAll(".place")) item.removeAttribute("aria-current");
    find("everywhere").hidden = kind !== "mask" || index === null;
    find("delete").disabled = kind !== "mask" || index === null;
    if (index === null) { emptyEditor(); return; }
    const place = (kind === "hit" ? page.hits : page.masks)[index];
    const item = find(kind === "hit" ? "hits" : "masks").querySelector(`[data-index="${index}"]`);
    item?.setAttribute("aria-current", "true");
    item?.scrollIntoView({ block: "nearest" });
    if (jump) jumpTo(place.quad);
    if (kind !== "mask" || tool || !edit) { if (!tool) emptyEditor(); return; }
    find("kind").value = place.kind;
    if (waiting || !editor) return;
    if (edited && !Quads.moved(edited.quad, place.quad)) return;
    emptyEditor();
    edited = { id: `mask-${++editions}`, quad: place.quad };
    editor.addAnnotation(Quads.toAnnotation(edited.id, place.quad));
    editor.setSelected(edited.id, true);
    document.body.classList.add("editing");
    requestAnimationFrame(() => {
      for (const handle of document.querySelectorAll(".editor .a9s-handle-buffer")) handle.setAttribute("aria-label", words.handle);
    });
  }

  // Moves (x, y) or resizes (w, h) the chosen box by keys.
  function nudge([x, y], [w, h]) {
    if (!edited || chosen.kind !== "mask" || chosen.index === null) return;
    const before = waiting?.quad ?? page.masks[chosen.index].quad;
    const one = page.size[0] / 400;
    const quad = Quads.resized(before.map((p) => [p[0] + x * one, p[1] + y * one]), w * one, h * one);
    editor.updateAnnotation(Quads.toAnnotation(edited.id, quad));
    clearTimeout(waiting?.timer);
    waiting = { index: chosen.index, quad, timer: setTimeout(saveWaiting, SAVE_AFTER) };
  }

  // A box in the middle of what is in sight, for those who work without a pointer.
  function newBox() {
    const [sheet, scroll] = [sheets[0].getBoundingClientRect(), scrolls[0].getBoundingClientRect()];
    const scale = page.size[0] / sheet.width;
    const [cx, cy] = [(scroll.left + scroll.width / 2 - sheet.left) * scale, Math.min(page.size[1] * 0.9, (scroll.top + scroll.height / 2 - sheet.top) * scale)];
    const [w, h] = [page.size[0] / 12, page.size[0] / 60];
    const quad = [[cx - w, cy - h], [cx + w, cy - h], [cx + w, cy + h], [cx - w, cy + h]];
    save({ add: [{ quad, kind: find("kind").value }] }, () => choose("mask", page.masks.length - 1, true));
  }

  function emptyEditor() {
    if (edited) { editor.cancelSelected(); editor.removeAnnotation(edited.id); }
    edited = null;
    document.body.classList.remove("editing");
  }

  const letGo = () => { find("same-done").textContent = ""; choose("mask", null, false); };

  function setTool(wanted) {
    if (!editor) return;
    saveWaiting();
    tool = tool === wanted ? null : wanted;
    editor.cancelDrawing?.();
    if (tool) letGo();
    if (tool) { editor.setDrawingTool(tool === "draw" ? "rectangle" : "polygon"); editor.setDrawingMode(tool === "draw" ? "drag" : "click"); }
    editor.setDrawingEnabled(tool !== null);
    document.body.classList.toggle("drawing", tool !== null);
    for (const name of ["draw", "polygon"]) find(name).setAttribute("aria-pressed", String(tool === name));
  }

  function setKind(kind) {
    find("kind").value = kind;
    if (tool || chosen.kind !== "mask" || chosen.index === null) return;
    const mask = page.masks[chosen.index];
    if (mask.kind !== kind) save({ change: [{ index: chosen.index, kind, ...(waiting ? { quad: waiting.quad } : {}) }] });
  }

  function removeChosen() {
    if (chosen.kind !== "mask" || chosen.index === null) return;
    clearTimeout(waiting?.timer);
    waiting = null;
    const index = chosen.index;
    letGo();
    save({ remove: [index] });
  }

  // ---- saving -----------------------------------------------------------------------------
  function send(address, body) {
    return fetch(address, { method: "POST", headers: { ...token, "Content-Type": "application/json", "HX-Request": "true" }, body: JSON.stringify(body) });
  }

  // One change after the other, each on what the one before it made.
  function save(change, then) {
    saving = saving.then(() => post(panes.dataset.edits, change, then));
    return saving;
  }

  async function post(address, change, then) {
    const seen = page;
    let response;
    try {
      response = await send(address, { ...change, on: page.revision });
    } catch {
      return complain(words.offline, change, seen);
    }
    if (response.status === 204 || response.status === 401) return complain(words.signed_out, change, seen);
    if (response.ok) {
      takeStatus(await response.text());
      then?.();
      return true;
    }
    const answer = response.headers.get("Content-Type")?.includes("json") ? await response.json() : { sentences: [words.failed] };
    if (answer.status) takeStatus(answer.status);
    return complain(answer.sentences.join(" "), response.status === 422 ? null : change, seen);
  }

  function complain(sentence, change, seen) {
    const box = find("conflict");
    box.querySelector("p").textContent = sentence;
    box.hidden = false;
    refused = change && (change.add || change.remove || change.change) ? { change, seen } : null;
    find("apply-again").hidden = refused === null;
    showKept();
    return false;
  }

  // The own boxes stay in sight until the person has decided what becomes of them.
  function showKept() {
    const change = refused?.change ?? {};
    for (const one of [...(change.add ?? []), ...(change.change ?? [])]) {
      if (one.quad) for (const svg of layers) Marks.keep(svg, one.quad);
    }
  }

  find("apply-again").addEventListener("click", () => {
    const again = Changes.carriedOver(refused, page);
    find("conflict").hidden = true;
    refused = null;
    if (again.add.length + again.remove.length + again.change.length) save(again); else show();
  });
  find("drop-change").addEventListener("click", () => { find("conflict").hidden = true; refused = null; show(); });

  function takeStatus(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    const part = holder.content.querySelector("#status");
    if (!part) return;
    find("status").replaceWith(part);
    htmx.process(part);
    newStatus();
  }

  function newStatus() {
    page = readPage();
    show();
    find("check-again")?.addEventListener("click", () => post(panes.dataset.again, {}));
    const history = find("history");
    if (history.open) htmx.trigger(history, "toggle");
  }
  document.body.addEventListener("htmx:afterSwap", (event) => { if (event.detail.target.id === "status" || event.detail.elt.id === "status") newStatus(); });

  const step = (name) => { if (!find(name).disabled) { saveWaiting(); saving = saving.then(() => { letGo(); return post(panes.dataset[name], {}); }); } };

  // ---- the same everywhere ----------------------------------------------------------------
  // `dossiers`: their ids, null for those of the whole round.
  async function everywhere(dossiers) {
    await saveWaiting();
    if (chosen.index === null || (!dossiers && !confirm(words.sure_round))) return;
    const asked = { on: page.revision, index: chosen.index, way: find("same-way").value, what: find("same-what").value };
    const all = dossiers ?? (await (await fetch(panes.dataset.dossiers)).json());
    await Changes.everywhere(all, (dossier) => send(panes.dataset.everywhere, { ...asked, dossier }), words, find("same-done"));
  }
  find("same-dossier").addEventListener("click", () => everywhere([Number(panes.dataset.dossier)]));
  find("same-round").addEventListener("click", () => everywhere(null));

  // ---- views ------------------------------------------------------------------------------
  const pressed = (id, on) => find(id).setAttribute("aria-pressed", String(on));
  const toggle = (id, name, on = !document.body.classList.contains(name)) => { document.body.classList.toggle(name, on); return on; };
  const views = {
    sides: () => pressed("sides", !toggle("sides", "single")),
    blink: () => toggle("blink", "show-masked"),
    overlay: () => pressed("overlay", toggle("overlay", "show-overlay")),
    marks: () => pressed("marks", !toggle("marks", "no-marks")),
    larger: () => zoomBy(1.25),
    smaller: () => zoomBy(1 / 1.25),
    help: () => { const keys = find("keys"); if (keys.open) keys.close(); else keys.showModal(); },
    draw: () => setTool("draw"),
    polygon: () => setTool("polygon"),
    delete: removeChosen,
    undo: () => step("undo"),
    redo: () => step("redo"),
  };
  for (const [id, act] of Object.entries(views)) find(id).addEventListener("click", act);
  if (window.matchMedia("(max-width: 1100px)").matches) views.sides();
  find("kind").addEventListener("change", (event) => setKind(event.target.value));
  sheets[0].addEventListener("pointerdown", (event) => {
    if (!tool && event.target.classList.contains("picture")) letGo();
  });
  for (const sheet of sheets) sheet.addEventListener("click", (event) => { if (!tool && event.target.classList.contains("marks")) letGo(); });

  function nextPlace(by) {
    const places = [...Quads.inOrder(page.hits, page.size[1] / 100).map((i) => ["hit", i]), ...Quads.inOrder(page.masks, page.size[1] / 100).map((i) => ["mask", i])];
    if (!places.length) return;
    const now = places.findIndex(([kind, index]) => kind === chosen.kind && index === chosen.index);
    const [kind, index] = places[now < 0 ? (by > 0 ? 0 : places.length - 1) : (now + by + places.length) % places.length];
    choose(kind, index, true);
  }

  // ---- deciding ---------------------------------------------------------------------------
  const decision = find("decision");
  const reason = find("reason");
  async function decide(button) {
    intent = button;
    if (button.disabled) return;
    const needed = button.value === "returned" || (button.value === "accepted" && page.state === "review");
    if (needed && !reason.value.trim()) { reason.focus(); reason.setAttribute("aria-invalid", "true"); return; }
    if (await saveWaiting()) decision.requestSubmit(button);
  }
  decision.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=decision]");
    if (!button || !event.isTrusted) return;
    if (["accepted", "returned"].includes(button.value)) { event.preventDefault(); decide(button); }
  });
  reason.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    // Enter does what was begun with a or r, never the other.
    event.preventDefault();
    if (intent) decide(intent);
  });
  find("answer-yes").addEventListener("click", () => { if (tool !== "draw") setTool("draw"); });
  const go = async (id) => { const link = find(id); if (link.href && (await saveWaiting())) link.click(); };

  // ---- keys -------------------------------------------------------------------------------
  const keys = {
    "j,right": () => go("next"), "k,left": () => go("previous"),
    a: () => decide(find("answer-no")), r: () => decide(find("return")),
    z: views.undo, "shift+z": views.redo, b: views.blink, o: views.overlay, s: views.sides, m: views.marks,
    d: views.draw, p: views.polygon, "delete,backspace": removeChosen,
    "shift+d": newBox,
    "shift+left": () => nudge([-1, 0], [0, 0]), "shift+right": () => nudge([1, 0], [0, 0]),
    "shift+up": () => nudge([0, -1], [0, 0]), "shift+down": () => nudge([0, 1], [0, 0]),
    "alt+left": () => nudge([0, 0], [-1, 0]), "alt+right": () => nudge([0, 0], [1, 0]),
    "alt+up": () => nudge([0, 0], [0, -1]), "alt+down": () => nudge([0, 0], [0, 1]),
    n: () => nextPlace(1), "shift+n": () => nextPlace(-1),
    "=,shift+=,num_add": views.larger, "-,num_subtract": views.smaller, "shift+/": views.help,
    esc: () => { if (tool) setTool(tool); else letGo(); },
  };
  kinds.slice(0, 9).forEach((kind, i) => { keys[String(i + 1)] = () => setKind(kind); });
  for (const [key, act] of Object.entries(keys)) hotkeys(key, (event) => { if (find("keys").open && key !== "shift+/") return; event.preventDefault(); act(); });
  // The editor has an undo of its own, which knows nothing of the server's.
  window.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !event.target.closest("input")) {
      event.preventDefault();
      event.stopImmediatePropagation();
      (event.shiftKey ? views.redo : views.undo)();
    }
  }, true);

  Looks.keep(panes.dataset.look, token);
  window.addEventListener("beforeunload", (event) => { if (waiting || refused) event.preventDefault(); });

  show();
  find("check-again")?.addEventListener("click", () => post(panes.dataset.again, {}));
  if (page.hits.length) choose("hit", 0, true);
  setTimeout(() => { for (const address of JSON.parse(panes.dataset.ahead)) if (address) new Image().src = address; }, 500);
}
