import pytest

# Loaded before the contracts are, so that their assertions say what was compared.
pytest.register_assert_rewrite("physioflow_sync.testing")
