"""Objects as Google Cloud Storage keeps them: what TensorFlow asks of its JSON API (v1)."""

from __future__ import annotations

import uuid
from typing import Any

Answer = tuple[int, "dict[str, Any] | bytes", dict[str, str]]
"""Status, body and headers."""
_NOT_FOUND: Answer = 404, {"error": {"code": 404}}, {}


class Bucket:
    """The only one.

    Attributes:
        objects: by name, each its bytes and a number that grows with every write.
    """

    def __init__(self, name: str):
        self.name = name
        self.objects: dict[str, tuple[bytes, int]] = {}
        self._uploads: dict[str, tuple[str, bytearray]] = {}
        self._written = 0

    def answer(
        self,
        method: str,
        parts: list[str],
        query: dict[str, str],
        headers: dict[str, str],
        body: bytes,
    ) -> Answer:
        """Answers a request.

        Args:
            method: of HTTP.
            parts: of the path, unquoted.
            query: behind the path.
            headers: by their names in small letters.
            body: whole.
        """
        try:
            match method, parts:
                case "GET", ["storage", "v1", "b", self.name]:
                    return 200, {"name": self.name, "location": "EU"}, {}
                case "GET", ["storage", "v1", "b", self.name, "o"]:
                    return 200, self._list(query.get("prefix", ""), query.get("delimiter", "")), {}
                case "GET", ["storage", "v1", "b", self.name, "o", name]:
                    return 200, self._facts(name), {}
                case "DELETE", ["storage", "v1", "b", self.name, "o", name]:
                    del self.objects[name]
                    return 204, b"", {}
                case "POST", ["storage", "v1", "b", _, "o", old, "rewriteTo", "b", _, "o", new]:
                    return 200, {"done": True, "resource": self._put(new, self.objects[old][0])}, {}
                case "POST", ["upload", "storage", "v1", "b", self.name, "o"]:
                    return self._begin(query, body)
                case "PUT", ["upload", upload]:
                    return self._go_on(upload, headers.get("content-range", ""), body)
                case "GET", [self.name, *rest] if rest:
                    return self._read("/".join(rest), headers.get("range", ""))
        except KeyError:
            pass
        return _NOT_FOUND

    def _put(self, name: str, content: bytes) -> dict[str, str]:
        self._written += 1
        self.objects[name] = content, self._written
        return self._facts(name)

    def _facts(self, name: str) -> dict[str, str]:
        content, generation = self.objects[name]
        return {
            "name": name,
            "size": str(len(content)),
            "generation": str(generation),
            "updated": "2026-01-01T00:00:00.000Z",
        }

    def _list(self, prefix: str, delimiter: str) -> dict[str, Any]:
        items, folders = [], []
        for name in sorted(name for name in self.objects if name.startswith(prefix)):
            head, found, _ = name[len(prefix) :].partition(delimiter or "\0")
            if not found:
                items.append(self._facts(name))
            elif (folder := prefix + head + delimiter) not in folders:
                folders.append(folder)
        return {"items": items, "prefixes": folders}

    def _begin(self, query: dict[str, str], body: bytes) -> Answer:
        name = query["name"]
        if query["uploadType"] == "media":  # a folder: an empty object, once
            if query.get("ifGenerationMatch") == "0" and name in self.objects:
                return 412, b"", {}
            return 200, self._put(name, body), {}
        upload = uuid.uuid4().hex
        self._uploads[upload] = name, bytearray()
        return 200, b"", {"Location": f"https://www.googleapis.com/upload/{upload}"}

    def _go_on(self, upload: str, part: str, body: bytes) -> Answer:
        name, so_far = self._uploads[upload]
        so_far += body
        total = part.rpartition("/")[2]
        if total == "*" or (total and len(so_far) < int(total)):
            return 308, b"", {"Range": f"bytes=0-{len(so_far) - 1}"}
        return 200, self._put(name, bytes(so_far)), {}

    def _read(self, name: str, asked: str) -> Answer:
        content = self.objects[name][0]
        first, _, last = asked.removeprefix("bytes=").partition("-")
        if not asked:
            return 200, content, {}
        if int(first) >= len(content):
            return 416, b"", {}
        part = content[int(first) : int(last) + 1 if last else None]
        end = int(first) + len(part) - 1
        return 206, part, {"Content-Range": f"bytes {first}-{end}/{len(content)}"}
