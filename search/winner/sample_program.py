"""winner/classify.py: a short program that uses model.onnx without kneepoint."""

TEXT = '''"""python classify.py photo.jpg: what model.onnx takes a photo for.

Needs: pip install numpy onnxruntime pillow
"""
import json, sys
from pathlib import Path

import numpy as np, onnxruntime
from PIL import Image, ImageOps

network = onnxruntime.InferenceSession(Path(__file__).with_name("model.onnx"))
classes = json.loads(network.get_modelmeta().custom_metadata_map["classes"])
channels, height, width = network.get_inputs()[0].shape[1:]
for name in sys.argv[1:]:
    # As in training: upright, in its colours, in proportion.
    photo = ImageOps.exif_transpose(Image.open(name)).convert("L" if channels == 1 else "RGB")
    pixels = np.asarray(ImageOps.pad(photo, (width, height)), np.float32) / 255
    images = pixels.reshape(1, height, width, channels).transpose(0, 3, 1, 2)
    logits = network.run(None, {"images": images})[0][0]
    probabilities = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    best = probabilities.argmax()
    print(f"{name}  {classes[best]}  {probabilities[best]:.1%}")
'''
