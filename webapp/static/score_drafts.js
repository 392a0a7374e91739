// Drafts of score sheets on this device: written here before they are sent, gone once they are kept.
// One record for each round, seat and dossier; all tabs of the browser share it.
"use strict";
const ScoreDrafts = (() => {
  const NAME = "mangping-scores";
  const memory = new Map();
  const versions = new Map(); // what is known of the server's newest version, by key
  const channel = "BroadcastChannel" in window ? new BroadcastChannel(NAME) : null;
  let opening = null;
  let durable = true;

  const keyOf = (round, seat, code) => `${round}/${seat}/${code}`;
  const copy = (value) => JSON.parse(JSON.stringify(value));

  function open() {
    opening ??= idb.openDB(NAME, 1, {
      upgrade: (base) => base.createObjectStore("drafts", { keyPath: "key" }),
      terminated: () => { opening = null; },
    }).catch(() => {
      // A browser that keeps nothing: what is typed lives as long as the page, and is said to.
      durable = false;
      return null;
    });
    return opening;
  }

  // Changes a record in one transaction. `change` gets it or undefined, and returns what to keep,
  // null to delete it, undefined to leave it. It must not wait for anything.
  async function update(key, change) {
    const base = await open();
    if (!base) return keep(memory.get(key), change, (record) => (record ? memory.set(key, record) : memory.delete(key)));
    try {
      const work = base.transaction("drafts", "readwrite", { durability: "strict" });
      const result = keep(await work.store.get(key), change, (record) => (record ? work.store.put(record) : work.store.delete(key)));
      await work.done;
      durable = true;
      return result;
    } catch (error) {
      // The disk is full, or the browser took the store away.
      durable = false;
      return keep(memory.get(key), change, (record) => (record ? memory.set(key, record) : memory.delete(key)));
    }
  }

  function keep(record, change, write) {
    const result = change(record === undefined ? undefined : copy(record));
    if (result === undefined) return record;
    write(result);
    return result;
  }

  async function get(key) {
    const base = await open();
    return memory.get(key) ?? (base ? base.get("drafts", key) : undefined);
  }

  // The drafts of one seat; another seat's are none of its business.
  async function ofSeat(round, seat) {
    const base = await open();
    const all = [...memory.values(), ...(base ? await base.getAll("drafts") : [])];
    return all.filter((record) => record.round === round && record.seat === seat);
  }

  // Notes a change of one value. `shown`: the sheet as the page shows it, for the first change.
  async function change(key, place, shown, apply) {
    const record = await update(key, (record) => {
      const changed = record ?? {
        ...place, key, base: versions.get(key) ?? shown.version, content: contentOf(shown),
        rev: 0, sent: 0, pending: null, conflict: null, refused: null,
      };
      apply(changed.content);
      changed.rev += 1;
      if (changed.refused?.error === "invalid") changed.refused = null;
      return changed;
    });
    tell(key);
    return record;
  }

  // What is sent, under a name of its own; the same again until its answer has come.
  function take(key) {
    return update(key, (record) => {
      if (!record || record.conflict || record.refused) return undefined;
      if (record.pending) return undefined;
      if (record.rev === record.sent) return null;
      record.pending = { id: newId(), base: record.base, rev: record.rev, content: copy(record.content) };
      return record;
    });
  }

  // The server has kept what was sent as `version`.
  async function kept(key, id, version) {
    const record = await update(key, (record) => {
      if (record?.pending?.id !== id) return undefined;
      versions.set(key, version);
      Object.assign(record, { base: version, sent: record.pending.rev, pending: null });
      return record.rev === record.sent ? null : record;
    });
    tell(key);
    return record;
  }

  // Another device was first; both versions stay until a person has chosen.
  async function conflict(key, id, stored) {
    await update(key, (record) => {
      if (!record || (id && record.pending?.id !== id)) return undefined;
      return { ...record, conflict: stored, pending: null };
    });
    tell(key);
  }

  async function refused(key, id, answer) {
    await update(key, (record) => (record?.pending?.id === id ? { ...record, refused: answer, pending: null } : undefined));
    tell(key);
  }

  // A person has chosen between two versions.
  async function settle(key, content, version) {
    versions.set(key, version);
    await update(key, (record) => record && { ...record, content, base: version, conflict: null, pending: null, rev: record.rev + 1 });
    tell(key);
  }

  // A refused draft is tried again when its page is opened again: the sheet may have been re-opened.
  const retry = (key) => update(key, (record) => (record?.refused ? { ...record, refused: null } : undefined));

  async function drop(key, version) {
    if (version !== undefined) versions.set(key, version);
    await update(key, () => null);
    memory.delete(key);
    tell(key);
  }

  const tell = (key) => channel?.postMessage(key);
  const isUnsent = (record) => Boolean(record && (record.pending || record.conflict || record.refused || record.rev !== record.sent));
  const contentOf = (sheet) => copy({ scores: sheet.scores, comment: sheet.comment, notes: sheet.notes });

  // randomUUID is for https alone; tablets come by plain http.
  const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

  // Whether two contents say the same.
  function same(one, other) {
    const filled = (table) => JSON.stringify(Object.entries(table).filter(([, text]) => text).sort());
    return one.comment === other.comment && filled(one.scores) === filled(other.scores) && filled(one.notes) === filled(other.notes);
  }

  return {
    keyOf, get, ofSeat, change, take, kept, conflict, refused, settle, retry, drop, isUnsent, contentOf, newId, same, copy,
    versionOf: (key) => versions.get(key),
    know: (key, version) => versions.set(key, version),
    isDurable: () => durable,
    // Another tab of this browser changed a record.
    onElsewhere: (heard) => channel?.addEventListener("message", (event) => heard(event.data)),
  };
})();
