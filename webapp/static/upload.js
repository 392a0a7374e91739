// Sends the chosen files in chunks and goes on where the server says that an upload stopped.
"use strict";
(() => {
  const box = document.getElementById("uploader");
  const words = JSON.parse(box.dataset.words);
  const chunkSize = Number(box.dataset.chunk);
  const batchSize = Number(box.dataset.batch);
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  const PARALLEL = 3;
  const SHOWN_ROWS = 100;
  const LONGEST_WAIT = 30000;
  const MOST_REMARKS = 500;

  const part = (id) => document.getElementById(id);
  const pending = []; // chosen, not announced yet
  const ready = []; // announced, to be sent
  const total = { files: 0, done: 0, bytes: 0, sent: 0, since: 0, sentBefore: 0, remarks: 0 };
  let announcing = null;
  let working = 0;
  let paused = false;
  let stopped = false;
  let goOn = () => {};
  let waitForGo = Promise.resolve();

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  function size(bytes) {
    if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(1)} GB`;
    if (bytes >= 2 ** 20) return `${(bytes / 2 ** 20).toFixed(1)} MB`;
    return `${Math.ceil(bytes / 1024)} KB`;
  }

  class Refused extends Error {}
  class SignedOut extends Error {}
  class NoRoom extends Error {}

  async function post(address, body, type) {
    const response = await fetch(address, {
      method: "POST",
      body,
      headers: { "X-CSRFToken": token, "Content-Type": type },
      redirect: "manual",
    });
    const isJson = (response.headers.get("Content-Type") || "").includes("json");
    if (response.status === 401 || response.type === "opaqueredirect") throw new SignedOut();
    if (!isJson && response.status >= 400 && response.status < 500) throw new SignedOut();
    if (!isJson) throw new Error(`status ${response.status}`);
    const answer = await response.json();
    if (response.status === 507) throw new NoRoom(answer.sentences.join(" "));
    if (!response.ok && response.status !== 409) throw new Refused(answer.sentences.join(" "));
    return answer;
  }

  const ask = (address, value) => post(address, JSON.stringify(value), "application/json");

  async function patiently(work) {
    // Wi-Fi drops; the server may be started again. Only a clear answer ends the attempts.
    for (let wait = 2000; ; wait = Math.min(wait * 1.6, LONGEST_WAIT)) {
      await waitForGo;
      try {
        const answer = await work();
        trouble("");
        return answer;
      } catch (error) {
        if (error instanceof Refused || error instanceof SignedOut) throw error;
        if (error instanceof DOMException && error.name === "NotReadableError") throw error;
        if (error instanceof NoRoom) {
          setPaused(true);
          trouble(error.message);
        } else {
          trouble(words.offline);
          await sleep(wait);
        }
      }
    }
  }

  function trouble(text) {
    const place = part("trouble");
    if (place.textContent !== text) place.textContent = text;
    place.hidden = !text;
  }

  function remark(path, text) {
    total.remarks += 1;
    part("remarks").hidden = false;
    const list = part("remark-list");
    if (total.remarks > MOST_REMARKS) {
      list.lastElementChild.textContent = fill(words.more, { count: total.remarks - MOST_REMARKS + 1 });
      return;
    }
    const item = document.createElement("li");
    const name = document.createElement("strong");
    name.textContent = path;
    item.append(name, ` ${text}`);
    list.append(item);
  }

  // -- rows

  function show(item) {
    const row = part("files").insertRow(0);
    const name = document.createElement("th");
    name.scope = "row";
    name.textContent = item.path;
    row.append(name);
    row.insertCell().textContent = size(item.file.size);
    item.bar = document.createElement("progress");
    item.bar.max = item.file.size;
    item.bar.setAttribute("aria-label", item.path);
    row.insertCell().append(item.bar);
    item.word = row.insertCell();
    item.row = row;
    const rows = part("files").rows;
    for (let i = rows.length - 1; rows.length > SHOWN_ROWS && i > 0; i -= 1) {
      if (rows[i].dataset.over) rows[i].remove(); // thousands of rows would slow the page down
    }
  }

  function tell(item, sent, state) {
    if (!item.row) show(item);
    total.sent += sent - item.sent;
    item.sent = sent;
    item.bar.value = sent;
    item.word.textContent = words[state];
    item.row.dataset.state = state;
    overall();
  }

  function over(item, state, notes) {
    tell(item, item.file.size, state);
    item.row.dataset.over = "yes";
    total.done += 1;
    for (const [path, text] of notes) remark(path, text);
    overall();
  }

  function overall() {
    part("overall-bar").value = total.bytes ? (1000 * total.sent) / total.bytes : 0;
    let text = fill(words.overall, {
      done: total.done, all: total.files, sent: size(total.sent), size: size(total.bytes),
    });
    const seconds = (Date.now() - total.since) / 1000;
    const rate = (total.sent - total.sentBefore) / seconds;
    if (seconds > 5 && rate > 0 && total.sent < total.bytes && !paused) {
      const minutes = Math.max(1, Math.round((total.bytes - total.sent) / rate / 60));
      text += fill(words.left, { minutes });
    }
    part("overall-text").textContent = text;
  }

  // -- sending

  async function announce() {
    const batch = pending.splice(0, batchSize);
    const files = batch.map(({ path, file }) => ({
      path, size: file.size, modified: Math.max(0, file.lastModified),
    }));
    let answer;
    try {
      answer = await patiently(() => ask(box.dataset.begin, { files }));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      for (const item of batch) over(item, "refused", [[item.path, error.message]]);
      return;
    }
    answer.files.forEach((known, number) => {
      const item = batch[number];
      item.id = known.id;
      if (known.state === "receiving") {
        item.offset = known.received;
        ready.push(item);
      } else {
        total.sentBefore += item.file.size;
        over(item, known.state === "refused" ? "refused" : "known", known.note ? [[item.path, known.note]] : []);
      }
    });
  }

  async function next() {
    while (ready.length === 0 && pending.length > 0) {
      announcing ??= announce().finally(() => { announcing = null; });
      await announcing;
    }
    return ready.shift();
  }

  async function send(item) {
    const address = box.dataset.chunkAddress.replace("ID", item.id);
    let offset = item.offset;
    total.sentBefore += offset;
    tell(item, offset, "sending");
    for (;;) {
      await waitForGo;
      const end = Math.min(offset + chunkSize, item.file.size);
      if (end === item.file.size) tell(item, offset, "finishing");
      const answer = await patiently(async () => {
        const bytes = await item.file.slice(offset, end).arrayBuffer();
        return post(`${address}?offset=${offset}`, bytes, "application/octet-stream");
      });
      if (answer.state && answer.state !== "receiving") return over(item, answer.state, answer.notes);
      offset = answer.received;
      tell(item, offset, "sending");
    }
  }

  async function worker() {
    working += 1;
    try {
      for (let item = await next(); item && !stopped; item = await next()) {
        try {
          await send(item);
        } catch (error) {
          if (error instanceof SignedOut) throw error;
          over(item, "refused", [[item.path, error.message]]);
        }
      }
    } catch (error) {
      stopped = true;
      trouble(error instanceof SignedOut ? words.signed_out : String(error.message));
    } finally {
      working -= 1;
    }
    if (working === 0 && !stopped) await match();
  }

  async function match() {
    part("overall-text").textContent = words.matching;
    let answer;
    try {
      answer = await patiently(() => ask(box.dataset.match, {}));
    } catch (error) {
      return trouble(error instanceof SignedOut ? words.signed_out : error.message);
    }
    if (pending.length || ready.length || working) return undefined; // more was dropped meanwhile
    for (const [path, text] of [...answer.duplicates, ...answer.notes]) remark(path, text);
    overall();
    part("done-text").textContent = fill(words.finished, answer);
    part("to-unmatched").hidden = !answer.unmatched;
    part("done").hidden = false;
    part("done").focus();
    return undefined;
  }

  // -- choosing

  async function add(found) {
    if (found.length === 0) return trouble(words.empty);
    trouble("");
    const folder = box.dataset.folder;
    let wrapped = [];
    if (!folder) {
      const paths = uploadFiles.shape(found.map((item) => item.path));
      if (paths.length) wrapped = (await patiently(() => ask(box.dataset.layout, { paths }))).wrapped;
    }
    for (const { path, file } of found) {
      const top = path.split("/", 1)[0];
      let place = wrapped.includes(top) && path !== top ? path.slice(top.length + 1) : path;
      if (folder && !place.startsWith(`${folder}/`)) place = `${folder}/${place}`;
      pending.push({ path: place, file, sent: 0, offset: 0 });
      total.files += 1;
      total.bytes += file.size;
    }
    if (!total.since) total.since = Date.now();
    for (const id of ["overall", "list"]) part(id).hidden = false;
    part("done").hidden = true;
    overall();
    for (let i = working; i < PARALLEL; i += 1) worker();
    return undefined;
  }

  function choose(listing) {
    part("overall").hidden = false;
    part("overall-text").textContent = words.reading;
    Promise.resolve(listing).then(add).catch((error) => {
      trouble(error instanceof SignedOut ? words.signed_out : String(error.message));
    });
  }

  function setPaused(value) {
    if (value === paused) return;
    paused = value;
    if (paused) waitForGo = new Promise((resolve) => { goOn = resolve; });
    else {
      total.since = Date.now();
      total.sentBefore = total.sent;
      goOn();
      trouble("");
    }
    part("pause").textContent = paused ? words.resume : words.pause;
    part("pause").setAttribute("aria-pressed", String(paused));
  }

  part("pause").addEventListener("click", () => setPaused(!paused));
  for (const id of ["pick-folder", "pick-files"]) {
    part(id).addEventListener("change", (event) => {
      choose(uploadFiles.picked(event.target.files));
      event.target.value = ""; // choosing the same again is a choice, too
    });
  }
  const drop = part("drop");
  for (const name of ["dragover", "dragenter"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    choose(uploadFiles.dropped(event.dataTransfer));
  });
  // A file that misses the box must not open in place of this page.
  for (const name of ["dragover", "drop"]) {
    window.addEventListener(name, (event) => event.preventDefault());
  }
  window.addEventListener("beforeunload", (event) => {
    if (working > 0) {
      event.preventDefault();
      event.returnValue = words.leave;
    }
  });
})();
