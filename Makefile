# The habits.  `make NAME` and nothing else; each is one command that can be typed as well.
.DEFAULT_GOAL := help
.PHONY: help quick test check cluster lab docs lock audit

help:  ## This list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

quick:  ## Seconds: tests without a database
	pytest -m quick

test:  ## Minutes: all that needs neither root nor an engine, and touches no cluster
	pytest

check:  ## Minutes: ruff, mypy, import-linter, yamllint, shellcheck, ansible-lint
	pytest -m "check or long_check"

cluster:  ## As root: stands a cluster up on this machine, breaks it, leaves it; refuses one it did not make
	pytest -m cluster

lab:  ## As root: Molecule's scenarios; NAME=failover for that one by itself
	$(if $(NAME),molecule test -s $(NAME),pytest -m lab)

docs:  ## The site, into .cache/site/
	mkdocs build --strict

lock:  ## After a change of service/requirements.txt: the hashes of its packages, from the index that pip uses
	pip-compile --quiet --output-file=service/requirements.lock service/requirements.txt

audit:  ## Known vulnerabilities of the service's packages, where pip-audit reaches its data
	python -m tests.vulnerabilities
