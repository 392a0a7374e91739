"""Masks the faces of pages with deface; runs in the environment that peers.py builds.

    python peer_deface.py JOBS OUT [--processes N] [--threads N]

deface's own detector, threshold and mask scale, with solid boxes, which hide most. For JOBS and
OUT see peer_pages.py.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from peer_pages import Job, open_page, run_jobs

THRESHOLD, MASK_SCALE = 0.2, 1.3
"""deface's defaults."""


def make(arguments: argparse.Namespace) -> Any:
    """deface's detector; it has no setting for its number of threads."""
    import onnxruntime
    from deface.centerface import CenterFace

    if arguments.threads:
        session = onnxruntime.InferenceSession

        def limited(model: Any, **settings: Any) -> Any:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = arguments.threads
            return session(model, sess_options=options, **settings)

        onnxruntime.InferenceSession = limited
    return CenterFace()


def redact(centerface: Any, job: Job, out: Path) -> None:
    """Masks one page from its file to OUT."""
    import numpy as np
    from deface.deface import anonymize_frame
    from PIL import Image

    frame = np.array(open_page(job))
    found, _ = centerface(frame, threshold=THRESHOLD)
    anonymize_frame(
        found,
        frame,
        mask_scale=MASK_SCALE,
        replacewith="solid",
        ellipse=False,
        draw_scores=False,
        replaceimg=None,
        mosaicsize=20,
    )
    Image.fromarray(frame).save(out / f"{job['name']}.jpg", quality=90)


if __name__ == "__main__":
    run_jobs(argparse.ArgumentParser(description=__doc__), make, redact)
