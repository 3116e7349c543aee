from hypothesis import given
from hypothesis import strategies as st

from models.data.names import class_name, counted, is_utf8, readable, some


def test_bytes_that_are_no_utf8_are_latin_1() -> None:
    listed = b"caf\xe9 \x80".decode("utf-8", "surrogateescape")
    assert not is_utf8(listed) and is_utf8("café")
    assert readable(listed) == "café €"
    assert readable("a\x1b[31m\nb\ud800") == "a_[31m_b_"
    assert readable("\u202elive\u202c") == "_live_"  # would be read as evil
    assert readable("/データ/" + listed) == "/データ/café €"


def test_letters_are_composed() -> None:
    assert class_name("cafe\u0301") == class_name("caf\u00e9") == "caf\u00e9"


@given(st.binary(max_size=20))
def test_any_name_of_a_file_can_be_written_in_one_line(name: bytes) -> None:
    clean = readable(name.decode("utf-8", "surrogateescape"))
    clean.encode("utf-8")
    assert len(clean.splitlines()) <= 1
    assert readable(clean) == clean


def test_lists_and_counts() -> None:
    assert some(["a", "b"]) == "a, b"
    assert some(list("abcde")) == "a, b, c and 2 more"
    assert counted(1, "image") == "1 image"
    assert counted(1200, "image is", "images are") == "1,200 images are"
