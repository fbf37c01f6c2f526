"""Reports of a period as pages, files and text: made from the tallies, named from the directory."""
