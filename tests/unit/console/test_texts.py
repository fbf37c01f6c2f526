"""Both languages, the templates, and the files of others."""

import hashlib
import re
import unicodedata
from importlib import resources

from jinja2 import Environment, PackageLoader, nodes

from axis.console.language import TEXTS
from axis.console.pages import PAGES

CONSOLE = resources.files("axis.console")


def test_every_text_is_there_in_both_languages() -> None:
    for key, (vietnamese, english) in TEXTS.items():
        assert vietnamese.strip(), key
        assert english.strip(), key
        assert unicodedata.is_normalized("NFC", vietnamese), key
        assert re.findall(r"{\w+}", vietnamese) == re.findall(r"{\w+}", english), key
    assert {page.menu for page in PAGES if page.menu is not None} <= TEXTS.keys()


def test_templates_ask_for_texts_that_are_there_and_hold_no_script_and_no_style() -> None:
    environment = Environment(loader=PackageLoader("axis.console"), autoescape=True)
    for name in environment.list_templates():
        assert environment.loader is not None
        source, _, _ = environment.loader.get_source(environment, name)
        tree = environment.parse(source)
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "t" and isinstance(call.args[0], nodes.Const):
                assert call.args[0].value in TEXTS, name
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on|hx-vals=.js|\|\s*safe\b", source), name
        assert all(" src=" in script for script in re.findall(r"<script[^>]*>", source)), name
        assert not any(isinstance(each, nodes.ScopedEvalContextModifier) for each in tree.find_all(nodes.Node)), name


def test_files_of_others_are_as_they_were_published() -> None:
    vendor = CONSOLE / "static" / "vendor"
    told = dict(
        re.findall(r"^\| (\S+) \|.*\| ([0-9a-f]{64}) \|$", (vendor / "VENDORED.md").read_text("utf-8"), re.MULTILINE)
    )
    there = {path.name: path for path in vendor.iterdir() if path.name != "VENDORED.md"}
    assert told.keys() == there.keys()
    for name, path in there.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == told[name], name


def test_colours_can_be_read_by_day_and_by_night() -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text; 1.4.11: 3 to 1 for the edges of fields."""
    css = (CONSOLE / "static" / "console.css").read_text("utf-8")
    day, night = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", part)) for part in css.split("@media", 2)[:2])
    pairs = [(ink, back) for ink in ("ink", "quiet", "link") for back in ("page", "card")]
    pairs += [("ink", "plain-back"), ("quiet", "plain-back"), ("on-brand", "brand"), ("card", "link")]
    pairs += [(tone, f"{tone}-back") for tone in ("good", "fair", "poor", "bad", "plain")]
    for colours in (day, night):
        for ink, back in pairs:
            assert contrast(colours[ink], colours[back]) >= 4.5, (ink, back)
        assert min(contrast(colours["edge"], colours[back]) for back in ("page", "card")) >= 3


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
