// Points without floats: decimal texts become whole numbers of the round's smallest unit.
"use strict";
const ScorePoints = (() => {
  // "31.5" with 2 places is 3150n; null for anything that is no decimal of 0 or more.
  function parse(text, places) {
    const found = /^(\d{1,9})(?:\.(\d*))?$/.exec(text);
    if (!found) return null;
    const decimals = (found[2] || "").replace(/0+$/, "");
    if (decimals.length > places) return null;
    return BigInt(found[1] + decimals.padEnd(places, "0"));
  }

  // 3150n with 2 places is "31.5".
  function format(points, places) {
    const digits = points.toString().padStart(places + 1, "0");
    const cut = digits.length - places;
    const decimals = digits.slice(cut).replace(/0+$/, "");
    return digits.slice(0, cut) + (decimals ? `.${decimals}` : "");
  }

  // What stands in the way of a value: "missing", "number", "high", "step", or "" for nothing.
  function problem(text, line, places) {
    if (!text) return "missing";
    const points = parse(text, places);
    if (points === null) return "number";
    if (points > parse(line.max, places)) return "high";
    return points % parse(line.step, places) === 0n ? "" : "step";
  }

  // The exact sum of those texts that are numbers.
  function sum(texts, places) {
    return format(texts.map((text) => parse(text, places)).reduce((all, one) => all + (one ?? 0n), 0n), places);
  }

  // One step up or down, held between 0 and the maximum; a value off its step goes to the next one.
  function stepped(text, line, places, direction) {
    const step = parse(line.step, places);
    const max = parse(line.max, places);
    const now = parse(text, places) ?? 0n;
    const low = (now / step) * step;
    const to = direction > 0 ? low + step : low === now ? now - step : low;
    return format(to < 0n ? 0n : to > max ? max : to, places);
  }

  // What may stand in a score's field: digits, one point, no more decimals than count.
  function cleaned(text, places) {
    const half = text.normalize("NFKC").replace(/[。,，]/g, ".").replace(/[^\d.]/g, "");
    const [whole, ...rest] = half.split(".");
    const short = whole.replace(/^0+(?=\d)/, "").slice(0, 6);
    return rest.length && places ? `${short || "0"}.${rest.join("").slice(0, places)}` : short;
  }

  // The same without what says nothing: "12." is "12", "." is "".
  const tidy = (text, places) => {
    const points = parse(text, places);
    return points === null ? "" : format(points, places);
  };

  return { parse, format, problem, sum, stepped, cleaned, tidy };
})();
