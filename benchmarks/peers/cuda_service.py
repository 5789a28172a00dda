"""JPEG bytes to names over HTTP: 16 photos in one request, and 16 requests at once, on a device and on the CPU.

    python cuda_service.py WAJAH SHARED_DATA_FOLDER [--device cuda|cpu] [--requests N] [--precision P]
"""

import argparse
import concurrent.futures
import contextlib
import json
import subprocess
import tempfile
import time
from pathlib import Path

import table
from interleaved import rounds
from service import PEOPLE, PHOTO, Client, enrol, free_port, multipart, unpack, wait_until_ready

BATCH, TWICE = 16, 3


def photos_for(people, shared):
    """16 photos: those of the enrolled people, again and again, and a larger one."""
    found = sorted(path for nik in PEOPLE.values() for path in (people / nik).glob("*.jpg"))
    return [(found[i % len(found)] if i % 4 else shared / PHOTO).read_bytes() for i in range(BATCH)]


def batch_of(port, photos):
    """A function that has all photos recognised by one request; gives how many of them have a name."""
    body, headers = multipart({}, [("images", photo) for photo in photos])
    client = Client(port)

    def work():
        answer = json.loads(client.post("/api/v1/recognize:batch", body, headers))
        return sum(any(face["decision"] == "known" for face in result["faces"]) for result in answer["items"])

    return work


def at_once(port, photos):
    """The same by a client a photo."""
    requests = [multipart({"nik_input": "1001"}, [("file", photo)]) for photo in photos]
    clients, pool = [Client(port) for _ in photos], concurrent.futures.ThreadPoolExecutor(len(photos))
    return lambda: list(pool.map(lambda i: clients[i].post("/recognize/", *requests[i]), range(len(photos))))


@contextlib.contextmanager
def server(binary, shared, graph, people, data, *options):
    """The port of a service with these people, for as long as the block lasts."""
    port = free_port()
    process = subprocess.Popen([binary, "serve", "--listen", f"127.0.0.1:{port}", "--data", data, "--weights", graph, "--mtcnn",
                                shared / "mtcnn", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_ready(process, port, "/readyz")
        enrol(port, people)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def milliseconds_a_photo(work, count):
    """A contender: the median of `count` batches, whatever time there is."""

    def burst(_):
        work()
        times = []
        for _ in range(count):
            began = time.perf_counter()
            work()
            times.append(1000 * (time.perf_counter() - began) / BATCH)
        return sorted(times)[len(times) // 2]

    return burst


def rows(binary, shared, device="cuda", precision="auto", count=10):
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as started:
        graph, people = unpack(shared, Path(folder))
        photos = photos_for(people, shared)
        ports = {"wajah": started.enter_context(server(binary, shared, graph, people, f"{folder}/one", "--device", device,
                                                       "--precision", precision)),
                 "wajah on the CPU": started.enter_context(server(binary, shared, graph, people, f"{folder}/other", "--device",
                                                                  "cpu"))}
        version = json.loads(Client(ports["wajah"]).get("/version"))
        if not version["device"].startswith(device.split(":")[0]):
            raise RuntimeError(f"the service computes on {version['device']}, not on {device}")
        for words, maker in ((f"{BATCH} photos in one request", batch_of), (f"{BATCH} requests at once", at_once)):
            works = {name: maker(port, photos) for name, port in ports.items()}
            if maker is batch_of:
                named = {name: work() for name, work in works.items()}
                if named["wajah"] < BATCH // 2 or len(set(named.values())) > 1:
                    raise RuntimeError(f"photos with a name: {named}, expected most of {BATCH} on both")
            figures = rounds({name: milliseconds_a_photo(work, count) for name, work in works.items()}, TWICE, 0)
            ours = figures.pop("wajah")
            yield table.row(f"HTTP, {words}, on {version['device']}, ms a photo", ours, figures, None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=Path)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--requests", type=int, default=10)
    given = parser.parse_args()
    print(table.text(list(rows(given.binary.resolve(), given.shared, given.device, given.precision, given.requests))))


if __name__ == "__main__":
    main()
