"""What people bring: tables of their own, read as they write them."""
