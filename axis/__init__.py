"""The axis: the backbone on which government agencies exchange signed electronic documents."""
