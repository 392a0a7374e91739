"""A host and a port of this machine, of IPv4 or IPv6: how it is named, and whether it is free."""

from __future__ import annotations

import os
import socket


def family(host: str) -> socket.AddressFamily:
    """The kind of address that an address to listen at is."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def in_url(host: str) -> str:
    """A host or address as it stands in a URL."""
    return f"[{host}]" if family(host) == socket.AF_INET6 else host


def why_taken(host: str, port: int) -> OSError | None:
    """What the system says against listening there, None when nothing."""
    with socket.socket(family(host)) as trial:
        if os.name != "nt":  # there it would allow what this should find out
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            return error
    return None
