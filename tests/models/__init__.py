import pytest

# So that their failed assertions are shown with values, as those of test modules are.
pytest.register_assert_rewrite(
    "tests.models.contract",
    "tests.models.contract_inputs",
    "tests.models.contract_rankings",
    "tests.models.contract_state",
)
