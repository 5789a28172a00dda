"""The original service's behaviours that are switched: its habits that can be had back, keys, and built-in weights."""

import struct
import subprocess

from case import BINARY, DATA, GUL, PIXEL, SHARPTON, Case, with_orientation


class Switches(Case):
    """The original's habits that can be switched back on."""

    config = "[compat]\nignore_exif = true\ntree = true\nredirect_slash = true\ndisclose_other = false\nerrors_500 = true\n"

    def test_08_the_folders_as_the_original_had_them(self):
        self.upload("8", "ABDULLAH GUL")
        names = [f"ABDULLAH GUL ({i})" for i in (1, 2, 3)]
        for tree, ending, magic in (("train_img", "jpg", b"\xff\xd8"), ("aligned_img", "png", b"\x89PNG")):
            folder = self.server.data / tree / "8" / "ABDULLAH GUL"
            self.assertEqual(sorted(p.name for p in folder.iterdir()), [f"{name}.{ending}" for name in names])
            self.assertTrue((folder / f"{names[0]}.{ending}").read_bytes().startswith(magic))
        size = struct.unpack(">II", (folder / f"{names[0]}.png").read_bytes()[16:24])
        self.assertEqual(size, (182, 182))
        self.remove("8", "ABDULLAH GUL")
        self.assertFalse((self.server.data / "train_img" / "8").exists())

    def test_08_the_folders_follow_every_route(self):
        made = self.server.send_json("POST", "/api/v1/people", {"nik": "81", "name": "AL SHARPTON"}).json
        path = f"/api/v1/people/{made['id']}"
        self.server.send_form("POST", f"{path}/faces", [
            ("images", (f"{i}.jpg", self.photos.of(SHARPTON, i))) for i in (1, 2)])
        folder = self.server.data / "train_img" / "81"
        photos = sorted((folder / "AL SHARPTON").iterdir())
        self.assertEqual([p.name for p in photos], ["AL SHARPTON (1).jpg", "AL SHARPTON (2).jpg"])
        self.assertEqual([p.stat().st_mode & 0o777 for p in photos], [0o600, 0o600])
        self.server.send_json("PATCH", path, {"name": "AL"})
        self.assertEqual([p.name for p in folder.iterdir()], ["AL"])
        erased = self.server.ask("DELETE", f"{path}?erase=true")
        self.assertEqual((erased.status, erased.json["left_over"]), (200, []))
        self.assertFalse(folder.exists())
        self.assertFalse((self.server.data / "aligned_img" / "81").exists())

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
                         (307, "/recognize/?9090"))

    def test_28_orientation_tags_are_left_alone(self):
        found = self.server.send_form("POST", "/api/v1/detect", [
            ("image", ("p.jpg", with_orientation(self.photos.of(GUL, 5), 6)))]).json
        self.assertEqual(found["image"]["orientation_applied"], 1)

    def test_13_the_preprocessing_of_a_tree(self):
        folder = self.server.data.parent / "old"
        person = folder / "train_img" / "13" / "ABDULLAH GUL"
        person.mkdir(parents=True)
        for i in (1, 2):
            (person / f"ABDULLAH GUL ({i}).jpg").write_bytes(self.photos.of(GUL, i))
        (person / "empty.png").write_bytes(PIXEL)
        done = subprocess.run([BINARY, "align", "--original-tree", folder, "--mtcnn", DATA / "mtcnn"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.endswith(
            "Total number of images: 3\nNumber of successfully aligned images: 2\n"), done.stdout)
        aligned = folder / "aligned_img" / "13" / "ABDULLAH GUL" / "ABDULLAH GUL (1).png"
        self.assertEqual(struct.unpack(">II", aligned.read_bytes()[16:24]), (182, 182))
        boxes = (folder / "aligned_img" / "bounding_boxes_00000.txt").read_text().splitlines()
        self.assertRegex(boxes[0], r"\(1\)\.png( \d+){4}$")
        self.assertTrue(boxes[2].endswith("empty.png"))


class Keys(Case):
    """The original's routes behind keys, as they are wherever others than this machine can reach them."""

    config = "[auth]\nrequired = true\n"

    def test_37_nobody_enrols_or_deletes_without_a_key(self):
        for answer in (self.upload("37", "A"), self.recognize("37", PIXEL), self.remove("37", "A")):
            self.assertEqual(answer.status, 401)
        people = self.server.get("/api/v1/people", {"Authorization": f"Bearer {self.server.key}"}).json
        self.assertEqual(people["items"], [])


class Open(Keys):
    config = "[auth]\nrequired = true\noriginal_routes = \"open\"\n"

    def test_37_nobody_enrols_or_deletes_without_a_key(self):
        """Unless the operator has opened these three routes, and only these."""
        self.assertEqual(self.upload("37", "A").status, 200)
        self.assertEqual(self.remove("37", "A").status, 200)
        self.assertEqual(self.server.get("/api/v1/people").status, 401)


class BuiltIn(Case):
    """The program with nothing but itself."""

    weights = []

    def test_15_embeddings_of_512_numbers(self):
        answer = self.server.ask("POST", "/api/v1/embed", self.photos.of(GUL, 5), {"Content-Type": "image/jpeg"})
        if answer.status == 503:
            self.skipTest("this build has no weights of its own")
        embedding = answer.json["faces"][0]["embedding"]
        self.assertEqual(len(embedding), 512)
        self.assertAlmostEqual(sum(value * value for value in embedding), 1, places=4)
