"""Lets an ONNX network take pictures of any size, though its file names one size (pure).

A network of convolutions can; only its file says otherwise. The sizes are taken out of the file's
bytes, because the onnx package would be 20 MB more to install. Layout: onnx.proto3 of the ONNX
project, in Protocol Buffers' wire format: each field is (number and wire type, length, bytes).
"""

from __future__ import annotations

from collections.abc import Iterator

_GRAPH, _INPUT, _OUTPUT, _VALUE_INFO = 7, 11, 12, 13
_NAME, _TYPE, _TENSOR, _ELEMENT = 1, 2, 1, 1
_FLOAT = 1
_VARINT, _BYTES = 0, 2


def any_size(model: bytes) -> bytes:
    """The model without the shapes of its inputs, outputs and inner values, which are float32.

    Raises ValueError when the bytes are no ONNX model.
    """
    fields = list(_fields(model))
    if not any(number == _GRAPH for number, _, _ in fields):
        raise ValueError("no ONNX model: it has no graph")
    parts = (_field(_GRAPH, _freed(body)) if n == _GRAPH else whole for n, whole, body in fields)
    return b"".join(parts)


def _freed(graph: bytes) -> bytes:
    parts = []
    for number, whole, body in _fields(graph):
        if number in (_INPUT, _OUTPUT):
            name = next(inner for n, _, inner in _fields(body) if n == _NAME)
            tensor = _field(_TENSOR, _number(_ELEMENT << 3 | _VARINT) + _number(_FLOAT))
            parts.append(_field(number, _field(_NAME, name) + _field(_TYPE, tensor)))
        elif number != _VALUE_INFO:
            parts.append(whole)
    return b"".join(parts)


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """(number, all its bytes, its content) of each field; numbers have no content here."""
    at = 0
    while at < len(message):
        start = at
        tag, at = _read(message, at)
        length = 0
        if tag & 7 == _BYTES:
            length, at = _read(message, at)
        elif tag & 7 == _VARINT:
            _, at = _read(message, at)
        else:
            raise ValueError(f"no ONNX model: a field of wire type {tag & 7}")
        if at + length > len(message):
            raise ValueError("no ONNX model: it ends in the middle of a field")
        yield tag >> 3, message[start : at + length], message[at : at + length]
        at += length


def _read(message: bytes, at: int) -> tuple[int, int]:
    """(a number in groups of seven bits, lowest first; the place behind it)."""
    value = shift = 0
    while at < len(message):
        byte = message[at]
        value |= (byte & 0x7F) << shift
        shift += 7
        at += 1
        if byte < 0x80:
            return value, at
    raise ValueError("no ONNX model: it ends in the middle of a number")


def _number(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def _field(number: int, body: bytes) -> bytes:
    return _number(number << 3 | _BYTES) + _number(len(body)) + body
