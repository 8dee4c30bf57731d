"""The same workspace in virtual time, in one process, with faults: for testing this library and your own bots."""
