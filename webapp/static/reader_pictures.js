// Fetches the pictures of pages: the ones that are looked at first, and again until they are there.
"use strict";
// eslint-disable-next-line no-unused-vars
const ReaderPictures = (() => {
  const AT_ONCE = 3; // a browser has six connections; scores and the page list need theirs
  const KEPT = 60; // pictures that stay in memory, to be read when the network is gone
  const STALLED = 45_000; // milliseconds
  const LONGEST_PAUSE = 8_000;
  const FROZEN = 423;

  // `address`: of the dossier. `heard(name, what)`: what is "frozen", "gone" or "retry".
  return (address, heard) => {
    const kept = new Map(); // key -> address of the picture in memory, the newest last
    const wanted = new Map(); // key -> job
    let running = 0;

    const key = (name, size) => `${name}/${size}`;

    function have(name, size) {
      const found = kept.get(key(name, size));
      if (found) {
        kept.delete(key(name, size));
        kept.set(key(name, size), found);
      }
      return found;
    }

    // The picture's address in memory; null when it is not to be had. Rank 0 is fetched first.
    function get(name, size, rank) {
      const there = have(name, size);
      if (there) return Promise.resolve(there);
      let job = wanted.get(key(name, size));
      if (!job) {
        job = { name, size, rank, tries: 0, after: 0, control: new AbortController() };
        job.done = new Promise((resolve) => { job.resolve = resolve; });
        wanted.set(key(name, size), job);
      }
      job.rank = Math.min(job.rank, rank);
      work();
      return job.done;
    }

    // Another page is looked at: what was urgent is so no more.
    function demote() {
      for (const job of wanted.values()) job.rank += 2;
    }

    function work() {
      const now = Date.now();
      const ready = [...wanted.values()].filter((job) => !job.running && job.after <= now);
      ready.sort((one, other) => one.rank - other.rank);
      for (const job of ready.slice(0, Math.max(0, AT_ONCE - running))) run(job);
    }

    async function run(job) {
      job.running = true;
      running += 1;
      const what = await ask(job);
      running -= 1;
      job.running = false;
      if (!wanted.has(key(job.name, job.size))) return work();
      if (what instanceof Blob) finish(job, keep(job, what));
      else if (what === "retry") again(job);
      else finish(job, null, what);
      work();
    }

    async function ask(job) {
      const stalled = setTimeout(() => job.control.abort(), STALLED);
      try {
        const answer = await fetch(`${address}pictures/${key(job.name, job.size)}`, { signal: job.control.signal, redirect: "manual", priority: job.rank ? "low" : "high" });
        if (answer.ok) return await answer.blob();
        if (answer.status === FROZEN) return "frozen";
        return answer.status >= 500 || answer.status === 429 ? "retry" : "gone";
      } catch {
        return "retry";
      } finally {
        clearTimeout(stalled);
      }
    }

    function again(job) {
      const pause = Math.min(LONGEST_PAUSE, 400 * 2 ** job.tries) * (0.75 + Math.random() / 2);
      job.tries += 1;
      job.after = Date.now() + pause;
      job.control = new AbortController();
      setTimeout(work, pause + 5);
      heard(job.name, "retry");
    }

    function keep(job, blob) {
      const made = URL.createObjectURL(blob);
      kept.set(key(job.name, job.size), made);
      for (const [oldest, url] of kept) {
        if (kept.size <= KEPT) break;
        kept.delete(oldest);
        URL.revokeObjectURL(url);
      }
      return made;
    }

    function finish(job, url, why) {
      wanted.delete(key(job.name, job.size));
      job.resolve(url);
      if (why) heard(job.name, why);
    }

    // Nothing of these pixels may stay on this tablet.
    function forget(name) {
      for (const [one, job] of [...wanted]) {
        if (job.name !== name) continue;
        job.control.abort();
        wanted.delete(one);
        job.resolve(null);
      }
      for (const [one, url] of [...kept]) {
        if (!one.startsWith(`${name}/`)) continue;
        kept.delete(one);
        URL.revokeObjectURL(url);
      }
    }

    // The network is back: nobody waits for a pause to end.
    function hurry() {
      for (const job of wanted.values()) job.after = 0;
      work();
    }
    addEventListener("online", hurry);

    return { get, have, demote, forget, hurry };
  };
})();
