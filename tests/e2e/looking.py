"""What a page is looked through for, and where its picture is kept."""

import re
from pathlib import Path

from tests.e2e.visitor import Visitor

PICTURES = Path(__file__).parents[2] / ".axis" / "e2e"
_LOOK = (Path(__file__).parent / "looking.js").read_text(encoding="utf-8")
_FOCUSED = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const style = getComputedStyle(e);
  const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const box = e.getBoundingClientRect();
  const inside = box.bottom > 0 && box.top < innerHeight && box.width > 1;
  return {what: e.outerHTML.slice(0, 80), seen: seen && inside};
}"""
# But for the tables of a report, which are those of its printed form.
_SIDEWAYS = """() => [...document.querySelectorAll(":not(.report) > .wide")]
  .filter((e) => e.scrollWidth > e.clientWidth + 1)
  .map((e) => `${e.querySelector("caption")?.textContent.trim()}: ${e.scrollWidth} in ${e.clientWidth}`)"""
_MOST_TABS = 40


def shortcomings(visitor: Visitor) -> list[str]:
    """Say what is wrong with the page that is open, in light and in dark colours."""
    found: list[str] = []
    for scheme in ("dark", "light"):
        visitor.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{scheme}: {each}" for each in visitor.page.evaluate(_LOOK)]
    return found


def unseen_focus(visitor: Visitor) -> list[str]:
    """Go through the page with the key Tab; return what has the focus and does not show it."""
    found: list[str] = []
    for _ in range(_MOST_TABS):
        visitor.page.keyboard.press("Tab")
        focused = visitor.page.evaluate(_FOCUSED)
        if focused is None:
            break
        if not focused["seen"]:
            found.append(str(focused["what"]))
    return found


def sideways(visitor: Visitor) -> list[str]:
    """Name the tables of which a part is seen only by scrolling sideways."""
    return list(visitor.page.evaluate(_SIDEWAYS))


def picture(visitor: Visitor, name: str) -> None:
    """Keep a picture of the whole page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    visitor.page.screenshot(
        path=PICTURES / f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}.png", full_page=True
    )
