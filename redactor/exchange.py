"""Files on their way between a run and workers elsewhere: a shared folder or an S3-like store.

Each run seals them with a key of its own, which goes to the workers another way and is never
written down: whoever reads the store, and whatever a killed run left there, learns nothing.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pyrage
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url
from pyrage import x25519

from redactor.errors import OutputError, UsageError

ROOM = "mangping-exchange"
"""Everything of ours in a store lies below this prefix, and nothing else is ever removed."""
FORGOTTEN = timedelta(days=2)
"""What a run that was killed left behind is removed by a later one when it is older."""


@dataclass(frozen=True)
class Parcel:
    """A file in the exchange. `place`: its posix path below the folder that it is unpacked to."""

    key: str
    place: str
    sha256: str


class Exchange:
    """A store by its URL: file:///folder, s3://bucket/prefix, or another that obstore knows.

    `secret`: the run's key, of redactor.sealed_files.new_secret.

    Keys and endpoints of an S3 store are read from the environment (AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL, AWS_REGION, AWS_ALLOW_HTTP), so that neither the URL
    nor anything that is sent to a scheduler holds a secret.
    """

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self.secret = secret
        self._identity = x25519.Identity.from_str(secret)
        self._public = self._identity.to_public()
        self._folder = Path(url2pathname(urlsplit(url).path)) if url.startswith("file:") else None
        self._made = False
        try:
            self._elsewhere = None if self._folder else from_url(url)
        except (BaseError, ValueError) as error:
            raise UsageError(
                f"无法使用交换区 {url}：{_first_line(error)}。请填写 file:///文件夹 或 "
                "s3://存储桶/前缀。",
                f"The exchange {url} cannot be used: {_first_line(error)}. Give file:///FOLDER or "
                "s3://BUCKET/PREFIX.",
            ) from error

    @functools.cached_property
    def _store(self) -> ObjectStore:
        """Opened when it is first used: a run that is refused must leave no folder."""
        if self._folder is None:
            assert self._elsewhere is not None
            return self._elsewhere
        if not self._folder.exists():
            self._made = True
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return LocalStore(self._folder, automatic_cleanup=True)

    def send(self, data: bytes, key: str, place: str) -> Parcel:
        """Puts a file's content into the exchange."""
        with self._reached():
            self._store.put(key, pyrage.encrypt(data, [self._public]))
        return Parcel(key, place, hashlib.sha256(data).hexdigest())

    def read(self, parcel: Parcel) -> bytes:
        """A file's content; OutputError when it is not the one that was sent."""
        with self._reached():
            stored = bytes(self._store.get(parcel.key).bytes())
        with contextlib.suppress(pyrage.DecryptError):
            data: bytes = pyrage.decrypt(stored, [self._identity])
            if hashlib.sha256(data).hexdigest() == parcel.sha256:
                return data
        raise OutputError(
            f"交换区中的 {parcel.key} 已被改动，未使用。请检查谁能写入交换区，然后加上 --resume "
            "重新运行。",
            f"{parcel.key} in the exchange was changed; it was not used. Check who may write to "
            "the exchange, then run again with --resume.",
        )

    def remove(self, keys: Sequence[str]) -> None:
        """Removes files; those that are gone already are no fault."""
        with self._reached():
            for key in keys:
                try:
                    self._store.delete(key)
                except FileNotFoundError:
                    continue

    def sweep(self, prefix: str, older: timedelta = timedelta(0)) -> None:
        """Removes everything below a prefix of ROOM that was written longer ago than `older`."""
        if self._folder is not None and not self._folder.exists():
            return
        limit = datetime.now(UTC) - older
        with self._reached():
            old = [
                entry["path"]
                for entries in self._store.list(f"{ROOM}/{prefix}".rstrip("/"))
                for entry in entries
                if older == timedelta(0) or entry["last_modified"] < limit
            ]
        self.remove(old)
        if self._made and self._folder is not None:
            with contextlib.suppress(OSError):  # another run's files are in it
                self._folder.rmdir()

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            raise OutputError(
                f"无法读写交换区 {self.url}：{_first_line(error)}。请检查网络、磁盘空间和权限，"
                "然后加上 --resume 重新运行。",
                f"The exchange {self.url} cannot be read or written: {_first_line(error)}. Check "
                "network, disk space and permissions, then run again with --resume.",
            ) from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:300]
