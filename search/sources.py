"""From options to where the images come from."""

from models.dataset import Source
from search.options import DataOptions


def source_of(options: DataOptions) -> Source:
    """The folder that is named, as an absolute path; else the data set of that name."""
    folder = None if options.data_dir is None else str(options.data_dir.expanduser().resolve())
    return Source(options.dataset, folder, options.image_size)
