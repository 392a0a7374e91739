// The last look: every value on one screen, the PIN, and then the sheet is locked.
"use strict";
// `values()`: {sheet, content, version}. `flush()`: sends drafts first, true when all are kept.
// `done(answer)`, `conflict(stored)`: what came of it.
function scoreSubmit(panel, words, { values, flush, done, conflict }) {
  const dialog = document.getElementById("score-submit");
  const said = document.getElementById("score-submit-said");
  const secret = document.getElementById("score-secret");
  const button = document.getElementById("score-submit-now");
  let saveId = "";

  function open() {
    const { sheet, content } = values();
    const cells = (texts) => texts.map((text, at) => Object.assign(document.createElement(at ? "td" : "th"), { textContent: text }));
    dialog.querySelector("tbody").replaceChildren(...sheet.rubric.map((line) => {
      const row = document.createElement("tr");
      row.append(...cells([line.name, content.scores[line.id], line.max]));
      row.firstChild.scope = "row";
      return row;
    }));
    dialog.querySelector(".sum").textContent = ScorePoints.sum(Object.values(content.scores), sheet.places);
    dialog.querySelector(".max").textContent = ScorePoints.sum(sheet.rubric.map((line) => line.max), sheet.places);
    dialog.querySelector(".comment").textContent = `${words.comment}: ${content.comment || words.nothing}`;
    [said.textContent, secret.value, saveId] = ["", "", ScoreDrafts.newId()];
    dialog.showModal();
  }

  async function send() {
    if (!(await flush())) return words.not_sent;
    const { sheet, content, version } = values();
    const body = { round: sheet.round, seat: sheet.seat, save_id: saveId, base_version: version, secret: secret.value, ...content };
    const answer = await ScoreSender.write("POST", panel.dataset.submit, sheet.code, body);
    if (answer?.status === 200 && answer.isOurs) {
      dialog.close();
      await done(answer.values);
      return "";
    }
    if (answer?.values.error === "conflict") {
      dialog.close();
      await conflict(answer.values.stored);
      return "";
    }
    if (answer?.status === 401) return words.signed_out_now;
    return answer?.values.sentences?.join(" ") ?? words.secret_lost;
  }

  document.getElementById("score-submit-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    said.textContent = "";
    said.textContent = await send();
    button.disabled = false;
    button.removeAttribute("aria-busy");
    if (said.textContent) secret.focus();
  });
  document.getElementById("score-submit-back").addEventListener("click", () => dialog.close());
  return { open };
}
