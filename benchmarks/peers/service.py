"""A photo's bytes to a name over HTTP: wajah against the original service's stack, same weights, same photo, same people.

    python service.py WAJAH SHARED_DATA_FOLDER [--requests N]
"""

import argparse
import concurrent.futures
import contextlib
import http.client
import lzma
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import table
from interleaved import rounds

PEOPLE = {"Abdullah_Gul": "1001", "Al_Sharpton": "1002", "Aaron_Peirsol": "1003", "Adrien_Brody": "1004"}
PHOTO, CLIENTS = "photos/phone_720x1080.jpg", 8
LATENCY_AT_MOST = THROUGHPUT_AT_MOST = 0.1  # of the original's time a photo


def multipart(fields, files):
    edge = "----------------wajah-peers"
    body = b"".join(f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
                    for name, value in fields.items())
    for name, content in files:
        body += (f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="p.jpg"\r\n'
                 "Content-Type: image/jpeg\r\n\r\n").encode() + content + b"\r\n"
    return body + f"--{edge}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={edge}"}


class Client:
    """One connection that stays open."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, body, headers):
        return self.ask("POST", path, body, headers)

    def ask(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, headers or {})
        reply = self.connection.getresponse()
        content = reply.read()
        if reply.status != 200:
            raise RuntimeError(f"{method} {path}: {reply.status} {content[:200]}")
        return content


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(process, port, path):
    for _ in range(1200):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"nothing answers {path} on port {port}")


def recognise(port, photo):
    body, headers = multipart({"nik_input": "1001"}, [("file", photo)])
    client = Client(port)
    return lambda: client.post("/recognize/", body, headers)


def latencies(works, count):
    """Milliseconds of `count` requests of each, in turn."""
    times = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(count):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            times[name].append(1000 * (time.perf_counter() - began))
    return times


def milliseconds_a_photo(port, photo, seconds):
    """With several clients at once, all saturated."""

    def client():
        work, done, end = recognise(port, photo), 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            work()
            done += 1
        return done

    began = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        photos = sum(pool.map(lambda _: client(), range(CLIENTS)))
    return 1000 * (time.perf_counter() - began) / photos


def enrol(port, people):
    for name, nik in PEOPLE.items():
        photos = [photo.read_bytes() for photo in sorted((people / nik).glob("*.jpg"))]
        Client(port).post("/upload/", *multipart({"nik": nik, "nama": name.replace("_", " ").upper()},
                                                 [("files", photo) for photo in photos]))


def unpack(shared, folder):
    """The frozen graph and a folder of people, five photos each at most."""
    graph, people = folder / "graph.pb", folder / "people"
    graph.write_bytes(lzma.decompress((shared / "irv1_distilled.pb.xz").read_bytes()))
    with tarfile.open(shared / "lfw_train_dev.tar") as tar:
        for member in tar:
            parts = Path(member.name).parts
            if len(parts) == 3 and parts[1] in PEOPLE:
                target = people / PEOPLE[parts[1]]
                target.mkdir(parents=True, exist_ok=True)
                if len(list(target.iterdir())) < 5:
                    (target / parts[2]).write_bytes(tar.extractfile(member).read())
    return graph, people


@contextlib.contextmanager
def servers(binary, shared, folder):
    """{name: port} of both services with the same people, for as long as the block lasts."""
    here = Path(__file__).resolve().parent
    graph, people = unpack(shared, Path(folder))
    ports = {"wajah": free_port(), "the original's stack": free_port()}
    commands = {"wajah": ([binary, "serve", "--listen", f"127.0.0.1:{ports['wajah']}", "--data", f"{folder}/data", "--weights",
                           graph, "--mtcnn", shared / "mtcnn"], "/readyz"),
                "the original's stack": ([sys.executable, "-B", here / "original_service.py", shared / "mtcnn", graph, people,
                                          str(ports["the original's stack"])], "/")}
    started = []
    try:
        for name, (command, path) in commands.items():
            started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            wait_until_ready(started[-1], ports[name], path)
        enrol(ports["wajah"], people)
        yield ports
    finally:
        for server in started:
            server.terminate()
        for server in started:
            server.wait(30)


def rows(binary, shared, count=40, seconds=3):
    with tempfile.TemporaryDirectory() as folder, servers(binary, shared, folder) as ports:
        photo = (shared / PHOTO).read_bytes()
        times = latencies({name: recognise(port, photo) for name, port in ports.items()}, count)
        ours = times.pop("wajah")
        yield table.row("HTTP, 720x1080 photo to a name, one client, median", ours, times, LATENCY_AT_MOST)
        p99 = {name: [statistics.quantiles(values, n=100)[98]] for name, values in {"wajah": ours, **times}.items()}
        ours = p99.pop("wajah")
        yield table.row("HTTP, 720x1080 photo to a name, one client, p99", ours, p99, LATENCY_AT_MOST)
        figures = rounds({name: lambda s, p=port: milliseconds_a_photo(p, photo, s) for name, port in ports.items()}, 3, seconds)
        ours = figures.pop("wajah")
        yield table.row(f"HTTP, the same, {CLIENTS} clients, ms a photo", ours, figures, THROUGHPUT_AT_MOST)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=Path)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--requests", type=int, default=40)
    given = parser.parse_args()
    print(table.text(list(rows(given.binary.resolve(), given.shared, given.requests))))


if __name__ == "__main__":
    main()
