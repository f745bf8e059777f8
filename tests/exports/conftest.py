"""The official parser of AsyncAPI, one process for all tests."""

import pytest

from tests.conftest import found
from tests.exports.parsing import AsyncApiParser, installed


@pytest.fixture(scope="session")
def parser():
    made = AsyncApiParser(*found("asyncapi", installed))
    yield made
    made.end()
