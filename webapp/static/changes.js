// Changes of masks on their way: carried over to a page that moved on, and done in many dossiers.
"use strict";
const Changes = (() => {
  // The refused change in terms of the masks as they are now: what is gone is not removed again,
  // and a changed box whose mask is gone becomes a new one.
  function carriedOver({ change, seen }, page) {
    const place = (index) => page.masks.findIndex((mask) => String(mask.quad) === String(seen.masks[index].quad));
    const again = { add: [...(change.add ?? [])], remove: [], change: [] };
    for (const index of change.remove ?? []) if (place(index) >= 0) again.remove.push(place(index));
    for (const one of change.change ?? []) {
      const index = place(one.index);
      if (index >= 0) again.change.push({ ...one, index });
      else again.add.push({ quad: one.quad ?? seen.masks[one.index].quad, kind: one.kind });
    }
    return again;
  }

  // One request for each dossier, so that each is a whole; `done` tells how far it is.
  async function everywhere(dossiers, send, words, done) {
    const left = [];
    let pages = 0;
    for (const [number, dossier] of dossiers.entries()) {
      let response;
      try { response = await send(dossier); } catch { done.textContent = words.offline; return; }
      const answer = response.headers.get("Content-Type")?.includes("json") ? await response.json() : { sentences: [words.failed] };
      if (!response.ok) { done.textContent = answer.sentences.join(" "); return; }
      pages += answer.pages;
      left.push(...(answer.left ?? []));
      done.textContent = `${words.done_on}${pages}${dossiers.length > 1 ? ` (${number + 1}/${dossiers.length} ${words.dossiers})` : ""} ${left.join(" ")}`;
    }
  }

  return { carriedOver, everywhere };
})();
