"""With which options a run goes on, and when it does not."""

import dataclasses
import json
from pathlib import Path

import pytest

from analysis.run import run_folder
from models.design import Design, to_dict
from search.cli.options import SearchOptions, TranscriptOptions
from search.session import resuming
from search.session.run_storage import with_whole_paths
from search.session.warm_start import designs_of
from search.space.design_space import NetworkSpace
from tests.analysis.conftest import RunMaker

PLAIN = SearchOptions(dataset="digits", budget=("10min",), seed=5, max_epochs=9, axes=("schedule",))


@pytest.fixture
def run(tmp_path: Path) -> RunMaker:
    made = RunMaker(tmp_path / "cut")
    made.write("run", event="start")
    made.record(state="running", settings=settings(PLAIN), dataset={"fingerprint": "f"})
    made.trial(0, [0.5, 0.6], state="running", seconds=2.0)
    return made


def settings(options) -> dict:
    """As run.json has them."""
    return json.loads(json.dumps(dataclasses.asdict(options), default=str))


def find(run: RunMaker, **given) -> resuming.Earlier:
    return resuming.find(SearchOptions(out=run.folder.parent, resume="cut", **given))


def test_a_run_goes_on_with_its_own_options(run: RunMaker) -> None:
    earlier = find(run)
    assert earlier.options == dataclasses.replace(PLAIN, out=run.folder.parent, resume="cut")
    assert (earlier.folder, earlier.fingerprint) == (run.folder, "f")
    assert earlier.known.trials[0].last_epoch == 2
    by_folder = resuming.find(SearchOptions(resume=str(run.folder)))
    assert by_folder.folder == run.folder


def test_a_run_of_a_gpu_goes_on_without_one(run: RunMaker) -> None:
    run.record(settings=settings(dataclasses.replace(PLAIN, device="cuda")))
    assert find(run).options.device == "cuda"
    assert find(run, device="cpu").options.device == "cpu"


def test_what_concerns_the_cluster_and_the_budget_may_be_given_anew(run: RunMaker) -> None:
    options = find(run, parallel=3, budget=("2h",), address="auto", seed=5).options
    assert isinstance(options, SearchOptions)
    assert (options.parallel, options.budget, options.address) == (3, ("2h",), "auto")
    assert options.axes == ("schedule",)


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"seed": 6}, "--seed"),
        ({"max_epochs": 10}, "--max-epochs"),
        ({"searcher": "tpe"}, "--searcher"),
        ({"dataset": "cifar100"}, "--dataset"),
        ({"name": "other"}, "--name"),
        ({"storage": "/elsewhere"}, "--storage"),
    ],
)
def test_what_belongs_to_the_run_may_not(run: RunMaker, given, option) -> None:
    with pytest.raises(ValueError, match=f"{option} belongs to the run"):
        find(run, **given)


def test_options_that_were_given_count_also_where_they_are_the_defaults(run: RunMaker) -> None:
    given = SearchOptions(out=run.folder.parent, resume="cut")
    options = resuming.find(given, {"resume", "out", "budget"}).options
    assert isinstance(options, SearchOptions) and options.budget == ("1h",)
    with pytest.raises(ValueError, match="--seed belongs"):
        resuming.find(given, {"resume", "out", "seed"})


@pytest.fixture
def own_images(run: RunMaker, tmp_path: Path) -> Path:
    """The run trains on images in a folder of this kind."""
    images = tmp_path / "images"
    images.mkdir()
    plain = dataclasses.replace(PLAIN, data_dir=images, image_size=8)
    run.record(settings=settings(plain), dataset={"fingerprint": "f"})
    return images


def test_images_that_moved_are_named_anew(run: RunMaker, own_images: Path) -> None:
    assert find(run).options.data_dir == own_images
    moved = own_images.rename(own_images.with_name("moved"))
    with pytest.raises(ValueError, match=f"no longer in {own_images}: say where .* --data-dir"):
        find(run)
    options = find(run, data_dir=moved).options
    assert (options.data_dir, options.image_size) == (moved, 8)


def test_images_of_a_relative_path_are_looked_for_where_one_is(
    run: RunMaker, own_images: Path, tmp_path: Path, monkeypatch
) -> None:
    """As earlier runs have it."""
    plain = dataclasses.replace(PLAIN, data_dir=Path("images"))
    run.record(settings=settings(plain), dataset={"fingerprint": "f"})
    monkeypatch.chdir(tmp_path)
    assert find(run).options.data_dir == Path("images")
    monkeypatch.chdir(run.folder)
    with pytest.raises(ValueError, match=f"no longer in images below {run.folder}: .*--data-dir"):
        find(run)
    assert find(run, data_dir=own_images).options.data_dir == own_images


def test_paths_are_whole_before_they_are_stored(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    given = SearchOptions(data_dir=Path("images"), storage="kept", warm_start="~/runs/a")
    found = with_whole_paths(given)
    assert (found.data_dir, found.storage) == (tmp_path / "images", str(tmp_path / "kept"))
    assert (found.out, found.warm_start) == (Path("runs"), str(tmp_path / "home/runs/a"))
    given = SearchOptions(out=Path("~/runs"), data_dir=Path("~/images"), storage="~/kept")
    found = with_whole_paths(given)
    home = tmp_path / "home"
    assert (found.out, found.data_dir) == (home / "runs", home / "images")
    assert found.storage == str(home / "kept")
    assert with_whole_paths(SearchOptions(storage="s3://a/~b")).storage == "s3://a/~b"
    with pytest.raises(ValueError, match="~nobody-of-this-name"):
        with_whole_paths(SearchOptions(storage="~nobody-of-this-name/kept"))


def test_a_run_is_found_by_any_path(run: RunMaker, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(run.folder)
    for path in (".", "../cut", str(run.folder), f"{run.folder}/", "~/cut"):
        options = with_whole_paths(SearchOptions(resume=path))
        assert isinstance(options, SearchOptions)
        found = resuming.find(options, {"resume"})
        assert (found.folder.name, found.folder.resolve()) == ("cut", run.folder)
        assert run_folder.find(path, Path("runs")).resolve() == run.folder  # a report's


def test_designs_of_an_earlier_run_are_the_run_s_own(run: RunMaker) -> None:
    design = Design(kernels=((9,),), epochs=9)
    warm = [["old#3", to_dict(design)]]
    run.record(settings=settings(PLAIN), dataset={"fingerprint": "f"}, warm_designs=warm)
    assert find(run).warm == (("old#3", design),)


def test_a_run_that_has_ended_needs_a_further_budget(run: RunMaker) -> None:
    run.write("run", event="end", reason="")
    assert find(run).known.ended == "end"  # cut before its winner was written
    run.record(state="finished", settings=settings(PLAIN), dataset={"fingerprint": "f"})
    with pytest.raises(ValueError, match="--extend --budget 30min"):
        find(run)
    options = find(run, extend=True, budget=("30min", "4trials")).options
    assert isinstance(options, SearchOptions)
    seconds, trials = options.budget
    assert trials == "5trials"
    assert float(seconds.removesuffix("s")) >= 30 * 60


def test_a_further_budget_in_gpu_hours_counts_from_what_was_used(run: RunMaker) -> None:
    run.trial(1, [0.5], seconds=3600.0, gpus=2.0)
    options = find(run, extend=True, budget=("1gpuh",)).options
    assert isinstance(options, SearchOptions)
    used = 2.0 * (3600.0 + 0.75) / 3600  # training, evaluation, and overhead
    assert float(options.budget[0].removesuffix("gpuh")) == pytest.approx(used + 1, abs=1e-8)


def test_the_transcript_s_trials_go_on_too(run: RunMaker) -> None:
    plain = TranscriptOptions(dataset="digits", names=("ann-1",), seed=3)
    run.record(command="transcript", settings=settings(plain), dataset={})
    options = find(run).options
    assert isinstance(options, TranscriptOptions)
    assert (options.names, options.seed) == (("ann-1",), 3)


def test_damaged_runs_are_named(run: RunMaker) -> None:
    (run.folder / "run.json").write_text("{")
    with pytest.raises(ValueError, match="cannot be read"):
        find(run)
    (run.folder / "run.json").write_text("{}")
    with pytest.raises(ValueError, match="no settings"):
        find(run)
    with pytest.raises(ValueError, match="no run elsewhere"):
        resuming.find(SearchOptions(out=run.folder.parent, resume="elsewhere"))


def test_a_run_is_trained_by_one_process_at_a_time(run: RunMaker) -> None:
    held = resuming.RunLock(run.folder)
    with pytest.raises(ValueError, match="trained by another process"):
        resuming.RunLock(run.folder)
    held.release()
    resuming.RunLock(run.folder).release()


def test_a_warm_start_takes_the_most_accurate_and_the_front(tmp_path: Path) -> None:
    run = RunMaker(tmp_path / "old")
    run.record()
    for number in range(20):  # the more kernels, the better and the dearer
        design = Design(kernels=((8 + number,),), epochs=4)
        run.trial(number, [0.3 + number / 100], design=design, seconds=1.0 + number)
    space = NetworkSpace(max_epochs=30, height=32, width=32)
    found = designs_of(tmp_path, "old", space)
    assert len(found) == 8
    assert [name for name, _ in found[:4]] == ["old#19", "old#18", "old#17", "old#16"]
    assert found[0][1] == Design(kernels=((27,),), epochs=30)
    cosine = Design(kernels=((9,),), epochs=4, schedule="cosine")
    run.trial(20, [0.1, 0.2, 0.3, 0.99], design=cosine)
    assert designs_of(tmp_path, "old", space)[0][1] == cosine  # its length is its own


def test_a_warm_start_needs_a_run_with_results(tmp_path: Path) -> None:
    space = NetworkSpace(max_epochs=3, height=8, width=8)
    with pytest.raises(ValueError, match="no run gone"):
        designs_of(tmp_path, "gone", space)
    run = RunMaker(tmp_path / "empty")
    run.record()
    with pytest.raises(ValueError, match="no trial of it has a result"):
        designs_of(tmp_path, "empty", space)
