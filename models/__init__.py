"""The stores: what is kept, and the functions that write it in the right order."""
