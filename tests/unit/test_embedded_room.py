"""What a room says of its health, in one sentence."""

import pytest

from services.runtime.embedded.room import in_words


def test_the_problems_of_a_room_become_one_line() -> None:
    answer = '{"ready": false, "problems": {"broker": "joining its group", "triton": "no answer"}}'
    assert in_words(answer) == "broker: joining its group; triton: no answer"


@pytest.mark.parametrize("answer", ["connection refused", "[1]", '{"ready": false}', '{"problems": 7}', "{"])
def test_any_other_answer_is_left_as_it_is(answer: str) -> None:
    assert in_words(answer) == answer
