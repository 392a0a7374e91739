"""Masks pages with Presidio's image redactor; runs in the environment that peers.py builds.

    python peer_presidio.py JOBS OUT --ocr tesseract|rapidocr [--processes N] [--threads N]

For JOBS and OUT see peer_pages.py. Set up as a user who knows both tools would:
- patterns of the roster's texts that bear spaces between characters; Presidio's own deny list asks
  for word boundaries, which Chinese text has not;
- OCR results cut to single Han characters, since Presidio masks whole words, and only those that
  begin with the match or lie in it;
- its own recognisers of phones, e-mails and cards, and a pattern for citizen IDs, which it lacks.
None of these needs a language model, so the NLP engine is a blank spaCy pipeline.
"""

from __future__ import annotations

import argparse
import logging
import re
from pathlib import Path
from typing import Any

from peer_pages import Job, open_page, run_jobs

Words = dict[str, list[Any]]
"""Presidio's OCR result: one entry for each word in each of COLUMNS."""
COLUMNS = ("text", "left", "top", "width", "height", "conf")
GAP, INTERPUNCT = r"\s*", r"[\s·•・．.‧]*"


def make(arguments: argparse.Namespace) -> Any:
    """(Presidio's redactor, the settings of its OCR)."""
    import spacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine, Pattern, PatternRecognizer, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine
    from presidio_analyzer.predefined_recognizers import (
        CreditCardRecognizer,
        EmailRecognizer,
        PhoneRecognizer,
    )
    from presidio_image_redactor import ImageAnalyzerEngine, ImageRedactorEngine

    # Presidio's check of an e-mail's domain would fetch a list; the package holds one, too.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    registry = RecognizerRegistry(supported_languages=["zh"])
    citizen = Pattern("citizen id", r"(?<!\d)\d{17}[\dXx](?!\d)", 0.9)
    for recogniser in (
        PhoneRecognizer(supported_language="zh", supported_regions=("CN",)),
        EmailRecognizer(supported_language="zh"),
        CreditCardRecognizer(supported_language="zh"),
        PatternRecognizer("CITIZEN_ID", patterns=[citizen], supported_language="zh"),
    ):
        registry.add_recognizer(recogniser)
    nlp = SpacyNlpEngine(models=[{"lang_code": "zh", "model_name": "blank"}])
    nlp.nlp = {"zh": spacy.blank("zh")}
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=nlp, supported_languages=["zh"])
    if arguments.ocr == "tesseract":
        return ImageRedactorEngine(ImageAnalyzerEngine(analyzer, tesseract())), {"lang": "chi_sim"}
    return ImageRedactorEngine(ImageAnalyzerEngine(analyzer, rapidocr(arguments.threads))), {}


def redact(engine: Any, job: Job, out: Path) -> None:
    """Masks one page from its file to OUT."""
    redactor, settings = engine
    masked = redactor.redact(
        open_page(job),
        fill=(0, 0, 0),
        ocr_kwargs=settings,
        ad_hoc_recognizers=recognisers(job["terms"]),
        language="zh",
    )
    masked.save(out / f"{job['name']}.jpg", quality=90)


def recognisers(terms: dict[str, list[str]]) -> list[Any]:
    """One pattern recogniser for each class of the applicant's texts, the longest first."""
    from presidio_analyzer import Pattern, PatternRecognizer

    found = []
    for entity, texts in terms.items():
        options = "|".join(spaced(text) for text in sorted(texts, key=len, reverse=True))
        pattern = Pattern(entity, f"(?:{options})", 1.0)
        found.append(PatternRecognizer(entity, patterns=[pattern], supported_language="zh"))
    return found


def spaced(text: str) -> str:
    """A pattern of `text` with white space between its characters, and with any interpunct."""
    parts = re.split("[·•・]", text)
    return INTERPUNCT.join(GAP.join(re.escape(c) for c in p if not c.isspace()) for p in parts)


def tesseract() -> Any:
    """Presidio's own Tesseract class, its words cut into Han characters."""
    from presidio_image_redactor import TesseractOCR

    class Tesseract(TesseractOCR):  # type: ignore[misc]
        def perform_ocr(self, image: object, **settings: Any) -> Words:
            words = super().perform_ocr(image, **settings)
            cut: Words = {column: [] for column in COLUMNS}
            for text, *box, conf in zip(*(words[column] for column in COLUMNS), strict=True):
                left, top, width, height = box
                for piece, start, wide in pieces(text, left, width):
                    add(cut, piece, start, top, wide, height, conf)
            return cut

    return Tesseract()


def rapidocr(threads: int) -> Any:
    """RapidOCR with its packaged models as Presidio's OCR class."""
    import numpy as np
    from presidio_image_redactor import OCR
    from rapidocr import RapidOCR

    settings: dict[str, Any] = {"Global.log_level": "error", "Global.return_word_box": True}
    if threads:
        for kind in ("intra", "inter"):
            settings[f"EngineConfig.onnxruntime.{kind}_op_num_threads"] = threads
    reader = RapidOCR(params=settings)

    class Rapid(OCR):  # type: ignore[misc]
        def perform_ocr(self, image: object, **_: Any) -> Words:
            found = reader(np.asarray(image)[:, :, ::-1].copy())
            words: Words = {column: [] for column in COLUMNS}
            for line in found.word_results or ():
                for text, corners, conf in runs(line):
                    x, y = zip(*corners, strict=True)
                    add(words, text, min(x), min(y), max(x) - min(x), max(y) - min(y), conf)
            return words

    return Rapid()


def runs(line: Any) -> list[tuple[str, list[Any], float]]:
    """(text, corners, score) of a line's Han characters and its Latin runs, from RapidOCR's."""
    joined: list[tuple[str, list[Any], float]] = []
    for text, score, corners in line:
        if not text or corners is None:
            continue
        if joined and latin(text) and latin(joined[-1][0]):
            before, around, least = joined.pop()
            joined.append((before + text, [*around, *corners], min(least, score)))
        else:
            joined.append((text, list(corners), score))
    return joined


def latin(text: str) -> bool:
    """Whether a text has printable ASCII characters only."""
    return all("!" <= c <= "~" for c in text)


def pieces(text: str, left: float, width: float) -> list[tuple[str, float, float]]:
    """(piece, left, width) of a word: each Han character alone, Latin runs whole."""
    parts = re.findall(r"[!-~]+|[^!-~\s]", text)
    widths = [len(part) * (0.5 if latin(part) else 1.0) for part in parts]
    scale = width / max(sum(widths), 1.0)
    placed = []
    for part, wide in zip(parts, widths, strict=True):
        placed.append((part, left, wide * scale))
        left += wide * scale
    return placed


def add(words: Words, *values: object) -> None:
    """Adds one word, its values in the order of COLUMNS, to an OCR result."""
    for column, value in zip(COLUMNS, values, strict=True):
        words[column].append(value)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--ocr", choices=("tesseract", "rapidocr"), required=True)
    run_jobs(options, make, redact)
