"""Loads the data set that the options name, and checks the options of data."""

from rich.console import Console

from models.data.dataset import Dataset, Source, prepare
from search.cli.options import DataOptions
from search.record.run_folder import of_home

MOST_SEED = 2**31 - 1


def source_of(options: DataOptions) -> Source:
    """The source of the images: --data-dir as an absolute path, else the data set by name.
    ValueError where the path begins with a home folder that does not exist."""
    folder = None if options.data_dir is None else str(of_home(options.data_dir).resolve())
    return Source(options.dataset, folder, options.image_size, options.alpha)


def prepared(options: DataOptions, console: Console) -> Dataset:
    """The data set that `options` name; prints a line before each slow step."""
    return prepare(source_of(options), lambda line: _print(console, line))


def print_notices(dataset: Dataset, console: Console) -> None:
    """Prints a line for each of the data set's notices."""
    for notice in dataset.notices:
        _print(console, f"Notice: {notice}")


def _print(console: Console, line: str) -> None:
    # Names of folders and classes may look like the console's markup.
    console.print(line, soft_wrap=True, highlight=False, markup=False)


def check_data_options(options: DataOptions) -> None:
    """Raises ValueError for options of data that are invalid whatever the data."""
    require_positive("train_images", options.train_images)
    require_positive("image_size", options.image_size)
    if options.image_size is not None and options.data_dir is None:
        raise ValueError("--image-size is for the images of --data-dir")
    if options.alpha != "white" and options.data_dir is None:
        raise ValueError("--alpha is for the images of --data-dir")
    if not 0 <= options.seed <= MOST_SEED:
        raise ValueError(f"--seed {options.seed}: 0 to {MOST_SEED}")


def require_positive(name: str, value: int | None) -> None:
    """Raises ValueError where option `name` is given and below 1."""
    if value is not None and value < 1:
        raise ValueError(f"--{name.replace('_', '-')} {value}: at least 1")
