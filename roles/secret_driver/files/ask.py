"""Asks the manager's driver for a secret, as the engine does: ``ask.py PLUGIN_ID PATH``.

Prints the driver's error, or ``delivered``.  The value is never printed.
"""

import http.client
import json
import socket
import sys

plugin, path = sys.argv[1:]
connection = http.client.HTTPConnection("plugin", timeout=10)
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.settimeout(10)
connection.sock.connect(f"/run/docker/plugins/{plugin}/driver.sock")
request = {
    "SecretName": "verify",
    "SecretLabels": {"secret-manager.path": path, "secret-manager.version": "1"},
    "ServiceID": "verify",
    "ServiceName": "verify",
    "TaskID": "verify",
    "NodeID": "verify",
}
connection.request("POST", "/SecretProvider.GetSecret", json.dumps(request))
sys.stdout.write(json.loads(connection.getresponse().read()).get("Err") or "delivered")
