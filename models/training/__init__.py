"""One training: batches and augmentation on the device, optimizer and learning rate schedule,
epochs from a seed or a checkpoint, the choice of precision by measurement, scores on images, and
the network as an ONNX file. Imports models and models.data."""
