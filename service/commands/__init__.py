"""The operator's commands, one module each; ``command`` in it is what ``root`` runs."""
