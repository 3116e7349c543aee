"""Lanes: Ray Tune actors with a Ray Train worker group each, which train one trial after
another; the workers' training code, their connection to the lane, and the classification of
failures (design, machine or run). Imports terms, storage, record and cluster."""
