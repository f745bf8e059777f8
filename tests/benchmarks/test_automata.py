import re

import pytest

from benchmarks.automata import PAIRS, main, ours


@pytest.mark.parametrize("name", PAIRS)
def test_a_text_of_the_one_and_not_of_the_other_is_found_if_there_is_any(name):
    one, other = PAIRS[name]
    text = ours(one, other)
    if text is None:
        assert name in ("version 4 that are no UUIDs", "(a|b)*a(a|b){9} minus (b|a)*a(b|a){9}")
    else:
        assert re.fullmatch(one, text)
        assert not re.fullmatch(other, text)


def test_one_pair_is_timed(capsys):
    assert main(["UUIDs that are not version 4", "ours"]) == 0
    assert 0 < float(capsys.readouterr().out) < 10
