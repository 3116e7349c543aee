"""Labelled images: built-in sets and folders of image files, found, decoded, brought to one
size, cached, checked for copies and class sizes, and split into those that train and those that
validate. Imports models."""
