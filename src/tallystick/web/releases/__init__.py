"""Pages of releases: the list, one of them with its history, making and editing, files, and how they are used."""
