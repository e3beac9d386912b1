r"""Puts load on a cluster as a client does, and checks that nothing was lost.

::

    python -m tests.load run --url https://10.0.0.11:8000 --url https://10.0.0.12:8000 --rate 50 \
        --cacert ca.crt --token-file token --journal load.jsonl --clients 8 --seconds 600 --give-up 60 &
    python -m tests.load mark --journal load.jsonl "killed the primary's mongod"
    kill %1 && wait
    python -m service audit --last 1000000 > audit.jsonl
    python -m tests.load check --journal load.jsonl --url https://10.0.0.11:8000 --cacert ca.crt \
        --token-file token --audit audit.jsonl
    python -m tests.load report --journal load.jsonl

``run`` creates random secrets and fetches acknowledged ones, through all addresses, retrying as a
client does, until its seconds are over or SIGTERM or Ctrl-C ends it.  During this, ``mark`` records each
fault in the same journal.  Afterwards ``check`` fetches everything that was acknowledged and looks
for the record of every answer in ``--audit``: the audit log as JSON lines with at least
``request_id``, ``operation``, ``secret_id`` and ``status``, taken after the run, on a machine that can
reach the database.  ``report`` prints the cost of each fault as a Markdown table.

    python -m tests.load bench --peer openbao
    python -m tests.load soak
    python -m tests.load.fetching

measure the service on this machine: they start it with a database, and stop both.  ``bench`` needs wrk, and
saves its output and a plot in ``.cache/performance``.  ``python -m tests.load idle`` shows what the cluster
on this machine takes while nobody calls it.

Exit codes: 0; 1 if ``check``, ``bench`` or ``soak`` found something; 2 if a command was refused, with one
line that says why.  The journal contains ids and digests, but no values of secrets.
"""
