"""What the package knows: records, the tables they are read from, the library that finds them."""
