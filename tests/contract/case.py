"""What the cases share: the program on weights and photos of the shared data, and pictures made for a purpose."""

import struct
import sys
import unittest
import zlib

from conformance import Description
from server import Photos, Server, shared

BINARY = sys.argv[1] if len(sys.argv) > 1 else None
DATA = shared()
GUL, BRODY, SHARPTON, STRANGER = "Abdullah_Gul", "Adrien_Brody", "Al_Sharpton", "Alejandro_Toledo"


def options():
    return ["--mtcnn", str(DATA / "mtcnn"), "--weights", str(DATA / "mobilefacenet.onnx")]


class Case(unittest.TestCase):
    """One server for all cases of a class; people that a case enrols are its own."""

    weights = None  # options; None: those of the shared data
    config = None

    @classmethod
    def setUpClass(cls):
        if not DATA:
            raise unittest.SkipTest("no shared data folder: no weights and photos to run the service on")
        cls.photos = Photos(DATA)
        cls.server = Server(BINARY, options() if cls.weights is None else cls.weights, config=cls.config)
        if "weights" in cls.server.get("/readyz").json.get("reason", ""):
            cls.tearDownClass()
            raise unittest.SkipTest("this build has no weights of its own")
        cls.server.wait_until_ready()
        cls.description = Description(cls.server.get("/openapi.json").json)
        cls.server.validator = cls.description.check

    @classmethod
    def tearDownClass(cls):
        if hasattr(cls, "server"):
            try:
                if hasattr(cls, "description") and cls.server.process.poll() is None:
                    cls.server.require_device()
            finally:
                cls.server.stop()
                cls.server.folder.cleanup()

    def upload(self, nik, name, person=GUL, count=3, target="/upload/", **headers):
        files = [("files", (f"{i}.jpg", self.photos.of(person, i))) for i in range(1, count + 1)]
        return self.server.send_form("POST", target, [("nik", nik), ("nama", name), *files])

    def recognize(self, nik, picture, target="/recognize/"):
        return self.server.send_form("POST", target, [("nik_input", nik), ("file", ("p.jpg", picture))])

    def remove(self, nik, name):
        return self.server.send_form("DELETE", "/hapus/", [("nik_hapus", nik), ("nama", name)])


def with_orientation(picture, orientation):
    """The JPEG with an EXIF block that names an orientation."""
    tiff = b"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00" + bytes([orientation, 0, 0, 0]) + b"\x00" * 4
    block = b"Exif\x00\x00" + tiff
    return picture[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + picture[2:]


def grey_png(size=64):
    """A picture without a face."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + b"\x80" * size for _ in range(size))
    head = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


PIXEL = grey_png()
