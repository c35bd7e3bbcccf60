"""What the speed and memory of popforecast are, measured: ``make bench``, or ``make bench ARGS="engine imports"``.

Nothing here asserts: a busy machine must not fail a test. Speed is a ratio of two things measured in one run.
"""
