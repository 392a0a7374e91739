// The score sheet beside the pages: shows one sheet, takes changes, says how safe they are.
"use strict";
// The reader tells its first page before the sheet is ready.
let pageInView = null;
document.addEventListener("reader:page", (event) => { pageInView = event.detail.number; });
document.addEventListener("DOMContentLoaded", () => {
  const panel = document.getElementById("score");
  if (!panel) return;
  const words = JSON.parse(panel.dataset.words);
  const find = (id) => document.getElementById(id);
  const SIGNS = { kept: "✓", empty: "○", writing: "…", device: "⇪", offline: "⇪", signed_out: "⇪" };
  let sheet = JSON.parse(panel.dataset.sheet); // as the server has it
  let content = ScoreDrafts.contentOf(sheet); // as the page shows it
  let state = "";
  let writing = 0; // changes on their way to this device's store
  const key = ScoreDrafts.keyOf(sheet.round, sheet.seat, sheet.code);
  const place = { round: sheet.round, seat: sheet.seat, code: sheet.code };
  ScoreDrafts.know(key, sheet.version);

  const lines = new Map(sheet.rubric.map((line) => [line.id, line]));
  const rows = new Map([...panel.querySelectorAll(".criterion")].map((row) => [row.dataset.criterion, row]));
  const fieldOf = (id) => rows.get(id).querySelector("input");
  const idOf = (field) => field.closest(".criterion").dataset.criterion;
  const problemOf = (id) => ScorePoints.problem(content.scores[id] || "", lines.get(id), sheet.places);
  const unfinished = () => [...lines.keys()].filter(problemOf);

  // ---- what the panel shows ----------------------------------------------------------------
  function show() {
    for (const id of lines.keys()) {
      const field = fieldOf(id);
      if (field !== document.activeElement || ScorePoints.tidy(field.value, sheet.places) !== (content.scores[id] || "")) field.value = content.scores[id] || "";
    }
    if (find("score-comment").value !== content.comment) find("score-comment").value = content.comment;
    showNote();
    showMarks();
    showLock();
  }

  function showMarks() {
    for (const [id, row] of rows) {
      const problem = problemOf(id);
      const line = lines.get(id);
      row.classList.toggle("wrong", Boolean(problem) && problem !== "missing");
      row.classList.toggle("missing", problem === "missing");
      row.querySelector(".done").textContent = problem === "missing" ? "○" : problem ? "!" : "✓";
      row.querySelector(".problem").textContent = problem ? words[problem].replace("{max}", line.max).replace("{step}", line.step) : "";
      fieldOf(id).setAttribute("aria-invalid", String(Boolean(problem) && problem !== "missing"));
    }
    const sum = ScorePoints.sum([...lines.keys()].filter((id) => !problemOf(id)).map((id) => content.scores[id]), sheet.places);
    const all = ScorePoints.sum(sheet.rubric.map((line) => line.max), sheet.places);
    const left = unfinished().length;
    panel.querySelector("#score-sum output").textContent = sum;
    panel.querySelector("#score-sum .of").textContent = ` / ${all}`;
    panel.querySelector("#score-sum .left").textContent = left ? words.left.replace("{count}", left) : words.all;
    const summary = find("panel-summary");
    if (summary) summary.textContent = `${sum} / ${all} ${left ? "" : "✓"}`;
    const noted = Object.keys(content.notes).filter((number) => content.notes[number]).sort((a, b) => a - b);
    find("score-notes").replaceChildren(...noted.map((number) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "small secondary outline", textContent: words.page.replace("{page}", number) });
      button.addEventListener("click", () => document.dispatchEvent(new CustomEvent("reader:go", { detail: { number: Number(number) } })));
      return button;
    }));
  }

  function showLock() {
    const lock = find("score-lock");
    const why = sheet.state === "open" ? (sheet.phase === "scoring" ? "" : "locked") : sheet.state;
    lock.hidden = !why;
    lock.textContent = why ? words[why].replace("{version}", sheet.version).replace("{at}", sheet.at) : "";
    panel.classList.toggle("read-only", !sheet.editable);
    for (const field of panel.querySelectorAll("#score-form input, #score-form textarea")) field.readOnly = !sheet.editable;
    for (const button of panel.querySelectorAll(".entry button")) button.disabled = !sheet.editable;
    find("score-review").hidden = !sheet.editable;
    if (!sheet.editable) pad.close();
  }

  // "saved", "saved on this device" or "not saved": in words and by a sign, and spoken when it stays.
  let speaking = null;
  function showState(record) {
    const unsent = ScoreDrafts.isUnsent(record);
    let text = "";
    if (writing) [state, text] = ["writing", words.writing];
    else if (record?.conflict) [state, text] = ["conflict", words.conflict];
    else if (record?.refused) [state, text] = ["refused", words.refused + record.refused.sentences.join(" ")];
    else if (unsent && !ScoreDrafts.isDurable()) [state, text] = ["volatile", words.volatile];
    else if (unsent) [state, text] = [ScoreSender.trouble() || "device", words[ScoreSender.trouble() || "device"]];
    else [state, text] = sheet.version ? ["kept", words.kept] : ["empty", words.empty];
    const line = find("score-state");
    line.className = state;
    line.querySelector(".sign").textContent = SIGNS[state] ?? "✗";
    line.querySelector(".text").textContent = text;
    clearTimeout(speaking);
    speaking = setTimeout(() => { if (find("score-said").textContent !== text) find("score-said").textContent = text; }, 1500);
    showTrouble(record);
  }

  // Changes that can never be sent are shown until their owner lets them go.
  function showTrouble(record) {
    const box = find("score-trouble");
    const refused = record?.refused;
    box.hidden = !refused;
    if (!refused) return;
    const stuck = refused.error !== "invalid";
    const values = sheet.rubric.map(({ id, name }) => `${name} ${record.content.scores[id] || words.nothing}`);
    box.querySelector("p").textContent = stuck ? `${refused.sentences.join(" ")} ${words.lost_here}${values.join("；")}；${words.comment} ${record.content.comment || words.nothing}` : refused.sentences.join(" ");
    box.querySelector("button").hidden = !stuck;
  }

  // ---- changes -----------------------------------------------------------------------------
  async function change(apply) {
    if (!sheet.editable) return;
    const shown = { ...ScoreDrafts.copy(content), version: sheet.version };
    apply(content);
    showMarks();
    writing += 1;
    showState();
    const record = await ScoreDrafts.change(key, place, shown, apply);
    writing -= 1;
    showState(record);
    ScoreSender.soon(key);
  }

  function score(id, text) {
    const value = ScorePoints.tidy(text, sheet.places);
    if (value === (content.scores[id] || "")) return showMarks();
    return change(({ scores }) => { if (value) scores[id] = value; else delete scores[id]; });
  }

  const pad = scorePad(find("score-pad"), [...rows.keys()].map(fieldOf), sheet.places, (field, text) => score(idOf(field), text), (field) => {
    const ids = [...lines.keys()];
    const order = [...ids.slice(ids.indexOf(idOf(field)) + 1), ...ids];
    const next = order.find((id) => id !== idOf(field) && problemOf(id));
    if (next) return goTo(next);
    pad.close();
    find("score-review").focus();
  });
  const goTo = (id) => fieldOf(id).focus();

  for (const [id, row] of rows) {
    const field = fieldOf(id);
    field.addEventListener("input", () => {
      const text = ScorePoints.cleaned(field.value, sheet.places);
      if (text !== field.value) field.value = text;
      score(id, text);
    });
    field.addEventListener("blur", () => { field.value = content.scores[id] || ""; });
    field.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
      event.preventDefault();
      step(id, event.key === "ArrowUp" ? 1 : -1);
    });
    row.querySelector(".minus").addEventListener("click", () => step(id, -1));
    row.querySelector(".plus").addEventListener("click", () => step(id, 1));
  }
  function step(id, direction) {
    const value = ScorePoints.stepped(content.scores[id] || "", lines.get(id), sheet.places, direction);
    fieldOf(id).value = value;
    score(id, value);
  }
  find("score-form").addEventListener("submit", (event) => event.preventDefault());
  find("score-comment").addEventListener("input", (event) => {
    const { value } = event.target;
    change((content) => { content.comment = value; });
  });
  find("score-note").addEventListener("input", (event) => {
    const [number, { value }] = [pageInView, event.target];
    if (number) change(({ notes }) => { if (value) notes[number] = value; else delete notes[number]; });
  });

  function showNote() {
    const box = find("score-note");
    box.disabled = pageInView === null;
    find("score-note-name").textContent = pageInView === null ? "" : words.note.replace("{page}", pageInView);
    const text = content.notes[pageInView] || "";
    if (box.value !== text) box.value = text;
  }
  document.addEventListener("reader:page", showNote);

  // ---- what the server and other tabs say -----------------------------------------------------
  async function follow() {
    const record = await ScoreDrafts.get(key);
    const known = ScoreDrafts.versionOf(key);
    if (known > sheet.version) sheet.version = known;
    showState(record);
    if (record?.conflict) conflict.open(record.content, record.conflict);
    return record;
  }

  // Looks at the server's sheet again when nothing of this device waits to be sent.
  async function refresh() {
    const before = await ScoreDrafts.get(key);
    if (before?.conflict || (before && !before.refused)) return follow();
    const answer = await ScoreSender.read(sheet.code);
    if (answer?.status === 403 || answer?.status === 404) return location.reload();
    if (answer?.status !== 200 || !answer.isOurs) return follow();
    // Another seat has signed in on this device: its sheet belongs on a page of its own.
    if (answer.values.seat !== sheet.seat || answer.values.round !== sheet.round) return location.reload();
    const record = await ScoreDrafts.get(key);
    if (record && !record.refused) return follow();
    if (JSON.stringify(answer.values.rubric) !== JSON.stringify(sheet.rubric)) return location.reload();
    if (answer.values.version < sheet.version) return follow();
    sheet = answer.values;
    content = ScoreDrafts.contentOf(sheet);
    ScoreDrafts.know(key, sheet.version);
    show();
    return follow();
  }

  const conflict = scoreConflict(() => sheet, words, async (chosen, version) => {
    content = chosen;
    sheet.version = version;
    show();
    await ScoreDrafts.settle(key, chosen, version);
    await ScoreSender.send(key);
    follow();
  });
  const submission = scoreSubmit(panel, words, {
    values: () => ({ sheet, content, version: ScoreDrafts.versionOf(key) }),
    flush: () => ScoreSender.send(key),
    done: async (answer) => {
      await ScoreDrafts.drop(key, answer.version);
      Object.assign(sheet, { state: "submitted", editable: false, version: answer.version, at: answer.at });
      show();
      find("score-lock").scrollIntoView({ block: "center" });
      follow();
    },
    conflict: async (stored) => {
      if (ScoreDrafts.same(stored, content)) ScoreDrafts.know(key, stored.version);
      else {
        await ScoreDrafts.change(key, place, { ...content, version: stored.version }, () => {});
        await ScoreDrafts.conflict(key, null, stored);
      }
      refresh();
    },
  });
  find("score-review").addEventListener("click", () => {
    const first = unfinished()[0];
    panel.classList.toggle("checked", Boolean(first));
    if (first) goTo(first);
    else submission.open();
  });
  find("score-trouble").querySelector("button").addEventListener("click", async () => {
    await ScoreDrafts.drop(key);
    location.reload();
  });
  find("score-recuse").addEventListener("click", async (event) => {
    // A browser's own page of a missing network would take this one's place.
    event.preventDefault();
    const answer = await ScoreSender.read(sheet.code);
    if (answer) location.assign(panel.dataset.recusal);
    else find("score-said").textContent = find("score-state").querySelector(".text").textContent = words.no_network;
  });
  window.addEventListener("beforeunload", (event) => { if (state === "volatile") event.preventDefault(); });
  document.addEventListener("score:sent", async (event) => {
    if (event.detail.key !== key) return;
    const record = await follow();
    // Submitted, locked or excluded elsewhere: the page must say so.
    if (record?.refused && record.refused.error !== "invalid" && sheet.editable) refresh();
  });
  document.addEventListener("score:newer", (event) => { if (event.detail.key === key) refresh(); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") refresh(); });
  window.addEventListener("online", refresh);
  ScoreDrafts.onElsewhere(async (changed) => {
    if (changed !== key) return;
    const record = await ScoreDrafts.get(key);
    if (!record) return refresh();
    if (sheet.editable) content = record.content;
    show();
    showState(record);
  });

  ScoreDrafts.get(key).then((record) => {
    // A sheet that is closed is shown as the server has it.
    if (record && sheet.editable) content = record.content;
    show();
    return follow();
  });
});
