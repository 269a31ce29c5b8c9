"""The examples of the README and of the pages in docs run, and their links lead somewhere."""

import doctest
import re
from pathlib import Path

import pytest

import convx

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def test_there_are_pages():
    assert len(PAGES) > 10


@pages
def test_examples(page):
    threads = convx.get_num_threads()
    failed, _ = doctest.testfile(
        str(page), module_relative=False, optionflags=doctest.ELLIPSIS, encoding="utf-8"
    )
    convx.set_num_threads(threads)
    assert failed == 0


@pages
def test_examples_are_shown_as_code(page):
    """Outside of a fence Markdown makes quotations of them."""
    text = re.sub("(?ms)^```.*?^```", "", page.read_text(encoding="utf-8"))
    assert not re.search("(?m)^>>>", text)


@pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="not the whole tree")
@pages
def test_links(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not re.match(r"https?:", target):
            assert (page.parent / target).exists(), target
