// On every page of an expert: what waits on this device is sent, and signing out says so if it is not.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const box = document.getElementById("outbox");
  if (!box) return;
  const words = JSON.parse(box.dataset.words);
  const dialog = document.getElementById("outbox-dialog");
  const said = document.getElementById("outbox-said");
  const form = document.querySelector(`form[action="${box.dataset.signOut}"]`);
  // Drafts of a dossier that is the seat's no longer stay, but nobody needs to wait for them.
  const isGone = (record) => ["recused", "unassigned"].includes(record.refused?.error);
  const waiting = async () => (await ScoreDrafts.ofSeat(Number(box.dataset.round), box.dataset.seat)).filter((record) => ScoreDrafts.isUnsent(record) && !isGone(record));
  const fill = (text, records) => text.replace("{count}", records.length).replace("{codes}", records.map((record) => record.code).join("、"));

  async function show() {
    const records = await waiting();
    const open = document.getElementById("score")?.dataset.code;
    const others = records.filter((record) => record.code !== open);
    box.hidden = others.length === 0;
    const asked = others.some((record) => record.conflict || record.refused);
    box.textContent = others.length ? fill(asked ? words.asked : words.waiting, others) : "";
  }

  // Signing out forgets nothing: drafts stay here until their seat returns. But it should be known.
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    await ScoreSender.sendWaiting();
    const records = await waiting();
    if (!records.length) return form.submit();
    said.textContent = fill(words.unsent, records);
    dialog.showModal();
  });
  document.getElementById("outbox-send").addEventListener("click", async () => {
    said.textContent = words.sending;
    await ScoreSender.sendWaiting(true);
    const records = await waiting();
    if (!records.length) return form.submit();
    said.textContent = fill(words.unsent, records);
  });
  document.getElementById("outbox-leave").addEventListener("click", () => form.submit());
  document.getElementById("outbox-stay").addEventListener("click", () => dialog.close());

  document.addEventListener("score:sent", show);
  ScoreDrafts.onElsewhere(show);
  show();
  ScoreSender.sendWaiting(true).then(show);
});
