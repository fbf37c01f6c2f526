"""The scenarios: every module here has one, as `SCENARIO`."""

import importlib
import pkgutil

from axis.faults.scenario import Scenario


def _found() -> dict[str, Scenario]:
    modules = [importlib.import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__)]
    scenarios: list[Scenario] = sorted((module.SCENARIO for module in modules), key=lambda each: each.number)
    return {scenario.name: scenario for scenario in scenarios}


SCENARIOS: dict[str, Scenario] = _found()
