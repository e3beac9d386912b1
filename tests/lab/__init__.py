"""The lab: Molecule's scenarios on nodes that are real machines to everything that runs on them."""
