"""Files that only the holder of a key can read, in the age format (age-encryption.org/v1).

Which folders are sealed is told once to a process; whoever reads and writes below them goes through
here. Anything else stays as it is, so that plain and sealed files may lie side by side.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyrage
from pyrage import x25519

from redactor.errors import OutputError, UnreadablePage, UsageError
from redactor.whole_file import write_whole

MARK = b"age-encryption.org/v1\n"
"""How every sealed file begins."""
_SECRET, _PUBLIC = "AGE-SECRET-KEY-1", "age1"
_BLOCK = 1 << 20
_FOREIGN = "No matching keys found"


class LockedError(OutputError):
    """A file is sealed with a key that is not there; nothing may be done in its place."""


@dataclass(frozen=True)
class Keys:
    """What a key file holds. `secret`: the newest first; none opens a file that it was not for.

    `public`: whom new files are sealed for. `names`: the public halves of `secret`.
    """

    secret: tuple[Any, ...]
    public: Any
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """The public half of the key in use."""
        return str(self.public)


_KEY_FILES: dict[Path, Path] = {}
"""Sealed folder (absolute) -> its key file."""
_READ: dict[tuple[str, int, int], Keys] = {}
"""Key files by path, time and size: a key that was changed is read anew by whoever runs."""


def new_secret() -> str:
    """A new key as it stands in a key file."""
    return str(x25519.Identity.generate())


def write_key_file(path: Path, secrets: Sequence[str]) -> None:
    """Writes a key file, the key in use first; readable for its owner alone."""
    newest = x25519.Identity.from_str(secrets[0]).to_public()
    lines = [
        "# mangping: 保险库密钥，遗失则文件无法恢复 / the vault's key; without it nothing opens",
        f"# public key: {newest}",
        *secrets,
        "",
    ]
    before = os.umask(0o077)
    try:
        write_whole(path, "\n".join(lines).encode())
    finally:
        os.umask(before)
    path.chmod(0o600)


def secrets_of(path: Path) -> list[str]:
    """The keys of a file as they stand there, the one in use first; UsageError as `read_keys`."""
    read_keys(path)
    return [line for line in _lines(path) if line.startswith(_SECRET)]


def read_keys(path: Path) -> Keys:
    """The keys of a file: secret ones, or one public key to seal with. UsageError else."""
    try:
        stat = path.stat()
        known = (str(path.absolute()), stat.st_mtime_ns, stat.st_size)
        if known in _READ:
            return _READ[known]
        lines = _lines(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"读不到密钥文件 {path}。没有写入任何内容。请接上存放密钥的介质，或改正 "
            "MANGPING_VAULT_KEY。密钥遗失则加密的文件无法恢复。",
            f"The key file {path} cannot be read; nothing was written. Attach the medium that "
            "holds it or mend MANGPING_VAULT_KEY. Without the key, what is sealed cannot be "
            "recovered.",
        ) from error
    try:
        secret = tuple(x25519.Identity.from_str(s) for s in lines if s.startswith(_SECRET))
        public = [x25519.Recipient.from_str(s) for s in lines if s.startswith(_PUBLIC)]
    except Exception as error:  # pyrage's errors have no common root
        raise _no_key(path) from error
    names = tuple(str(one.to_public()) for one in secret)
    if (not secret and not public) or len(secret) + len(public) != len(lines):
        raise _no_key(path)
    keys = Keys(secret, secret[0].to_public() if secret else public[0], names)
    _READ[known] = keys
    return keys


def _lines(path: Path) -> list[str]:
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _no_key(path: Path) -> UsageError:
    return UsageError(
        f"{path} 不是完好的密钥文件。没有写入任何内容。请换成正确的密钥文件。",
        f"{path} is no whole key file; nothing was written. Name the right one.",
    )


def seal_below(folder: Path, key_file: Path | None) -> None:
    """From now on this process seals what it writes below `folder`; None: no more.

    UsageError when the key file cannot be read.
    """
    place = folder.absolute()
    if key_file is None:
        _KEY_FILES.pop(place, None)
    else:
        read_keys(key_file)
        _KEY_FILES[place] = key_file


def _keys_for(path: Path) -> Keys | None:
    if not _KEY_FILES:
        return None
    place = path.absolute()
    for folder, key_file in _KEY_FILES.items():
        if place.is_relative_to(folder):
            try:
                return read_keys(key_file)
            except UsageError as error:  # it was there at the start
                raise LockedError(error.sentence.zh, error.sentence.en) from error
    return None


def read_file(path: Path) -> bytes:
    """A file's content. OSError as always; LockedError without its key; UnreadablePage when a
    sealed file was changed or cut off."""
    data = path.read_bytes()
    keys = _keys_for(path)
    return data if keys is None or not data.startswith(MARK) else opened(data, keys, path)


def head_of(path: Path, size: int) -> bytes:
    """The first bytes of a file's content; errors as `read_file`."""
    with path.open("rb") as file:
        head = file.read(max(size, len(MARK)))
    if head.startswith(MARK) and _keys_for(path) is not None:
        head = read_file(path)
    return head[:size]


def blocks_of(path: Path) -> Iterator[bytes]:
    """A file's content in parts, of which only a sealed file's is large; errors as `read_file`."""
    with path.open("rb") as file:
        block = file.read(_BLOCK)
        if not (block.startswith(MARK) and _keys_for(path) is not None):
            while block:
                yield block
                block = file.read(_BLOCK)
            return
    yield read_file(path)


def content_hash(path: Path) -> str:
    """sha256 over a file's content, sealed or not; errors as `read_file`."""
    digest = hashlib.sha256()
    for block in blocks_of(path):
        digest.update(block)
    return digest.hexdigest()


def write_file(path: Path, data: bytes) -> None:
    """Writes a file as a whole or not at all, sealed where its folder is; as `write_whole`."""
    write_whole(path, for_file(data, path))


def for_file(data: bytes, path: Path) -> bytes:
    """The bytes that are to stand in a file with this content: sealed where its folder is."""
    keys = _keys_for(path)
    return data if keys is None else sealed(data, keys)


def move_in(source: Path, target: Path) -> None:
    """Moves a plain file to `target` on the same disk, sealed where that folder is; OSError.

    The source is there until the target is whole.
    """
    keys = _keys_for(target)
    if keys is None:
        source.replace(target)
        return
    part = target.with_name(f".{target.name}.part")
    try:
        with source.open("rb") as plain, part.open("wb") as file:
            seal_stream(plain, file, keys)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    source.unlink()


def sealed(data: bytes, keys: Keys) -> bytes:
    """The sealed form of some bytes."""
    made: bytes = pyrage.encrypt(data, [keys.public])
    return made


def opened(data: bytes, keys: Keys, path: Path) -> bytes:
    """The content of a sealed file; `path`: for messages. LockedError, UnreadablePage."""
    out = io.BytesIO()
    open_stream(io.BytesIO(data), out, keys, path)
    return out.getvalue()


def seal_stream(source: IO[bytes], target: IO[bytes], keys: Keys) -> tuple[int, str]:
    """Seals a stream of any length; (bytes, sha256) of what was read."""
    counted = _Counted(source)
    pyrage.encrypt_io(counted, target, [keys.public])
    return counted.size, counted.digest.hexdigest()


def open_stream(source: IO[bytes], target: Any, keys: Keys, path: Path) -> None:
    """Opens a sealed stream. LockedError, UnreadablePage; then `target` is to be thrown away."""
    if not keys.secret:
        raise _locked(path)
    try:
        pyrage.decrypt_io(source, target, list(keys.secret))
    except pyrage.DecryptError as error:
        if _FOREIGN in str(error):
            raise _locked(path) from error
        raise _damaged(path) from error
    except OSError as error:
        if error.errno is not None:  # the disk's
            raise
        raise _damaged(path) from error


class _Counted:
    """A stream that tells how much was read from it."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source, self.size, self.digest = source, 0, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.size += len(data)
        self.digest.update(data)
        return data


def _locked(path: Path) -> LockedError:
    return LockedError(
        f"{path} 是用另一把密钥加密的，打不开。没有写入任何内容。请用原来的密钥文件。",
        f"{path} is sealed with another key and cannot be opened; nothing was written. Use the key "
        "file of that time.",
    )


def _damaged(path: Path) -> UnreadablePage:
    return UnreadablePage(
        f"{path.name} 在加密后被改动或不完整。请从备份恢复它，或重新上传。",
        f"{path.name} was changed after it was sealed, or is incomplete. Restore it from a backup "
        "or upload it again.",
    )
