// Tells the server how long a page was looked at while its window was in front.
"use strict";
const Looks = (() => {
  function keep(address, headers) {
    let since = document.hidden ? null : performance.now();
    function tellTime() {
      if (since === null) return;
      const seconds = (performance.now() - since) / 1000;
      since = null;
      if (seconds >= 0.5) fetch(address, { method: "POST", keepalive: true, headers, body: new URLSearchParams({ seconds: seconds.toFixed(1) }) }).catch(() => {});
    }
    document.addEventListener("visibilitychange", () => { if (document.hidden) tellTime(); else since = performance.now(); });
    window.addEventListener("pagehide", tellTime);
    window.addEventListener("pageshow", () => { if (since === null && !document.hidden) since = performance.now(); });
  }

  return { keep };
})();
