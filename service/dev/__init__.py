"""What `python -m service dev` and the tests run: a private mongod and child processes."""
