// A ballot paper on a tablet: choose, check, cast; a lost answer is asked for again, never doubled.
"use strict";
const ANSWER_WITHIN = 15000;

function startPaper() {
  const form = document.getElementById("paper");
  if (!form) return;
  const fieldsets = [...form.querySelectorAll("fieldset[data-code]")];
  const chosen = () => fieldsets.map((set) => set.querySelector("input:checked"));

  const count = () => {
    form.querySelector("[data-count]").textContent = chosen().filter(Boolean).length;
  };

  const go = (step) => {
    for (const part of form.querySelectorAll("[data-step]")) {
      part.hidden = part.dataset.step !== step;
    }
  };

  const check = () => {
    const empty = fieldsets.filter((set) => !set.querySelector("input:checked"));
    for (const set of fieldsets) {
      const missing = empty.includes(set);
      set.classList.toggle("unset", missing);
      set.querySelector(".missing").hidden = !missing;
    }
    form.querySelector("[data-unfinished]").hidden = empty.length === 0;
    if (empty.length) {
      empty[0].querySelector("input").focus();
      empty[0].scrollIntoView({ block: "center" });
      return;
    }
    for (const list of form.querySelectorAll("[data-list]")) {
      const codes = fieldsets
        .filter((set) => set.querySelector("input:checked").value === list.dataset.list)
        .map((set) => set.dataset.code);
      list.replaceChildren(...codes.map(asCode));
      form.querySelector(`[data-sum="${list.dataset.list}"]`).textContent = codes.length;
    }
    go("check");
    window.scrollTo(0, 0);
    form.querySelector("[name=secret]").focus();
  };

  form.addEventListener("change", (event) => {
    count();
    const set = event.target.closest("fieldset");
    if (set) {
      set.classList.remove("unset");
      set.querySelector(".missing").hidden = true;
    }
  });
  form.querySelector("[data-go=check]").addEventListener("click", check);
  form.querySelector("[data-go=choose]").addEventListener("click", () => go("choose"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form.querySelector("[data-step=check]").hidden) check();
    else cast(form);
  });
  count();
  go("choose");
  // The PIN was wrong: nobody has to choose again.
  if (form.dataset.check) check();
}

function asCode(text) {
  const code = document.createElement("span");
  code.className = "code";
  code.textContent = text;
  return code;
}

async function cast(form) {
  const button = form.querySelector("[data-cast]");
  const back = form.querySelector("[data-go=choose]");
  const sending = form.querySelector("[data-sending]");
  const unsent = form.querySelector("[data-unsent]");
  button.disabled = back.disabled = true;
  sending.hidden = false;
  unsent.hidden = true;
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      signal: AbortSignal.timeout(ANSWER_WITHIN),
    });
    const text = await answer.text();
    if (answer.status >= 500) throw new Error("no answer");
    const main = new DOMParser().parseFromString(text, "text/html").querySelector("main");
    document.querySelector("main").replaceWith(document.adoptNode(main));
    window.scrollTo(0, 0);
    startPaper();
  } catch {
    // It may have arrived. What it holds must stay as it is, so that the same ballot is sent again.
    unsent.hidden = false;
    button.disabled = false;
    sending.hidden = true;
    unsent.scrollIntoView({ block: "nearest" });
  }
}

document.addEventListener("DOMContentLoaded", startPaper);
