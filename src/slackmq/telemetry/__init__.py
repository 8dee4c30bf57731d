"""Hooks that write down what happened."""
