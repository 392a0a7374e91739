// Sends drafts of score sheets: soon after a change, and again and again until an answer has come.
"use strict";
const ScoreSender = (() => {
  const PAUSE = 350; // ms without a change, then a draft is sent
  const LATEST = 800; // ms after a change, however many follow
  const PATIENCE = 12000; // ms for an answer
  const LONGEST_WAIT = 20000; // ms between two tries
  const timers = new Map();
  const running = new Map();
  let wait = 0;
  let retrying = null;
  let trouble = ""; // "", "offline" or "signed_out"
  let token = null;

  const say = (key) => document.dispatchEvent(new CustomEvent("score:sent", { detail: { key } }));
  const csrf = () => (token ??= JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"]);

  // A request with a time limit; null when there was no answer, or not ours.
  async function ask(method, address, body) {
    const control = new AbortController();
    const clock = setTimeout(() => control.abort(), PATIENCE);
    try {
      const headers = { "X-CSRFToken": csrf(), ...(body ? { "Content-Type": "application/json" } : {}) };
      const answer = await fetch(address, {
        method, headers, body: body && JSON.stringify(body), signal: control.signal, cache: "no-store", redirect: "manual",
      });
      const isOurs = (answer.headers.get("Content-Type") || "").startsWith("application/json");
      return { status: answer.status, isOurs, values: isOurs ? await answer.json() : {}, redirected: answer.type === "opaqueredirect" };
    } catch (error) {
      return null;
    } finally {
      clearTimeout(clock);
    }
  }

  // The same with a fresh form token when the one of the page holds no longer.
  async function write(method, address, code, body) {
    const answer = await ask(method, address, body);
    if (answer?.status !== 400) return answer;
    const fresh = await ask("GET", `/d/${encodeURIComponent(code)}/sheet`);
    if (!fresh?.values.token) return fresh?.redirected ? { ...answer, status: 401 } : answer;
    token = fresh.values.token;
    return ask(method, address, body);
  }

  const read = (code) => ask("GET", `/d/${encodeURIComponent(code)}/sheet`);

  // After a change: soon, but not at every key.
  function soon(key) {
    const found = timers.get(key) ?? { since: Date.now() };
    clearTimeout(found.timer);
    const rest = Math.max(0, Math.min(PAUSE, found.since + LATEST - Date.now()));
    found.timer = setTimeout(() => { timers.delete(key); send(key); }, rest);
    timers.set(key, found);
  }

  // Sends a draft until nothing of it is left to send; true when all of it is kept.
  function send(key) {
    const before = running.get(key) ?? Promise.resolve();
    const now = before.then(() => sendAll(key)).finally(() => { if (running.get(key) === now) running.delete(key); });
    running.set(key, now);
    return now;
  }

  async function sendAll(key) {
    for (;;) {
      const record = await ScoreDrafts.take(key);
      if (!record?.pending || record.conflict || record.refused) return !ScoreDrafts.isUnsent(record);
      say(key);
      const { pending } = record;
      const answer = await write("PUT", `/d/${encodeURIComponent(record.code)}/sheet`, record.code, {
        round: record.round, seat: record.seat, save_id: pending.id, base_version: pending.base, ...pending.content,
      });
      const goesOn = await heard(key, pending, answer);
      say(key);
      if (!goesOn) return false;
    }
  }

  // What an answer means; true when the next change may be sent.
  async function heard(key, pending, answer) {
    const error = answer?.values.error;
    if (answer?.status === 200 && answer.isOurs) {
      const { version, newest } = answer.values;
      await ScoreDrafts.kept(key, pending.id, version);
      [trouble, wait] = ["", 0];
      if (newest > version) document.dispatchEvent(new CustomEvent("score:newer", { detail: { key } }));
      return true;
    }
    if (error === "conflict") {
      const { stored } = answer.values;
      trouble = "";
      if (ScoreDrafts.same(stored, pending.content)) {
        await ScoreDrafts.kept(key, pending.id, stored.version);
        return true;
      }
      await ScoreDrafts.conflict(key, pending.id, stored);
      return false;
    }
    if (answer?.status === 401 || error === "seat") trouble = "signed_out";
    else if (!error) trouble = "offline";
    else {
      trouble = "";
      await ScoreDrafts.refused(key, pending.id, { error, sentences: answer.values.sentences });
      return false;
    }
    later();
    return false;
  }

  // Waits ever longer between tries, never quite the same on all tablets of a room.
  function later() {
    if (retrying) return;
    wait = Math.min(LONGEST_WAIT, Math.max(1000, wait * 2));
    retrying = setTimeout(() => { retrying = null; sendWaiting(); }, wait * (0.75 + Math.random() / 2));
  }

  // Sends every draft of the seat that is signed in; what was refused only when `again`.
  async function sendWaiting(again = false) {
    const box = document.getElementById("outbox");
    if (!box) return;
    for (const { key } of await ScoreDrafts.ofSeat(Number(box.dataset.round), box.dataset.seat)) {
      if (again) await ScoreDrafts.retry(key);
      await send(key);
    }
  }

  function now() {
    clearTimeout(retrying);
    [retrying, wait] = [null, 0];
    sendWaiting();
  }

  window.addEventListener("online", now);
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") now(); });
  return { soon, send, sendWaiting, write, read, trouble: () => trouble };
})();
