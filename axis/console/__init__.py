"""The console: what operators of the axis, and agencies, see in a browser.

    app.py        the application: pages, and what every request has to pass
    serving.py    the process: settings, store, TLS (`python -m axis.console`, `axis console`)
    desk.py       what a page works with: the store, the settings, the clock
    page.py       a page: path, function, who may see it
    reader.py     who looks, and in which language
    rendering.py  templates; language.py: the texts; downloads.py: the same rows as a file; live.py: events
    handing.py    groups of quarantine that are requeued while nobody waits
    access/       logging in, sessions, passwords, OpenID Connect
    pages/        the pages, one module each, all listed in pages/__init__.py

A page is a function of a request and a Reader. Everything that a page shows is escaped by the templates; no page has a
script or a style in it (Content-Security-Policy, axis.console.guarding).
"""

from axis.console.app import create_app
from axis.console.desk import Desk
from axis.console.page import Page
from axis.console.reader import Reader

__all__ = ["Desk", "Page", "Reader", "create_app"]
