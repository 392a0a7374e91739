// Tells every open page of an expert when the secretary opens a ballot or the defence begins.
"use strict";
const ASK_EVERY = 20000;

async function askMeeting(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) return;
    const open = await answer.json();
    for (const part of document.querySelectorAll("[data-part]")) {
      part.hidden = !open[part.dataset.part];
    }
  } catch {
    // Without a network the page keeps what it last knew; the next round asks again.
  }
}

document.addEventListener("DOMContentLoaded", () => {
  const place = document.querySelector("[data-meeting]");
  if (!place) return;
  const ask = () => askMeeting(place.dataset.meeting);
  ask();
  setInterval(() => document.hidden || ask(), ASK_EVERY);
  document.addEventListener("visibilitychange", () => document.hidden || ask());
});
