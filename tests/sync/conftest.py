import pytest

# Loaded before the kit is, so that its assertions say what was compared.
pytest.register_assert_rewrite("physioflow_sync.testing")
