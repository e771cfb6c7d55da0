"""A local server that speaks both versions of the catalogue and is a mirror, with faults on demand."""

import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

IDENTIFIER = "doi:10.1234/scenes"
NUMBER = "0c9f2b1e-uuid"
PAGE = 2


class CatalogueServer:
    """One data set, whose files are ``{name: bytes}``; use as a context manager.

    Attributes:
        files: What the mirror serves. Names that are not archives are in the catalogue as well.
        versions: Versions of the catalogue's interface that are spoken.
        ranges: Whether the mirror knows byte ranges.
        faults: What happens to the next requests, one entry each: a status (``500``), ``"drop"`` (the
            connection ends half-way), ``"stall"`` (it stays silent half-way), ``"trickle"`` (it goes on
            byte by byte), ``"wrong"`` (a byte is changed), ``"long"``, ``"short"`` (the declared length is
            not the catalogue's), ``"redirect"`` (to the same file elsewhere), ``"loop"`` (to itself),
            ``"unsized"`` (no length is declared), a function of the handler, or ``None``.
        retry_after: The header that goes with a status.
        log: Path and ``Range`` of each request.
    """

    def __init__(self, files):
        self.files = files
        self.versions = {"2", "3"}
        self.ranges = True
        self.faults = []
        self.retry_after = "0"
        self.closing = threading.Event()
        self.log = []
        self.catalogue_changes = {}
        self.mirror_line = "There is a machine-downloadable mirror of the dataset at: {mirror}/"

    def __enter__(self):
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.http.handle_error = lambda *_: None
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.http.server_address[1]}"

    @property
    def mirror(self):
        return f"{self.address}/mirror"

    def ranges_asked(self):
        return [byte_range for path, byte_range in self.log if path.startswith("/mirror")]

    def document(self, path, query):
        """The catalogue's answer, or None."""
        for version, pattern, answer in (
            ("3", r"/v3/datasets", self.datasets_3),
            ("3", rf"/v3/datasets/{NUMBER}/files", self.files_3),
            ("2", r"/rest/v2/datasets", self.dataset_2),
            ("2", rf"/rest/v2/datasets/{NUMBER}/files", self.files_2),
        ):
            if version in self.versions and re.fullmatch(pattern, path):
                return answer(path, query)
        return None

    @property
    def description(self):
        return {"fi": "Kuvia.", "sv": f"Bilder.\n{self.mirror_line.format(mirror=self.mirror)}\nSlut."}

    def datasets_3(self, path, query):
        wanted = query["persistent_identifier"]
        entries = [
            {"id": "other", "persistent_identifier": f"{wanted}.{version}", "title": {}, "description": {}}
            for version in range(PAGE)
        ]
        entries.append(
            {
                "id": NUMBER,
                "persistent_identifier": IDENTIFIER,
                "title": {"en": "Scenes"},
                "description": self.description,
            }
        )
        return self.paginated(entries, path, query)

    def files_3(self, path, query):
        return self.paginated(
            [
                {
                    "id": f"id-{name}",
                    "pathname": f"/data/{name}",
                    "filename": name,
                    "size": len(content),
                    "checksum": f"md5:{hashlib.md5(content).hexdigest()}",
                }
                | self.catalogue_changes
                for name, content in self.files.items()
            ],
            path,
            query,
        )

    def paginated(self, entries, path, query):
        offset = int(query.get("offset", 0))
        following = None
        if offset + PAGE < len(entries):
            following = f"{self.address}{path}?{urlencode(query | {'offset': offset + PAGE})}"
        return {
            "count": len(entries),
            "next": following,
            "previous": None,
            "results": entries[offset : offset + PAGE],
        }

    def dataset_2(self, path, query):
        if query["preferred_identifier"].casefold() != IDENTIFIER:
            return None
        return {
            "identifier": NUMBER,
            "research_dataset": {"preferred_identifier": IDENTIFIER, "description": self.description},
        }

    def files_2(self, path, query):
        return [
            {
                "file_path": f"/data/{name}",
                "byte_size": len(content),
                "checksum": {
                    "algorithm": "SHA-256",
                    "value": hashlib.sha256(content).hexdigest(),
                    "checked": "x",
                },
            }
            for name, content in self.files.items()
        ]


def _handler(server):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            address = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            server.log.append((address.path, self.headers.get("Range")))
            fault = server.faults.pop(0) if server.faults else None
            if callable(fault):
                fault(self)
            elif isinstance(fault, int):
                self.answer(fault, b"fault", {"Retry-After": server.retry_after})
            elif fault in ("redirect", "loop"):
                elsewhere = self.path + "?moved" if fault == "redirect" else self.path
                self.answer(302, b"", {"Location": elsewhere})
                if fault == "loop":
                    server.faults.insert(0, "loop")
            elif address.path.startswith("/mirror/"):
                self.serve_file(unquote(address.path.removeprefix("/mirror/")), fault)
            else:
                document = server.document(address.path, query)
                self.answer(200 if document is not None else 404, json.dumps(document).encode())

        def serve_file(self, name, fault):
            content = server.files.get(name)
            if content is None:
                self.answer(404, b"no such file")
                return
            if fault == "wrong":
                content = bytes([content[0] ^ 1]) + content[1:]
            content = {"long": content + b"more", "short": content[:-7]}.get(fault, content)
            status, headers = 200, {}
            wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            if server.ranges and wanted:
                start = int(wanted[1])
                status, headers = 206, {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
                content = content[start:]
            cut = len(content) // 2 if fault in ("drop", "stall", "trickle") else None
            self.answer(status, content, headers, cut=cut, sized=fault != "unsized")
            if fault == "stall":
                server.closing.wait(30)
            elif fault == "trickle":
                for byte in content[cut:]:
                    self.wfile.write(bytes([byte]))
                    if server.closing.wait(0.02):
                        break

        def answer(self, status, body, headers=None, cut=None, sized=True):
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            if sized:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:cut])
            if cut is not None or not sized:
                self.close_connection = True

    return Handler
