"""The winner's folder: weights, exported programs, scores, model card. Imports terms, storage and
record."""
