"""The settings of both web applications, from the command line or the environment (MANGPING_...).

Everything an installation owns lies below one folder, so that a backup is a copy of it.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import NonNegativeInt
from pydantic_settings import BaseSettings, SettingsConfigDict

from redactor.whole_file import write_whole
from webapp.folder_rights import set_rights


class Settings(BaseSettings):
    """Frozen after start. `data`: the installation's folder. URLs: SQLAlchemy's, "" for SQLite.

    `experts_database`: the review database for a role with the experts' rights alone, which are
    given to it at each start; "" for the office's own way in. See docs/POSTGRESQL.md.
    `vault_key`: file with the key that seals the vault's files, None for plain ones; see
    docs/SECURITY.md. `secure_cookies`: on where the office is reached by https. `workers`:
    redacting processes, 0 for one on each core. `review_processes`: of the experts' pages, 0 for
    one on SQLite and one on each core, at most four, on PostgreSQL. `executor`: local, or a dask
    scheduler's address for workers on several machines; `exchange`: URL of the store that they
    reach, "" for a folder of the vault; see docs/SCALE.md. `largest_request`: bytes; uploads come
    in chunks that are smaller.
    `log`: where the log goes. `metrics_token`: what a Prometheus server must show; without one
    only this computer may ask. `runner_metrics_port`: of the runner's metrics, 0 for none.
    `experts_group`: the group of the experts' service when that is a user of its own.
    `trusted_proxy`: address of the reverse proxy, whose word on who asks is believed; "*" for any.
    """

    model_config = SettingsConfigDict(env_prefix="MANGPING_", frozen=True)

    data: Path = Path("mangping-data")
    vault_database: str = ""
    review_database: str = ""
    experts_database: str = ""
    host: str = "127.0.0.1"
    port: int = 8080
    review_port: int = 0
    secure_cookies: bool = False
    workers: int = 0
    review_processes: NonNegativeInt = 0
    executor: str = "local"
    exchange: str = ""
    vault_key: Path | None = None
    experts_group: str = ""
    trusted_proxy: str = ""
    largest_request: int = 64 * 2**20
    log: Literal["file", "stderr"] = "file"
    metrics_token: str = ""
    runner_metrics_port: int = 0

    @property
    def vault(self) -> Path:
        """Originals, readings, masked pages under check: only the office's process opens it."""
        return self.data / "vault"

    @property
    def blind(self) -> Path:
        """Released pages: all that the review process may read."""
        return self.data / "blind"

    @property
    def review(self) -> Path:
        """The experts' database, key and small pictures."""
        return self.data / "review"

    @property
    def logs(self) -> Path | None:
        """Where the logs are kept; None when they go to stderr. They name nobody."""
        return self.data / "logs" if self.log == "file" else None

    @property
    def exchange_url(self) -> str:
        """Where files go to workers on other machines and come back."""
        return self.exchange or (self.vault.absolute() / "exchange").as_uri()

    @property
    def vault_url(self) -> str:
        return self.vault_database or f"sqlite:///{self.vault / 'vault.db'}"

    @property
    def review_url(self) -> str:
        return self.review_database or f"sqlite:///{self.review / 'review.db'}"

    @property
    def processes_of_review(self) -> int:
        """On SQLite more than one would only wait for each other."""
        one = self.review_url.startswith("sqlite")
        return self.review_processes or (1 if one else min(4, os.cpu_count() or 1))

    @property
    def port_of_review(self) -> int:
        return self.review_port or self.port + 1


@dataclass(frozen=True)
class ReviewSettings:
    """What the experts' process is given: neither a path nor a credential of the vault.

    `blind`: folder of released pages, read only. `folder`: its own files (key, pictures).
    `logs`: folder of the log, None for stderr. `processes`: that answer, sharing the port.
    """

    database: str
    blind: Path
    folder: Path
    host: str
    port: int
    secure_cookies: bool
    trusted_proxy: str = ""
    logs: Path | None = None
    metrics_token: str = ""
    processes: int = 1


def review_settings(settings: Settings) -> ReviewSettings:
    """The part of an installation that the experts' process may know."""
    return ReviewSettings(
        database=settings.experts_database or settings.review_url,
        blind=settings.blind,
        folder=settings.review,
        host=settings.host,
        port=settings.port_of_review,
        secure_cookies=settings.secure_cookies,
        trusted_proxy=settings.trusted_proxy,
        logs=settings.logs,
        metrics_token=settings.metrics_token,
        processes=settings.processes_of_review,
    )


def prepare_folders(settings: Settings) -> None:
    """Makes the installation's folders, readable for the user alone (and the experts' group)."""
    group = settings.experts_group
    for folder in (settings.data, settings.vault, settings.blind, settings.review):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in (settings.data, settings.vault):
        set_rights(folder, "", writable=False)
    set_rights(settings.blind, group, writable=False)
    set_rights(settings.review, group, writable=True)


def secret_key(folder: Path) -> str:
    """The key that signs forms' tokens; made at the first start and kept."""
    path = folder / "secret.key"
    if not path.exists():
        write_whole(path, secrets.token_hex(32).encode())
        path.chmod(0o600)
    return path.read_text("utf-8")
