"""Every seed and every crasher that fuzzing ever found, played again: without the fuzzer, in seconds."""

from pathlib import Path

import pytest

from tests.fuzz import corpus, mutating
from tests.fuzz.__main__ import main
from tests.fuzz.oracle import Broken, Target, bounded, holds, read_or_refused
from tests.fuzz.targets import TARGETS

# RFC 9864 renames EdDSA to Ed25519; the name on our wire is the older one, which every library knows.
pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")

CASES = [(name, path) for name in TARGETS for path in corpus.kept(name)]


@pytest.mark.parametrize(("name", "path"), CASES, ids=[f"{name}-{path.name}" for name, path in CASES])
def test_every_promise_holds(name: str, path: Path) -> None:
    bounded(TARGETS[name].check, path.read_bytes())


def test_every_target_has_inputs_and_every_folder_a_target() -> None:
    assert {path.name for path in corpus.CORPUS.iterdir()} == TARGETS.keys()
    assert {name for name, _ in CASES} == TARGETS.keys()


def test_the_seeds_are_as_their_targets_make_them() -> None:
    """If this fails: python -m tests.fuzz --seeds."""
    made = dict(corpus.seeds())
    there = {path: path.read_bytes() for _, path in CASES if not path.name.startswith(corpus.FOUND)}
    assert there == made


def test_the_whole_corpus_is_small() -> None:
    assert sum(path.stat().st_size for _, path in CASES) < 512 * 1024


@pytest.mark.parametrize("name", TARGETS)
def test_some_seed_is_taken_and_cut_short_it_is_not(name: str) -> None:
    # A target that refuses everything would hold every promise and show nothing.
    taken = []
    target = TARGETS[name]

    def noted(read: object, *rest: object) -> object:
        got = read_or_refused(read, *rest)  # type: ignore[arg-type] # handed through as it came
        taken.append(got is not None)
        return got

    module = __import__(target.check.__module__, fromlist=["read_or_refused"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "read_or_refused", noted)
        for data in target.seeds().values():
            target.check(data)
    assert any(taken)
    assert not all(taken)


@pytest.mark.parametrize("name", TARGETS)
def test_a_dictionary_is_one_quoted_word_a_line(name: str) -> None:
    lines = corpus.dictionary(name).splitlines()
    assert len(lines) > 5
    assert all(line[0] == line[-1] == '"' and len(line) > 2 for line in lines)


def test_changed_json_is_changed_the_same_way_by_the_same_seed() -> None:
    data = TARGETS["envelope"].seeds()["example"]
    changed = [mutating.mutate(data, seed) for seed in range(50)]
    assert changed == [mutating.mutate(data, seed) for seed in range(50)]
    assert len(set(changed)) > 40
    assert mutating.mutate(b"no json", 1) is None


def test_the_oracle_sees_a_parser_that_breaks_its_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_: bytes) -> None:
        total = 0
        while (total := total + 1) < 200_000:
            pass

    monkeypatch.setattr("tests.fuzz.oracle.CPU_SECONDS", 0.001)
    with pytest.raises(Broken, match="processor time"):
        bounded(slow, b"x")
    with pytest.raises(Broken, match="told"):
        holds(False, "told")  # noqa: FBT003 - the point


def test_an_input_can_be_played_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "input"
    path.write_bytes(TARGETS["code"].seeds()["unit"])
    assert main(["code", "--again", str(path)]) == 0
    assert "every promise holds" in capsys.readouterr().out


def test_an_unknown_target_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["pdf"])
    assert caught.value.code == 2
    assert "no target pdf: take code" in capsys.readouterr().err


def test_without_a_fuzzer_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert main(["code", "--folder", str(tmp_path)]) == 69
    assert "make fuzz" in capsys.readouterr().err


def test_a_target_is_checked_by_its_oracle() -> None:
    assert all(isinstance(target, Target) and target.dictionary for target in TARGETS.values())
