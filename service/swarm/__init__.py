"""What the operator's commands do with a Swarm's services and the vault's secrets, from a manager.

It knows both only by their APIs: the engine's over its socket, and the vault's over the network.
"""
