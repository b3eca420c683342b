"""A run that is alone on its organisation's limits keeps within them."""

import unittest

from rate import send

COUNT = 60


class Rate(unittest.TestCase):
    def test_a_run_is_never_answered_429(self):
        # How fast it is, `scripts/bench rate` measures: that depends on the machine.
        _, answers = send(COUNT)
        self.assertEqual(answers.get("429", 0), 0, answers)
        self.assertGreaterEqual(answers.get("200", 0), 3 * COUNT, answers)
