"""The pages, in the order of the menu. A page that is not listed here is nowhere."""

from axis.console.page import Page
from axis.console.pages import (
    accounts,
    agencies,
    audit,
    directory,
    document,
    documents,
    findings,
    overview,
    own,
    quarantine,
    reports,
    webhooks,
)

PAGES: tuple[Page, ...] = (
    *overview.PAGES,
    *documents.PAGES,
    *document.PAGES,
    *agencies.PAGES,
    *quarantine.PAGES,
    *directory.PAGES,
    *findings.PAGES,
    *reports.PAGES,
    *webhooks.PAGES,
    *audit.PAGES,
    *accounts.PAGES,
    *own.PAGES,
)
