"""The Swarm driver: asks the vault for the values of Docker secrets, for the engine. On its own in `service`.

``python -m service.swarm_driver`` listens on a Unix socket, where the engine asks for one value for each
task and secret.  It keeps no value and decides nothing: parse, ask the vault, answer
(docs/reference/swarm-driver.md).

What it takes for granted about the vault's API:

- ``POST /vault/secret/deliver`` takes ``{path, version, service: {id, name, labels, image}, task: {id,
  name}, node: {id}, docker_secret}``; ``version`` is missing if the current one is wanted, and every other
  field that the engine leaves out is an empty text or object.
- It answers as ``fetch``: ``secret`` (base64) and ``version``.
- It refuses with problem documents.  ``not-granted`` stands for "no grant", whether there is a secret or not;
  the other types of 404 say what became of the secret or the version; 403 is about the driver's token.
- ``POST /vault/token/renew`` with ``{}`` renews the token of the call, and answers its new ``expires_at``.
"""
