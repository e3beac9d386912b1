"""Listens on an interface until SIGTERM, then writes what it heard as JSON.

``packets``: how many there were to or from the ports of interest, ``marked``: how many on the overlay
network had MARKER in them, ``found``: how often CANARY went by, as it is or in base64 at any of its
three offsets.
"""

import base64
import json
import os
import signal
import socket
import struct
import sys
from pathlib import Path

# linux/asm-generic/socket.h and linux/if_packet.h; Python does not name them.
SO_RCVBUFFORCE = 33
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 263, 1, 1

interface, result = sys.argv[1:]
canary, marker = os.environ["CANARY"].encode(), os.environ["MARKER"].encode()
# What stands in front of a value shifts its base64; the characters that depend on neighbours are cut off.
forms = {canary} | {base64.b64encode(b"x" * shift + canary)[4:-4] for shift in range(3)}
packets = {"4789": 0, "8000": 0}
found = marked = 0
ended = False


def end(number: int, frame: object) -> None:
    """Leave the loop below after the next packet or second."""
    global ended
    ended = True


signal.signal(signal.SIGTERM, end)
# 3 is ETH_P_ALL. Large enough for a burst while Python looks at another packet.
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as listener:
    listener.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 * 2**20)
    listener.bind((interface, 0))
    # Promiscuous, or a bridge shows what is for the host itself and not what goes between its ports.
    listener.setsockopt(
        SOL_PACKET,
        PACKET_ADD_MEMBERSHIP,
        struct.pack("iHH8x", socket.if_nametoindex(interface), PACKET_MR_PROMISC, 0),
    )
    listener.settimeout(1)
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    while not ended:
        try:
            frame = listener.recv(65535)
        except TimeoutError:
            continue
        if frame[12:14] != b"\x08\x00" or frame[23] not in (socket.IPPROTO_TCP, socket.IPPROTO_UDP):
            continue
        start = 14 + (frame[14] & 15) * 4
        ports = {str(int.from_bytes(frame[at : at + 2], "big")) for at in (start, start + 2)}
        for port in ports & packets.keys():
            packets[port] += 1
        marked += "4789" in ports and marker in frame
        found += any(form in frame for form in forms)

Path(result).write_text(json.dumps({"packets": packets, "marked": marked, "found": found}))
