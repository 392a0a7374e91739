// Lists the files that were dropped or picked, with their paths below what was chosen.
"use strict";
const uploadFiles = (() => {
  // What systems and office programs leave behind; nobody means to send it.
  const LEFT_BEHIND = /(^|\/)(\.[^/]*|~\$[^/]*|thumbs\.db|desktop\.ini|__macosx(\/.*)?)$/i;

  const wanted = (found) => found.filter((item) => !LEFT_BEHIND.test(item.path));

  function readAll(reader) {
    // A reader gives a hundred entries at a time, and none when it has no more.
    return new Promise((resolve, reject) => {
      const all = [];
      const step = () =>
        reader.readEntries((entries) => {
          if (entries.length === 0) return resolve(all);
          all.push(...entries);
          step();
        }, reject);
      step();
    });
  }

  async function walk(entry, prefix, found) {
    const path = prefix + entry.name;
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      found.push({ path, file });
    } else {
      for (const child of await readAll(entry.createReader())) await walk(child, `${path}/`, found);
    }
  }

  async function dropped(transfer) {
    // The entries must be taken before the event is over; reading them may take its time.
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const found = [];
    for (const entry of entries) await walk(entry, "", found);
    return wanted(found);
  }

  const picked = (files) =>
    wanted([...files].map((file) => ({ path: file.webkitRelativePath || file.name, file })));

  function shape(paths) {
    // Two levels tell the server which folder only wraps the others.
    const short = new Set();
    for (const path of paths) {
      const parts = path.split("/");
      if (parts.length > 2) short.add(`${parts[0]}/${parts[1]}/`);
      else if (/\.zip$/i.test(path)) short.add(path);
    }
    return [...short].slice(0, 20000);
  }

  return { dropped, picked, shape };
})();
