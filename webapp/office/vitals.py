"""The office's own metrics: how many jobs and pages are in which state, and whether a runner works.

Read from the vault when a Prometheus server asks; no round, applicant or file is in them.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.base import looking
from models.office_vitals import runner_age, vitals
from models.vault_pages import JOB_KINDS, JOB_STATES, PAGE_STATES

NONE = float("nan")


class VaultCounts(Collector):
    """Jobs by kind and state, pages by state, age of the queue and of the runner's sign of life."""

    def __init__(self, vault: Engine) -> None:
        self._vault = looking(vault)

    def describe(self) -> list[Metric]:
        """Nothing is asked of the vault before somebody wants to know."""
        return []

    def collect(self) -> Iterator[Metric]:
        with Session(self._vault) as session:
            found = vitals(session)
        jobs = GaugeMetricFamily("mangping_jobs", "Jobs of the runner.", labels=["kind", "state"])
        for kind in JOB_KINDS:
            for state in JOB_STATES:
                jobs.add_metric([kind, state], found.jobs.get((kind, state), 0))
        yield jobs
        pages = GaugeMetricFamily("mangping_pages", "Pages of all rounds.", labels=["state"])
        for state in PAGE_STATES:
            pages.add_metric([state], found.pages.get(state, 0))
        yield pages
        yield GaugeMetricFamily(
            "mangping_queue_age_seconds", "Since the oldest waiting job came.", found.queue_age
        )
        age = NONE if found.runner_age is None else found.runner_age
        yield GaugeMetricFamily(
            "mangping_runner_age_seconds", "Since a runner last said that it works.", age
        )


def runner_line(session: Session) -> str:
    """For /healthz."""
    age = runner_age(session)
    return "runner none" if age is None else f"runner {age:.0f} s ago"
