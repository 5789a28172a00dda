"""The original service's recognition on its own stack: FastAPI, one worker, TensorFlow, scikit-learn, one request at a
time as its blocking handlers have it. Serves POST /recognize/ for the people of a folder.

    python original_service.py MTCNN_FOLDER GRAPH.pb PEOPLE_FOLDER PORT        PEOPLE_FOLDER/<nik>/<photo>.jpg
"""

import sys
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import uvicorn
from fastapi import FastAPI, File, Form, UploadFile
from PIL import Image
from sklearn.svm import SVC

import original

CROP, FIRST_RESIZE = 160, 182


def prewhiten(crop):
    crop = crop.astype(np.float32)
    return (crop - crop.mean()) / max(crop.std(), 1 / np.sqrt(crop.size))


class Pipeline:
    def __init__(self, mtcnn, graph, people):
        self.detector, self.embedder = original.Detector(mtcnn), original.Embedder(graph)
        self.classes = sorted(folder.name for folder in Path(people).iterdir())
        rows, labels = [], []
        for label, nik in enumerate(self.classes):
            for photo in sorted((Path(people) / nik).glob("*.jpg")):
                faces = self.crops(np.array(Image.open(photo).convert("RGB")), 20, (0.5, 0.6, 0.6))
                if faces:
                    rows.append(self.embedder.embed(np.stack(faces[:1]))[0])
                    labels.append(label)
        self.svm = SVC(kernel="linear", probability=True).fit(np.stack(rows), labels)

    def crops(self, image, min_size, thresholds):
        boxes, _ = self.detector.detect(image, min_size, thresholds)
        height, width = image.shape[:2]
        found = []
        for x1, y1, x2, y2 in boxes[:, :4].astype(int):
            face = image[max(0, y1):min(height, y2), max(0, x1):min(width, x2)]
            if face.size:
                first = np.array(Image.fromarray(face).resize((FIRST_RESIZE, FIRST_RESIZE), Image.BILINEAR))
                found.append(prewhiten(cv2.resize(first, (CROP, CROP), interpolation=cv2.INTER_CUBIC)))
        return found

    def recognise(self, content):
        image = np.array(Image.open(BytesIO(content)).convert("RGB"))
        results = []
        for crop in self.crops(image, 30, (0.7, 0.8, 0.8)):
            probabilities = self.svm.predict_proba(self.embedder.embed(crop[None]))[0]
            best = int(np.argmax(probabilities))
            sure = bool(probabilities[best] > 0.7)
            results.append({"nik": self.classes[best] if sure else None, "name": self.classes[best] if sure else "Unknown",
                            "accuracy": float(probabilities[best])})
        return results


def main():
    mtcnn, graph, people, port = sys.argv[1:5]
    pipeline, app = Pipeline(mtcnn, graph, people), FastAPI()

    @app.get("/")
    async def ready():
        return {}

    @app.post("/recognize/")
    async def recognize(nik_input: str = Form(...), file: UploadFile = File(...)):
        results = pipeline.recognise(await file.read())
        return {"results": results, "nik_input": nik_input, "face_num": len(results)}

    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="error")


if __name__ == "__main__":
    main()
