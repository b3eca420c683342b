"""Runs the tests of the official SDK and closes with one line."""

import platform
import sys
import unittest
from pathlib import Path

import lightfield

tests = unittest.defaultTestLoader.discover(str(Path(__file__).parent))
result = unittest.TextTestRunner(verbosity=1, stream=sys.stdout).run(tests)
bad = len(result.failures) + len(result.errors)
print(
    f"sdk: {result.testsRun - bad} of {result.testsRun} tests passed "
    f"(lightfield {lightfield.__version__}, Python {platform.python_version()})")
sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
