"""The original service's routes: a case for each of the 41 behaviours of behaviours.py, by its number."""

import datetime
import json
import re
import socket
import subprocess
import threading
import time
import zoneinfo

from case import BINARY, BRODY, DATA, GUL, PIXEL, SHARPTON, STRANGER, Case, options, with_orientation
from server import Server


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

    def test_11_19_an_upload_delays_no_recognition(self):
        """While photos are enrolled and the model is made anew, recognitions are answered, by the former model."""
        self.upload("11", "ABDULLAH GUL")
        photo = self.photos.of(GUL, 5)
        before = self.seconds_of(lambda: self.recognize("11", photo))
        files = [("files", (f"{i}.jpg", self.photos.of(BRODY, i))) for i in range(1, 13)] * 4
        uploads = [threading.Thread(target=self.server.send_form, args=(
            "POST", "/upload/", [("nik", f"19-{n}"), ("nama", "ADRIEN BRODY"), *files])) for n in range(2)]
        for upload in uploads:
            upload.start()
        times = []
        while any(upload.is_alive() for upload in uploads):
            answer = []
            times.append(self.seconds_of(lambda: answer.append(self.recognize("11", photo))))
            self.assertTrue(answer[0].json["nik_matched"])
        for upload in uploads:
            upload.join()
        self.assertGreater(len(times), 2)
        self.assertLess(sorted(times)[len(times) // 2], 10 * before + 0.2)
        self.assertFalse(list(self.server.data.rglob("*.pkl")))

    @staticmethod
    def seconds_of(call):
        begun = time.monotonic()
        call()
        return time.monotonic() - begun

    def test_14_of_several_faces_the_large_central_one_is_enrolled(self):
        group = (DATA / "photos" / "multiface.jpg").read_bytes()
        found = self.server.ask("POST", "/api/v1/detect", group, {"Content-Type": "image/jpeg"}).json
        self.assertGreater(len(found["faces"]), 1)
        centre = found["image"]["width"] / 2, found["image"]["height"] / 2

        def prominence(face):
            box = face["box"]
            x, y = box["x"] + box["width"] / 2 - centre[0], box["y"] + box["height"] / 2 - centre[1]
            return box["width"] * box["height"] - 2 * (x * x + y * y)

        meant = max(found["faces"], key=prominence)
        with Server(BINARY, options() + ["--strictness", "off"]) as server:
            server.wait_until_ready()
            stored = server.send_form("POST", "/upload/", [("nik", "14"), ("nama", "CENTRE"), ("files", ("g.jpg", group))])
            self.assertEqual(stored.status, 200)
            seen = server.ask("POST", "/api/v1/recognize", group, {"Content-Type": "image/jpeg"}).json
        known = [face for face in seen["faces"] if face["decision"] == "known"]
        self.assertEqual([face["box"] for face in known], [meant["box"]])

    def test_16_38_constants_of_the_original_are_the_defaults(self):
        shown = subprocess.run([BINARY, "serve", "--print-config"], capture_output=True, text=True, check=True).stdout
        values = dict(re.findall(r"^([\w.]+) = (\S+)", shown, re.M))
        for name, value in {"server.listen": '"127.0.0.1:8006"', "attendance.zone": '"Asia/Jakarta"',
                            "pipeline.enrol_min_face": "20", "pipeline.recognise_min_face": "30",
                            "match.accuracy": "0.7", "gpu.memory_fraction": "0.6"}.items():
            self.assertEqual(values.get(name), value, name)
        refused = subprocess.run([BINARY, "serve", "--gpu-memory-fraction", "1.5"], capture_output=True, text=True)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("from 0.05 to 1", refused.stderr)

    def test_16_smaller_faces_are_not_looked_for(self):
        photo = self.photos.of(GUL, 5)
        self.assertEqual(self.recognize("1", photo).json["face_num"], 1)
        with Server(BINARY, options() + ["--pipeline-recognise-min-face", "1000"]) as server:
            server.wait_until_ready()
            answer = server.send_form("POST", "/recognize/", [("nik_input", "1"), ("file", ("p.jpg", photo))])
            self.assertEqual(answer.json["face_num"], 0)

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

    def test_37_limits_and_no_cors(self):
        large = socket.create_connection(("127.0.0.1", self.server.port))
        large.sendall(b"POST /recognize/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10485761\r\n\r\n")
        reply = b"".join(iter(lambda: large.recv(4096), b"")).decode()  # before the body is sent
        large.close()
        self.assertTrue(reply.startswith("HTTP/1.1 413 "), reply)
        self.assertTrue(reply.endswith('{"detail":"The request body is larger than 10485760 bytes"}'), reply)
        answer = self.server.ask("POST", "/recognize/", b"", {"Origin": "https://elsewhere.example"})
        self.assertEqual(answer.status, 403)
        self.assertNotIn("access-control-allow-origin", answer.headers)

    def test_39_the_webcam_program(self):
        commands = subprocess.run([BINARY, "--help"], capture_output=True, text=True, check=True).stdout
        if not re.search(r"^  live ", commands, re.M):
            self.skipTest("this program has no `wajah live` yet")
        self.assertEqual(subprocess.run([BINARY, "live", "--help"], capture_output=True).returncode, 0)

    def test_40_recognitions_do_not_wait_for_one_another(self):
        slow = socket.create_connection(("127.0.0.1", self.server.port))
        slow.sendall(b"POST /recognize/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")
        self.assertEqual(self.recognize("1", PIXEL).status, 200)
        slow.close()

    def test_41_a_restart_forgets_nothing(self):
        self.upload("41", "ABDULLAH GUL")
        self.server.stop()
        again = Server(BINARY, options(), data=self.server.data)
        again.wait_until_ready()
        again.folder, self.server.folder = self.server.folder, again.folder
        again.validator = self.description.check
        self.server.folder.cleanup()
        type(self).server = again
        self.assertTrue(self.recognize("41", self.photos.of(GUL, 5)).json["nik_matched"])
