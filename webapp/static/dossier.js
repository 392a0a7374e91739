// A category is kept as soon as it is chosen; without this script the button does it.
"use strict";
for (const form of document.querySelectorAll("form.category")) {
  form.querySelector("button").hidden = true;
  form.querySelector("select").addEventListener("change", async () => {
    const said = form.querySelector("[role=status]");
    const response = await fetch(form.action, {
      method: "POST", body: new FormData(form), headers: { "HX-Request": "true" },
    }).catch(() => null);
    said.textContent = response && response.ok ? `✓ ${await response.text()}` : "⚠";
    if (!response || !response.ok) form.querySelector("button").hidden = false;
  });
}
