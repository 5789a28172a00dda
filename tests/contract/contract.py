#!/usr/bin/env python3
"""The contract: what the original service's clients, and those of /api/v1, rely on. Plain HTTP against the program.

contract.py BINARY [unittest's options]; the cases are numbered as the list of the original's behaviours in docs/http_api.md.
"""

import datetime
import json
import re
import socket
import struct
import sys
import unittest
import zlib
import zoneinfo

from conformance import Description
from server import Photos, Server, shared

BINARY = sys.argv[1] if len(sys.argv) > 1 else None
DATA = shared()
GUL, BRODY, SHARPTON, STRANGER = "Abdullah_Gul", "Adrien_Brody", "Al_Sharpton", "Alejandro_Toledo"


def options():
    return ["--mtcnn", str(DATA / "mtcnn"), "--weights", str(DATA / "mobilefacenet.onnx")]


class Case(unittest.TestCase):
    """One server for all cases of a class; people that a case enrols are its own."""

    extra = []
    config = None

    @classmethod
    def setUpClass(cls):
        if not DATA:
            raise unittest.SkipTest("no shared data folder: no weights and photos to run the service on")
        cls.photos = Photos(DATA)
        cls.server = Server(BINARY, options() + cls.extra, config=cls.config)
        cls.server.wait_until_ready()
        cls.description = Description(cls.server.get("/openapi.json").json)
        cls.server.validator = cls.description.check

    @classmethod
    def tearDownClass(cls):
        if hasattr(cls, "server"):
            cls.server.stop()
            cls.server.folder.cleanup()

    def upload(self, nik, name, person=GUL, count=3, target="/upload/", **headers):
        files = [("files", (f"{i}.jpg", self.photos.of(person, i))) for i in range(1, count + 1)]
        return self.server.send_form("POST", target, [("nik", nik), ("nama", name), *files])

    def recognize(self, nik, picture, target="/recognize/"):
        return self.server.send_form("POST", target, [("nik_input", nik), ("file", ("p.jpg", picture))])

    def remove(self, nik, name):
        return self.server.send_form("DELETE", "/hapus/", [("nik_hapus", nik), ("nama", name)])


class Original(Case):
    def tearDown(self):
        page = self.server.get("/api/v1/people?limit=500").json
        for person in page["items"]:
            self.server.ask("DELETE", f"/api/v1/people/{person['id']}")

    def test_01_upload_takes_nik_nama_and_repeated_files(self):
        answer = self.upload("1001", "ABDULLAH GUL")
        self.assertEqual((answer.status, answer.text), (
            200, '{"success":true,"message":"Successfully uploaded 3 images for NIK 1001, Name ABDULLAH GUL"}'))

    def test_02_more_than_100_files(self):
        files = [("files", ("a.jpg", b"x"))] * 101
        answer = self.server.send_form("POST", "/upload/", [("nik", "1"), ("nama", "A"), *files])
        self.assertEqual((answer.status, answer.text),
                         (400, '{"success":false,"message":"Maximum 100 images are allowed"}'))

    def test_03_nama_in_capitals_by_python_s_rule(self):
        photo = ("files", ("a.jpg", self.photos.of(GUL, 1)))
        for name in ("Dennis", "123", "DENNISß", "ǅ", "éA"):
            self.assertFalse(name.isupper())
            answer = self.server.send_form("POST", "/upload/", [("nik", "1"), ("nama", name), photo])
            self.assertEqual((answer.status, answer.json), (400, {"detail": "Nama must be in capital letters"}), name)
        for name in ("DENNIS 2", "ÉMILE", "ДЕНИС", "Ⅷ A"):
            self.assertTrue(name.isupper())
            answer = self.server.send_form("POST", "/upload/", [("nik", "1"), ("nama", name), photo])
            self.assertEqual(answer.status, 200, name)

    def test_04_missing_and_empty_fields(self):
        answer = self.server.send_form("POST", "/upload/", [("nik", ""), ("nama", "A")])
        self.assertEqual(answer.status, 422)
        self.assertEqual(answer.text, json.dumps({"detail": [
            {"type": "missing", "loc": ["body", field], "msg": "Field required", "input": None}
            for field in ("nik", "files")]}, separators=(",", ":")))

    def test_05_broken_multipart(self):
        answer = self.server.ask("POST", "/upload/", b"--x\r\nnonsense",
                                 {"Content-Type": "multipart/form-data; boundary=y"})
        self.assertEqual((answer.status, answer.json), (400, {"detail": "There was an error parsing the body"}))
        self.assertIn("x-wajah-error", answer.headers)

    def test_06_success_means_enrolled(self):
        answer = self.server.send_form("POST", "/upload/", [
            ("nik", "1"), ("nama", "A"), ("files", ("good.jpg", self.photos.of(GUL, 1))),
            ("files", ("empty room.png", PIXEL))])
        self.assertEqual(answer.status, 200)
        self.assertIn("Successfully uploaded 1 images", answer.json["message"])
        self.assertIn("empty%20room.png", answer.headers["x-wajah-skipped"])

    def test_07_a_failed_upload_stores_nothing(self):
        good = self.photos.of(GUL, 1)
        answer = self.server.send_form("POST", "/upload/", [
            ("nik", "7"), ("nama", "A"), ("files", ("good.jpg", good)), ("files", ("cut.jpg", good[:3000]))])
        self.assertEqual(answer.status, 400)
        self.assertFalse(answer.json["success"])
        self.assertIn("cut.jpg", answer.json["message"])
        self.assertEqual(self.server.get("/api/v1/people/nik:7").status, 404)

    def test_08_no_tree_unless_asked_for(self):
        self.upload("8", "A")
        self.assertFalse((self.server.data / "train_img").exists())

    def test_09_new_photos_of_a_second_upload_count(self):
        self.upload("9", "A", count=2)
        answer = self.upload("9", "A", count=4)
        self.assertEqual(answer.status, 200)
        self.assertEqual(self.server.get("/api/v1/people/nik:9").json["photos"], 4)

    def test_10_one_nik_is_one_person_and_a_new_name_renames(self):
        self.upload("10", "A")
        self.upload("10", "B")
        people = self.server.get("/api/v1/people?count=true").json
        self.assertEqual((people["total"], people["items"][0]["name"]), (1, "B"))

    def test_11_12_recognisable_when_the_upload_is_answered(self):
        self.upload("11", "ABDULLAH GUL")
        self.upload("12", "ADRIEN BRODY", BRODY)
        answer = self.recognize("12", self.photos.of(BRODY, 5))
        self.assertTrue(answer.json["nik_matched"])

    def test_17_every_face_has_a_result(self):
        for person in (GUL, BRODY, SHARPTON, STRANGER):
            answer = self.recognize("1", self.photos.of(person, 1)).json
            self.assertEqual(len(answer["results"]), answer["face_num"])
            self.assertGreater(answer["face_num"], 0)

    def test_18_a_nik_with_an_underscore_matches(self):
        self.upload("A_1.0-b", "ABDULLAH GUL")
        self.assertTrue(self.recognize("A_1.0-b", self.photos.of(GUL, 5)).json["nik_matched"])

    def test_19_20_a_person_without_usable_photos_shifts_nobody(self):
        self.upload("A", "FIRST")
        refused = self.server.send_form("POST", "/upload/", [("nik", "B"), ("nama", "EMPTY"),
                                                             ("files", ("e.png", PIXEL))])
        self.assertEqual(refused.status, 400)
        self.upload("C", "ADRIEN BRODY", BRODY)
        self.assertEqual(self.recognize("C", self.photos.of(BRODY, 5)).json["results"][0]["nik"], "C")

    def test_21_nobody_and_one_person_enrolled(self):
        answer = self.recognize("1", self.photos.of(GUL, 5))
        self.assertEqual((answer.status, answer.json["results"][0]["name"]), (200, "Unknown"))
        self.upload("21", "ABDULLAH GUL")
        self.assertTrue(self.recognize("21", self.photos.of(GUL, 5)).json["nik_matched"])

    def test_22_a_stranger_is_nobody(self):
        self.upload("1", "ABDULLAH GUL")
        self.upload("2", "ADRIEN BRODY", BRODY)
        answer = self.recognize("1", self.photos.of(STRANGER, 1))
        self.assertIsNone(answer.json["results"][0]["nik"])
        self.assertFalse(answer.json["nik_matched"])

    def test_23_24_the_reply_s_keys_and_texts(self):
        self.upload("23", "ABDULLAH GUL")
        answer = self.recognize("23", self.photos.of(GUL, 5))
        self.assertRegex(answer.text, r'^\{"results":\[\{"nik":"23","name":"ABDULLAH GUL","accuracy":0\.\d+\}\],'
                                      r'"nik_input":"23","nik_matched":true,"face_num":1,'
                                      r'"message":"ABDULLAH GUL TERDETEKSI"\}$')

    def test_25_no_face(self):
        answer = self.recognize("1", PIXEL)
        self.assertEqual((answer.status, answer.text), (
            200, '{"results":[],"nik_input":"1","nik_matched":false,"face_num":0,"message":"Wajah Tidak Dikenali"}'))

    def test_26_a_wrong_claim_is_not_matched(self):
        self.upload("26", "ABDULLAH GUL")
        answer = self.recognize("other", self.photos.of(GUL, 5)).json
        self.assertFalse(answer["nik_matched"])
        self.assertEqual((answer["results"][0]["nik"], answer["message"]), ("26", "Wajah Tidak Dikenali"))

    def test_27_undecodable_pictures(self):
        for picture in (b"text", b"\xff\xd8\xff\xe0 cut"):
            answer = self.recognize("1", picture)
            self.assertEqual((answer.status, answer.text),
                             (400, '{"message":"An error occurred during face recognition"}'))

    def test_28_the_orientation_that_a_phone_notes_is_applied(self):
        upright = self.photos.of(GUL, 5)
        eyes_above_mouth = []
        for orientation in (1, 3):
            found = self.server.send_form("POST", "/api/v1/detect", [
                ("image", ("p.jpg", with_orientation(upright, orientation)))]).json
            self.assertEqual(found["image"]["orientation_applied"], orientation)
            points = found["faces"][0]["landmarks"]
            eyes_above_mouth.append(points[0][1] < points[3][1])
        self.assertEqual(eyes_above_mouth, [True, False])

    def test_29_both_paths_answer(self):
        for target in ("/recognize", "/recognize/", "/recognize/?9090", "/recognize?x=%20y"):
            self.assertEqual(self.recognize("1", PIXEL, target).status, 200, target)

    def test_30_probes_other_paths_and_verbs(self):
        self.assertEqual(self.server.get("/").status, 200)
        lost = self.server.get("/nowhere")
        self.assertEqual((lost.status, lost.text), (404, '{"detail":"Not Found"}'))
        verb = self.server.get("/upload/")
        self.assertEqual((verb.status, verb.text), (405, '{"detail":"Method Not Allowed"}'))

    def test_31_documentation(self):
        for path in ("/docs", "/redoc", "/docs/plain"):
            self.assertEqual(self.server.get(path).headers["content-type"], "text/html; charset=utf-8")
        self.assertEqual(self.server.get("/openapi.json").json["openapi"], "3.1.0")

    def test_32_delete_with_a_form_body(self):
        for send in (self.server.send_form, self.server.send_urlencoded):
            self.upload("32", "ABDULLAH GUL")
            answer = send("DELETE", "/hapus/", [("nik_hapus", "32"), ("nama", "ABDULLAH GUL")])
            self.assertEqual((answer.status, answer.text), (
                200, '{"success":true,"message":"Successfully deleted data for NIK 32, Name ABDULLAH GUL and '
                     'retrained the model","training_success":true}'))

    def test_33_the_deleted_are_gone_and_the_unknown_are_404(self):
        self.upload("33", "ABDULLAH GUL")
        self.assertEqual(self.remove("33", "SOMEBODY").status, 404)
        self.assertEqual(self.remove("33", "ABDULLAH GUL").status, 200)
        self.assertFalse(self.recognize("33", self.photos.of(GUL, 5)).json["nik_matched"])
        answer = self.remove("33", "ABDULLAH GUL")
        self.assertEqual((answer.status, answer.json["success"]), (404, False))

    def test_34_no_nik_leaves_the_data_folder(self):
        before = sorted(p.name for p in self.server.data.parent.iterdir())
        for nik in ("..", "../x", "/etc", ".hidden", "a/b", "a" * 65):
            answer = self.server.send_form("POST", "/upload/", [("nik", nik), ("nama", "A"),
                                                                ("files", ("a.jpg", self.photos.of(GUL, 1)))])
            self.assertEqual(answer.status, 400, nik)
            self.assertEqual(self.remove(nik, "A").status, 404, nik)
        self.assertEqual(sorted(p.name for p in self.server.data.parent.iterdir()), before)

    def log_lines(self):
        day = datetime.datetime.now(zoneinfo.ZoneInfo("Asia/Jakarta")).strftime("%d-%m-%Y")
        return (self.server.data / "logging" / f"logging_{day}.txt").read_text().splitlines()

    def test_35_the_daily_log(self):
        self.upload("35", "ABDULLAH GUL")
        self.recognize("35", self.photos.of(GUL, 5))
        self.assertRegex(self.log_lines()[-1],
                         r"^\d\d:\d\d:\d\d - NIK: 35, Name: ABDULLAH GUL, Accuracy: 0\.\d+, Matched: True$")
        self.recognize("other", self.photos.of(GUL, 5))
        self.assertRegex(self.log_lines()[-1], r"^\S+ - NIK: other, Name: Unknown, Accuracy: 0\.0, Matched: False$")

    def test_36_a_newline_forges_no_line(self):
        before = len(self.log_lines()) if list(self.server.data.glob("logging/*")) else 0
        self.recognize("1\n08:00:00 - NIK: 1, Name: BOSS, Accuracy: 1.0, Matched: True", PIXEL)
        lines = self.log_lines()
        self.assertEqual(len(lines), before + 1)
        self.assertTrue(lines[-1].endswith("Matched: False"))

    def test_40_recognitions_do_not_wait_for_one_another(self):
        slow = socket.create_connection(("127.0.0.1", self.server.port))
        slow.sendall(b"POST /recognize/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")
        self.assertEqual(self.recognize("1", PIXEL).status, 200)
        slow.close()

    def test_41_a_restart_forgets_nothing(self):
        self.upload("41", "ABDULLAH GUL")
        self.server.stop()
        again = Server(BINARY, options() + self.extra, data=self.server.data)
        again.wait_until_ready()
        again.folder, self.server.folder = self.server.folder, again.folder
        again.validator = self.description.check
        self.server.folder.cleanup()
        type(self).server = again
        self.assertTrue(self.recognize("41", self.photos.of(GUL, 5)).json["nik_matched"])


class Switches(Case):
    """The original's habits that can be switched back on."""

    config = "[compat]\ntree = true\nredirect_slash = true\ndisclose_other = false\nerrors_500 = true\n"

    def test_08_the_folders_as_the_original_had_them(self):
        self.upload("8", "ABDULLAH GUL")
        names = [f"ABDULLAH GUL ({i})" for i in (1, 2, 3)]
        for tree, ending, magic in (("train_img", "jpg", b"\xff\xd8"), ("aligned_img", "png", b"\x89PNG")):
            folder = self.server.data / tree / "8" / "ABDULLAH GUL"
            self.assertEqual(sorted(p.name for p in folder.iterdir()), [f"{name}.{ending}" for name in names])
            self.assertTrue((folder / f"{names[0]}.{ending}").read_bytes().startswith(magic))
        self.remove("8", "ABDULLAH GUL")
        self.assertFalse((self.server.data / "train_img" / "8").exists())

    def test_26_a_wrong_claim_learns_no_name(self):
        self.upload("26", "ABDULLAH GUL")
        answer = self.recognize("other", self.photos.of(GUL, 5), "/recognize/")
        self.assertEqual(answer.json["results"][0]["name"], "Unknown")
        self.assertNotIn("GUL", answer.text)

    def test_27_undecodable_is_500(self):
        answer = self.recognize("1", b"text")
        self.assertEqual((answer.status, answer.text),
                         (500, '{"message":"An error occurred during face recognition"}'))

    def test_29_the_bare_path_is_redirected(self):
        answer = self.server.ask("POST", "/recognize?9090", b"", {"Content-Type": "text/plain"})
        self.assertEqual((answer.status, answer.headers["location"]),
                         (307, f"http://127.0.0.1:{self.server.port}/recognize/?9090"))


class Version1(Case):
    def test_enrol_recognise_attend_delete(self):
        made = self.server.send_json("POST", "/api/v1/people", {"nik": "900", "name": "AL SHARPTON"})
        self.assertEqual(made.status, 201)
        path = f"/api/v1/people/{made.json['id']}"
        faces = self.server.send_form("POST", f"{path}/faces", [
            ("images", (f"{i}.jpg", self.photos.of(SHARPTON, i))) for i in range(1, 5)])
        self.assertEqual((faces.status, faces.json["stored"]), (201, 4))
        photo = self.photos.of(SHARPTON, 5)
        seen = self.server.send_form("POST", "/api/v1/recognize", [("image", ("p.jpg", photo))])
        self.assertEqual(seen.json["faces"][0]["person"]["nik"], "900")
        checked = self.server.ask("POST", "/api/v1/attendance/check", photo, {"Content-Type": "image/jpeg"})
        self.assertEqual((checked.status, checked.json["event"]["direction"]), (201, "in"))
        again = self.server.send_form("POST", "/api/v1/attendance/check", [("image", ("p.jpg", photo)), ("nik", "900")])
        self.assertEqual((again.status, again.json["event"]["duplicate_of"]), (200, checked.json["event"]["id"]))
        for format, magic in (("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK"), ("json", b"{")):
            export = self.server.get(f"/api/v1/attendance/export?format={format}")
            self.assertTrue(export.body.startswith(magic), format)
        erased = self.server.ask("DELETE", f"{path}?erase=true")
        self.assertEqual((erased.status, erased.json["photos"]), (200, 4))
        seen = self.server.send_form("POST", "/api/v1/recognize", [("image", ("p.jpg", photo))])
        self.assertIsNone(seen.json["faces"][0]["person"])

    def test_every_route_answers_as_described_whatever_it_is_sent(self):
        rubbish = [(None, {}), (b"{", {"Content-Type": "application/json"}), (b"{}", {"Content-Type": "application/json"}),
                   (b"x", {"Content-Type": "image/jpeg"}), (b"x", {"Content-Type": "text/plain"})]
        for path, verbs in self.server.get("/openapi.json").json["paths"].items():
            if path.endswith("/events") and "attendance" not in path:
                continue  # these answers go on
            for verb in verbs:
                for body, headers in rubbish:
                    target = re.sub(r"\{[^}]*\}", "p_999999", path)
                    answer = self.server.ask(verb.upper(), target, body, headers)
                    self.assertLess(answer.status, 500, f"{verb} {target} {body}: {answer.text[:200]}")
        self.assertGreater(self.description.checked, 200)

    def test_problems_have_stable_codes_and_hints(self):
        answer = self.server.send_json("POST", "/api/v1/people", {"nik": "1"})
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        problem = answer.json
        self.assertEqual((problem["status"], problem["code"]), (422, "validation_failed"))
        self.assertTrue(problem["hint"])
        self.assertEqual(problem["errors"][0]["loc"], ["body", "name"])
        self.assertEqual(problem["request_id"], answer.headers["x-request-id"])
        page = self.server.get(problem["type"])
        self.assertEqual(page.headers["content-type"], "text/html; charset=utf-8")


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

if __name__ == "__main__":
    if not BINARY:
        sys.exit("contract.py BINARY: the program to test, build/wajah")
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
